// The fields of secrets that the gateway puts into requests. The oracle is a server that writes down what it
// was sent; more of them is in request_secrets_test.cpp.
#include "../support/outside_world.hpp"
#include "fields.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace pyro::testing {
namespace {

class Request {
public:
  explicit Request(Fields& test, const fs::path& directory)
      : m_test(test), m_world(directory, {{"api.example", {"127.0.0.1"}}}, {{"tls"}}) {
    ::setenv("PYRO_NAME_SERVERS", m_world.name_server().c_str(), 1);
    ::setenv("SSL_CERT_FILE", m_world.certificate().c_str(), 1);
    ::setenv("TEST_TOKEN", "value-of-the-token", 1);
  }

  ~Request() {
    for (const auto* name : {"PYRO_NAME_SERVERS", "SSL_CERT_FILE", "TEST_TOKEN"}) {
      ::unsetenv(name);
    }
  }

  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// The status and what the server got, for a secret with these fields and a request with that header.
  std::string of(const std::string& fields, const std::string& header, const std::string& path = "/") {
    const auto host = fmt::format("api.example:{}", m_world.port(0));
    m_test.spec(fmt::format(
        "secrets: {{token: {{env: TEST_TOKEN, for: [\"{0}\"]{1}}}}}\nnetwork: {{egress: [\"{0}\", "
        "\"127.0.0.1:{2}\"]}}\n",
        host, fields, m_world.port(0)));
    m_test.expect(0, {"apply", "--yes", "--trust"});
    const auto said = m_test.inside(
        fmt::format("curl -s -o /dev/null -w %{{http_code}} -H \"{}\" https://{}{}", header, host, path));
    const auto requests = m_world.visits("request");
    const auto got = requests.empty() ? Json::object() : requests.back();
    return fmt::format("{} {}|{}", said.out, string_or(got, "authorization", ""), string_or(got, "key", ""));
  }

private:
  Fields& m_test;
  OutsideWorld m_world;
};

TEST_F(Fields, secret__for) {
  Request request(*this, root() / "world");
  EXPECT_EQ(request.of("", "Authorization: token $TEST_TOKEN"), "200 token value-of-the-token|");
  EXPECT_TRUE(contains(inside("echo $TEST_TOKEN").out, "pyro_placeholder_"));
}

TEST_F(Fields, secret__allow) {
  Request request(*this, root() / "world");
  const std::string allow = ", allow: [\"GET /a/*\"]";
  EXPECT_EQ(request.of(allow, "Authorization: $TEST_TOKEN", "/a/b"), "200 value-of-the-token|");
  EXPECT_TRUE(request.of(allow, "Authorization: $TEST_TOKEN", "/b").starts_with("403"));
}

TEST_F(Fields, request_header__header) {
  Request request(*this, root() / "world");
  EXPECT_EQ(request.of(", as: {header: X-Key}", "X-Key: $TEST_TOKEN"), "200 |value-of-the-token");
  EXPECT_TRUE(request.of(", as: {header: X-Key}", "Authorization: $TEST_TOKEN").starts_with("403"));
}

TEST_F(Fields, request_header__prefix) {
  Request request(*this, root() / "world");
  EXPECT_EQ(
      request.of(", as: {prefix: 'Bearer '}", "Authorization: token $TEST_TOKEN"),
      "200 Bearer value-of-the-token|");
}

} // namespace
} // namespace pyro::testing

// secrets.NAME.for, as and allow: what is read, and what is refused where.
#include "support.hpp"

namespace pyro::spec::testing {
namespace {

std::string secret_file(const std::string& fields, const std::string& egress = "[api.example]") {
  return with("secrets:\n  token: {env: TOKEN, " + fields + "}\nnetwork: {egress: " + egress + "}\n");
}

TEST(RequestSecrets, AreReadInTheirNormalForm) {
  const auto spec = parsed(
      secret_file("for: [API.example, '*.tree.example:8443'], allow: ['GET /a/*']", "['*', '*:8443']"));
  const auto& token = spec.secrets.at("token");
  EXPECT_TRUE(token.is_for_requests());
  EXPECT_TRUE(has_request_secrets(spec));
  EXPECT_EQ(token.hosts, (std::vector<std::string>{"api.example", "*.tree.example:8443"}));
  EXPECT_EQ(token.header, "Authorization");
  EXPECT_FALSE(token.prefix);
  EXPECT_EQ(token.allow, std::vector<std::string>{"GET /a/*"});
  EXPECT_EQ(placeholder_variable("token", token), "TOKEN");
  const auto other = parsed(
      with("secrets:\n  9-api-key: {file: key, for: [api.example], as: {header: X-Key, prefix: 'Key '}}\n"
           "network: {egress: [api.example]}\n"));
  const auto& key = other.secrets.at("9-api-key");
  EXPECT_EQ(key.header, "X-Key");
  EXPECT_EQ(key.prefix, "Key ");
  EXPECT_EQ(placeholder_variable("9-api-key", key), "_9_API_KEY");
}

TEST(RequestSecrets, OfHostsThatTheListLacksAreRefusedWhereTheyStand) {
  EXPECT_EQ(
      first_error(secret_file("for: [other.example]")),
      "pyro.yaml:4:29: error: secrets.token.for[0]: network.egress does not list other.example, so no "
      "request "
      "reaches it (add other.example there)");
  for (const auto* egress : {"['*.example']", "['*']", "[api.example]", "['api.example:443']"}) {
    EXPECT_EQ(parse_spec(secret_file("for: [api.example]", egress)).diagnostics.size(), 0U) << egress;
  }
  for (const auto& [host, egress] : std::vector<std::pair<const char*, const char*>>{
           {"api.example", "['api.example:8443']"},
           {"api.example:8443", "[api.example]"},
           {"'*.api.example'", "[api.example, a.api.example]"},
           {"'*.example'", "['*.api.example']"},
           {"example", "['*.example']"},
           {"api.example", "['10.0.0.0/8']"}}) {
    EXPECT_NE(
        first_error(secret_file(fmt::format("for: [{}]", host), egress)).find("does not list"),
        std::string::npos)
        << host << " " << egress;
  }
  for (const auto* egress : {"all", "none"}) {
    EXPECT_NE(
        first_error(secret_file("for: [api.example]", egress)).find("the gateway of a list of hosts"),
        std::string::npos)
        << egress;
  }
}

TEST(RequestSecrets, ThatCouldNeverBePutInAreRefused) {
  for (const auto& [fields, part] : std::vector<std::pair<const char*, const char*>>{
           {"for: []", "no host"},
           {"for: [10.0.0.5]", "is no name"},
           {"for: ['*']", "is no name"},
           {"for: [npm]", "does not list"},
           {"for: ['api.example:80']", "is not encrypted"},
           {"for: [https://api.example]", "is a URL"},
           {"for: [api.example], allow: []", "no request"},
           {"for: [api.example], allow: [/a]", "is no method and path"},
           {"for: [api.example], allow: ['GET /a?b']", "has a query"},
           {"for: [api.example], as: {header: 'A B'}", "is no name of a header"},
           {"for: [api.example], as: {header: host}", "says how a request is read"},
           {"for: [api.example], as: {header: Content-Length}", "says how a request is read"},
           {"for: [api.example], as: {prefix: \"a\\nb\"}", "letters that no header may have"},
           {"for: [api.example], as: {prefx: a}", "unknown key"},
           {"as: {header: X-Key}", "has no effect without 'for'"},
           {"allow: ['GET /a']", "has no effect without 'for'"}}) {
    EXPECT_NE(first_error(secret_file(fields)).find(part), std::string::npos)
        << fields << ": " << first_error(secret_file(fields));
  }
}

TEST(RequestSecrets, AreInNoListAndOfOneVariableEach) {
  const std::string front =
      "secrets: {token: {env: TOKEN, for: [api.example]}}\nnetwork: {egress: [api.example]}\n";
  EXPECT_NE(
      first_error(with(front + "services: {a: {command: x, secrets: [token]}}\n"))
          .find("every process has its placeholder, in TOKEN"),
      std::string::npos);
  EXPECT_EQ(parse_spec(with(front + "prepare: [{run: x, secrets: [token]}]\n")).diagnostics.size(), 0U);
  EXPECT_NE(
      first_error(
          with("secrets:\n  a: {env: TOKEN, for: [api.example]}\n  token: {file: t, for: [api.example]}\n"
               "network: {egress: [api.example]}\n"))
          .find("are both the variable TOKEN"),
      std::string::npos);
}

TEST(RequestSecrets, OfASetupStepNeedAHostInItsOwnList) {
  const auto file = [](const std::string& egress) {
    return "version: 1\nenvironment:\n  image: host\n  setup: [{id: a, run: x, secrets: [token]" + egress
           + "}]\nsecrets: {token: {env: TOKEN, for: [api.example, b.example]}}\n"
             "network: {egress: [api.example, b.example]}\n";
  };
  EXPECT_EQ(parse_spec(file(", egress: [b.example]")).diagnostics.size(), 0U);
  for (const auto* egress : {"", ", egress: none", ", egress: [npm]"}) {
    EXPECT_NE(first_error(file(egress)).find("the step's egress lists none of its hosts"), std::string::npos)
        << egress;
  }
}

TEST(RequestSecrets, AreInTheNormalFormWithoutTheirValues) {
  const auto form = normal_form(parsed(secret_file("for: [api.example], as: {prefix: 'Bearer '}")));
  EXPECT_EQ(
      form.at("secrets").at("token"), (Json{
                                          {"env", "TOKEN"},
                                          {"required", true},
                                          {"for", {"api.example"}},
                                          {"as", {{"header", "Authorization"}, {"prefix", "Bearer "}}},
                                          {"allow", Json::array()}}));
}

} // namespace
} // namespace pyro::spec::testing

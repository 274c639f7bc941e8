// Secrets that never enter, of a guest: what functional/request_secrets_test.cpp shows of namespaces.
#include "../support/outside_world.hpp"
#include "machines.hpp"

#include <pyro/base/text.hpp>

#include <fmt/format.h>

namespace pyro::testing {
namespace {

const std::string k_guests_token = "the-value-of-a-guests-token";

class RequestSecretsOfAMachine : public Machines {
protected:
  void SetUp() override {
    Machines::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    world = std::make_unique<OutsideWorld>(
        root() / "world", Json{{"api.example", {"127.0.0.1"}}}, std::vector<OutsideWorld::Server>{{"tls"}});
    ::setenv("PYRO_NAME_SERVERS", world->name_server().c_str(), 1);
    ::setenv("SSL_CERT_FILE", world->certificate().c_str(), 1);
    ::setenv("TEST_TOKEN", k_guests_token.c_str(), 1);
    put_program("/usr/bin/openssl");
    append_file(
        project() / "pyro.yaml", fmt::format(
                                     "secrets: {{token: {{env: TEST_TOKEN, for: [\"api.example:{0}\"]}}}}\n"
                                     "network: {{egress: [\"api.example:{0}\", \"127.0.0.1:{0}\"]}}\n",
                                     world->port(0)));
  }

  void TearDown() override {
    Machines::TearDown();
    for (const auto* name : {"PYRO_NAME_SERVERS", "SSL_CERT_FILE", "TEST_TOKEN"}) {
      ::unsetenv(name);
    }
  }

  /// Into the guest's root, with its libraries.
  void put_program(const std::string& program) {
    const auto put = [&](const fs::path& file) {
      const auto to = root() / "busybox" / file.relative_path();
      fs::create_directories(to.parent_path());
      fs::copy_file(file, to, fs::copy_options::overwrite_existing);
    };
    put(program);
    const auto libraries = command({"ldd", program}).out;
    for (const auto line : lines_of(libraries)) {
      const auto begin = line.find('/');
      if (begin != std::string_view::npos) {
        put(std::string(line.substr(begin, line.find(' ', begin) - begin)));
      }
    }
  }

  /// What the server gets of a request with the placeholder.
  std::string asked(const std::string& path) {
    const auto said = inside(fmt::format(
        "printf 'GET {0} HTTP/1.1\\r\\nHost: api.example:{1}\\r\\nAuthorization: %s\\r\\nConnection: "
        "close\\r\\n\\r\\n' \"$TEST_TOKEN\" | openssl s_client -quiet -verify_quiet -verify_return_error "
        "-CAfile "
        "$SSL_CERT_FILE -servername api.example -connect api.example:{1}",
        path, world->port(0)));
    const auto requests = world->visits("request");
    const bool is_there = !requests.empty() && get_string(requests.back(), "path") == path;
    EXPECT_TRUE(is_there) << said;
    return is_there ? get_string(requests.back(), "authorization") : "";
  }

  std::unique_ptr<OutsideWorld> world;
};

TEST_F(RequestSecretsOfAMachine, AreInTheRequestAndNotInside) {
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(asked("/first"), k_guests_token);
  EXPECT_TRUE(contains(inside("echo $TEST_TOKEN").out, "pyro_placeholder_"));
  EXPECT_EQ(
      inside(
          "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /run/pyro/* /tmp/* 2>/dev/null | grep -c '["
          + k_guests_token.substr(0, 1) + "]" + k_guests_token.substr(1) + "'")
          .out,
      "0\n");
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(asked("/clone"), k_guests_token) << "a clone trusts its own gateway";
}

TEST_F(RequestSecretsOfAMachine, LeaveNoMemoryToKeep) {
  append_file(project() / "pyro.yaml", "snapshots: {warm: {at: ready, memory: true}}\n");
  const auto refused = pyro({"plan"});
  EXPECT_EQ(refused.status, 10) << refused;
  EXPECT_TRUE(contains(refused.all(), "authority of their sandbox's gateway")) << refused;
}

} // namespace
} // namespace pyro::testing

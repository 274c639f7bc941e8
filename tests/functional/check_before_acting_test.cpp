// What can be known is found out before anything is done: a command that is refused has changed nothing.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/os/tcp_socket.hpp>

namespace pyro::testing {
namespace {

class CheckBeforeActing : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(project() / "image");
    write_file(project() / "seed/file", "text\n");
  }

  RunOptions with_secret(const std::string& value = "the-value") {
    auto options = without_secret();
    options.env["TEST_TOKEN"] = value;
    return options;
  }

  RunOptions without_secret() {
    RunOptions options;
    options.env["PYRO_TRUST"] = "1";
    options.env["PYRO_ENVIRONMENT_CACHE_DIR"] = (root() / "cache").string();
    return options;
  }

  void file(const std::string& rest) {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: dir:./image}\nseed: {from: ./seed}\n" + rest);
  }

  void file_with_service(const std::string& fields = "", const std::string& rest = "") {
    file(
        "secrets: {token: {env: TEST_TOKEN}}\nservices:\n  web:\n    secrets: [token]\n"
        "    command: \"wc -c < $TOKEN_FILE > /tmp/size; exec sleep 1000\"\n    readiness: {exec: test -s "
        "/tmp/size}\n"
        + fields + rest);
  }

  /// Started with the secret, and changed by hand.
  void begin() {
    file_with_service();
    expect(0, {"apply"}, with_secret());
    expect(0, {"exec", "--", "sh", "-c", "echo mine > mine"}, with_secret());
  }

  /// The command ends like this, and sandbox, content and service are the very ones that were.
  void
  refused(int status, const Arguments& arguments, const std::string& message, const RunOptions& options) {
    const auto before = json({"status"}, options);
    const auto result = pyro(arguments, options);
    EXPECT_EQ(result.status, status) << result;
    EXPECT_TRUE(contains(result.all(), message)) << result;
    const auto after = json({"status"}, options);
    for (const auto* what : {"state", "sandbox_pid", "reset_count", "undo", "last_error"}) {
      EXPECT_EQ(after.at(what), before.at(what)) << what;
    }
    if (after.at("state") == "started") {
      EXPECT_EQ(inside("cat mine", options).out, "mine\n");
      EXPECT_EQ(after.at("services").at(0).at("pid"), before.at("services").at(0).at("pid"));
    }
  }

  std::string size_inside() { return inside("cat /tmp/size", without_secret()).out; }
};

TEST_F(CheckBeforeActing, AFirstApplyWithoutASecretRunsNoStep) {
  file_with_service("", "prepare: [{id: long, run: 'touch ran; exit 9'}]\n");
  const auto plan = pyro({"plan"}, without_secret());
  EXPECT_TRUE(contains(plan.out, "the secret token is not set")) << plan;
  const auto refused = pyro({"apply"}, without_secret());
  EXPECT_EQ(refused.status, 66) << refused;
  EXPECT_TRUE(contains(refused.err, "pyro.yaml:5")) << refused;
  EXPECT_TRUE(contains(refused.err, "TEST_TOKEN")) << refused;
  EXPECT_FALSE(contains(refused.all(), "prepare.long")) << "a step was begun: " << refused;
  EXPECT_TRUE(workspace_ids().empty());
}

TEST_F(CheckBeforeActing, ASecretOfAStepAndOneOfACommandAreFoundFirstToo) {
  file("secrets: {token: {env: TEST_TOKEN}}\nprepare:\n  - {id: first, run: exit 9}\n"
       "  - {id: second, run: 'true', secrets: [token]}\n");
  EXPECT_EQ(pyro({"apply"}, without_secret()).status, 66);
  file("secrets: {token: {command: 'echo no such entry >&2; exit 3'}}\nprepare:\n"
       "  - {id: first, run: exit 9}\n  - {id: second, run: 'true', secrets: [token]}\n");
  const auto refused = pyro({"apply"}, without_secret());
  EXPECT_TRUE(contains(refused.err, "no such entry")) << refused;
  EXPECT_TRUE(contains(refused.err, "secret token")) << refused;
  EXPECT_FALSE(contains(refused.all(), "prepare.first")) << refused;
}

TEST_F(CheckBeforeActing, ResetUndoAndForkUseWhatTheSandboxHas) {
  begin();
  const auto reset = expect(0, {"reset", "--yes"}, without_secret());
  EXPECT_TRUE(contains(reset.err, "TEST_TOKEN")) << "it says that the value is used again: " << reset;
  EXPECT_EQ(size_inside(), "9\n");
  expect(0, {"undo"}, without_secret());
  EXPECT_EQ(size_inside(), "9\n");
  EXPECT_EQ(inside("cat mine", without_secret()).out, "mine\n");
  expect(0, {"fork", "copy"}, without_secret());
  EXPECT_EQ(pyro({"workspace", "exec", "copy", "--", "cat", "/tmp/size"}, without_secret()).out, "9\n");
  expect(0, {"workspace", "delete", "copy"}, without_secret());
  expect(0, {"reset", "--yes"}, with_secret("another-value"));
  EXPECT_EQ(size_inside(), "13\n");
}

TEST_F(CheckBeforeActing, WithoutASecretNothingIsEnded) {
  begin();
  expect(0, {"stop"}, without_secret());
  for (const Arguments& verb :
       {Arguments{"start"}, {"reset", "--yes"}, {"apply", "--yes"}, {"fork", "copy"}}) {
    refused(66, verb, "the secret token is not set", without_secret());
  }
  expect(0, {"start"}, with_secret());
  expect(0, {"reset", "--yes"}, with_secret());
  expect(0, {"stop"}, without_secret());
  refused(66, {"undo"}, "the secret token is not set", without_secret());
  expect(0, {"undo"}, with_secret());
  EXPECT_EQ(inside("cat mine", without_secret()).out, "mine\n");
}

TEST_F(CheckBeforeActing, AnEnvFileThatIsGoneEndsNothing) {
  write_file(project() / "web.env", "A=1\n");
  file_with_service("    env_file: [web.env]\n");
  expect(0, {"apply"}, with_secret());
  expect(0, {"exec", "--", "sh", "-c", "echo mine > mine"}, with_secret());
  fs::remove(project() / "web.env");
  for (const Arguments& verb : {Arguments{"reset", "--yes"}, {"apply", "--yes"}, {"fork", "copy"}}) {
    refused(66, verb, "web.env", with_secret());
  }
}

TEST_F(CheckBeforeActing, AUserThatTheContentLacksEndsNothing) {
  begin();
  file_with_service("    user: nobody-here\n");
  refused(1, {"reset", "--yes"}, "there is no user 'nobody-here'", with_secret());
  write_file(project() / "seed/file", "changed\n"); // so that apply resets
  refused(1, {"apply", "--yes"}, "there is no user 'nobody-here'", with_secret());
}

TEST_F(CheckBeforeActing, APortThatIsTakenEndsNothing) {
  begin();
  const auto taken = os::listen_tcp("127.0.0.1", 0);
  const auto port = std::to_string(os::port_of(taken.get()));
  file_with_service("    ports: [\"" + port + ":8080\"]\n");
  for (const Arguments& verb : {Arguments{"reset", "--yes"}, {"apply", "--yes"}}) {
    refused(1, verb, port, with_secret());
  }
}

TEST_F(CheckBeforeActing, WhatNoKernelTakesIsNamedAndEndsNothing) {
  begin();
  const std::string large(140'000, 'x');
  file_with_service("    env: {LARGE: " + large + "}\n");
  for (const Arguments& verb : {Arguments{"plan"}, {"reset", "--yes"}, {"apply", "--yes"}}) {
    refused(1, verb, "the variable LARGE", with_secret());
    EXPECT_TRUE(contains(pyro(verb, with_secret()).err, "services.web"));
  }
  write_file(project() / "web.env", "FROM_FILE=" + large + "\n");
  file_with_service("    env_file: [web.env]\n");
  refused(1, {"reset", "--yes"}, "the variable FROM_FILE", with_secret());
  file_with_service("", "prepare: [{id: first, run: exit 9}, {id: long, run: '" + large + "'}]\n");
  refused(1, {"apply", "--yes"}, "prepare.long", with_secret());
}

TEST_F(CheckBeforeActing, ASecretOfUpToAMiBIsDeliveredAndALargerOneNamed) {
  const auto with_file = [&](std::size_t size) {
    write_file(project() / "large", std::string(size, 'k'));
    file("secrets: {token: {file: ./large}}\nservices:\n  web:\n    secrets: [token]\n"
         "    command: \"wc -c < $TOKEN_FILE > /tmp/size; exec sleep 1000\"\n"
         "    readiness: {exec: test -s /tmp/size}\n");
  };
  with_file(215 << 10);
  expect(0, {"apply"}, without_secret());
  EXPECT_EQ(size_inside(), "220160\n");
  with_file(1 << 20);
  expect(0, {"apply", "--yes"}, without_secret());
  EXPECT_EQ(size_inside(), "1048576\n");
  EXPECT_EQ(expect(0, {"exec", "--", "cat", "/run/secrets/token"}, without_secret()).out, "[redacted:token]");
  with_file((1 << 20) + 1);
  expect(0, {"exec", "--", "sh", "-c", "echo mine > mine"}, without_secret());
  refused(1, {"reset", "--yes"}, "secret token", without_secret());
}

TEST_F(CheckBeforeActing, ALayerThatIsGoneEndsNothing) {
  begin();
  expect(0, {"snapshot", "save", "point"}, with_secret());
  const auto record = state() / "workspaces" / *workspace_ids().begin() / "snapshots/point.json";
  const auto layer = Json::parse(read_file(record)).at("layers").back().get<std::string>();
  fs::path directory;
  for (const auto& entry :
       fs::recursive_directory_iterator(state() / "store", fs::directory_options::skip_permission_denied)) {
    directory = entry.is_directory() && entry.path().filename() == layer ? entry.path() : directory;
  }
  ASSERT_FALSE(directory.empty()) << layer;
  const auto aside = directory.parent_path() / "aside";
  fs::rename(directory, aside);
  refused(1, {"reset", "--yes", "--to", "point"}, "is not in the store", with_secret());
  fs::rename(aside, directory);
  expect(0, {"snapshot", "rm", "point"}, with_secret());
}

} // namespace
} // namespace pyro::testing

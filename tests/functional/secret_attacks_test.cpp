// Inside, a secret is its service's alone: other users of the same sandbox cannot read it.
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class SecretAttacks : public Functional {
protected:
  static RunOptions with_values() {
    RunOptions with;
    with.env["TEST_FIRST"] = "value-of-first";
    with.env["TEST_SECOND"] = "value-of-second";
    with.env["TEST_BOTH"] = "value-of-both";
    with.env["PYRO_TRUST"] = "1";
    return with;
  }

  void write_spec(const std::string& services) {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: host}\nseed: {from: .}\n"
        "secrets:\n  first: {env: TEST_FIRST}\n  second: {env: TEST_SECOND}\n  both: {env: TEST_BOTH}\n"
        "services:\n"
            + services);
  }
};

// Values are taken out of what is shown, so the services tell lengths.
constexpr const char* k_look =
    "    oneshot: true\n    command: \"for f in $FIRST_FILE $SECOND_FILE $BOTH_FILE "
    "/run/secrets/first /run/secrets/second /run/secrets/both@one "
    "/run/secrets/both@two; do echo $f $(cat $f 2>/dev/null | wc -c); done\"\n";

TEST_F(SecretAttacks, ServicesOfTwoUsersReadJustTheirOwn) {
  spec();
  expect(0, {"apply"});
  if (!has_users()) {
    GTEST_SKIP() << "one user only: no range of ids for us";
  }
  write_spec(
      std::string("  one:\n    user: daemon\n    secrets: [first, both]\n") + k_look
      + "  two:\n    user: bin\n    secrets: [second, both]\n" + k_look);
  expect(0, {"apply", "--yes"}, with_values());
  EXPECT_EQ(pyro({"logs", "one"}, with_values()).out.find("/run/secrets/second 15"), std::string::npos);
  const auto lines = [&](const std::string& service) {
    return pyro({"logs", service}, with_values()).out;
  };
  const auto one = lines("one");
  const auto two = lines("two");
  for (const auto* own :
       {"/run/secrets/first 14", "/run/secrets/both@one 13", "/run/secrets/second 0",
        "/run/secrets/both@two 0"}) {
    EXPECT_NE(one.find(own), std::string::npos) << own << " in " << one;
  }
  for (const auto* own :
       {"/run/secrets/second 15", "/run/secrets/both@two 13", "/run/secrets/first 0",
        "/run/secrets/both@one 0"}) {
    EXPECT_NE(two.find(own), std::string::npos) << own << " in " << two;
  }
  EXPECT_EQ(
      inside("stat -c '%n %a %U' /run/secrets/*").out,
      "/run/secrets/both@one 400 daemon\n/run/secrets/both@two 400 bin\n"
      "/run/secrets/first 400 daemon\n/run/secrets/second 400 bin\n");
  const auto foreign = inside("setpriv --reuid=13 --regid=13 --clear-groups sh -c 'ls /run/secrets; cat "
                              "/run/secrets/* /run/secrets/first /run/secrets/both@two'");
  EXPECT_EQ(foreign.out, "") << foreign;
}

TEST_F(SecretAttacks, SharedByServicesOfOneUserItLiesOnceAndOfARestartedFileNothingStays) {
  spec();
  expect(0, {"apply"});
  if (!has_users()) {
    GTEST_SKIP() << "one user only: no range of ids for us";
  }
  const std::string wait = "    command: sleep 1000\n";
  write_spec(
      "  one:\n    user: daemon\n    secrets: [both]\n" + wait
      + "  two:\n    user: daemon\n    secrets: [both]\n" + wait);
  expect(0, {"apply", "--yes"}, with_values());
  EXPECT_EQ(inside("stat -c '%n %a %U' /run/secrets/*").out, "/run/secrets/both 400 daemon\n");
  write_spec(
      "  one:\n    user: daemon\n    secrets: [both]\n" + wait
      + "  two:\n    user: bin\n    secrets: [both]\n" + wait);
  expect(0, {"apply", "--yes"}, with_values());
  EXPECT_EQ(
      inside("stat -c '%n %a %U' /run/secrets/*").out,
      "/run/secrets/both@one 400 daemon\n/run/secrets/both@two 400 bin\n");
}

TEST_F(SecretAttacks, SecretsGivenByHandAreOfTheDefaultUser) {
  const auto id = json({"workspace", "create", "host", "--secret", "token=value-by-hand"})
                      .at("workspace_id")
                      .get<std::string>();
  const auto run = [&](const std::string& script) {
    return pyro({"workspace", "exec", id, "--", "sh", "-c", script});
  };
  EXPECT_EQ(run("stat -c '%a %U' /run/secrets/token; wc -c < /run/secrets/token").out, "400 root\n13\n");
  if (run("setpriv --reuid=1 --regid=1 --clear-groups true").status == 0) {
    EXPECT_EQ(run("setpriv --reuid=1 --regid=1 --clear-groups cat /run/secrets/token").out, "");
  }
}

} // namespace
} // namespace pyro::testing

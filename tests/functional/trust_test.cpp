// What a pyro.yaml may take from this machine: nothing outside of its checkout before somebody agreed to the
// list. The oracle is the host: a canary that a command would make, and a marker that must lie nowhere in our
// state.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <sys/stat.h>

#include <unistd.h>

namespace pyro::testing {
namespace {

/// A secret of a file that lies outside of the checkout; more of them may follow.
const std::string k_elsewhere = "secrets:\n  e: {file: ../outside/env}\n";

class Trust : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    m_marker = "marker-" + std::to_string(::getpid()) + "-of-the-host";
    write_file(outside() / "file", m_marker + "\n");
    write_file(outside() / "env", "HOSTS=" + m_marker + "\n");
    write_file(outside() / "tree/file", m_marker + "\n");
  }

  fs::path outside() const { return root() / "outside"; }

  fs::path canary() const { return root() / "canary"; }

  std::string command_of_others() const {
    return "touch " + canary().string() + "; cat " + (outside() / "file").string();
  }

  /// `top` at the top level, `service` into a service that lives on.
  void file(
      const std::string& top, const std::string& service = "", const std::string& image = "host",
      const std::string& seed = ".", const fs::path& directory = {}) {
    write_file(
        (directory.empty() ? project() : directory) / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: '" + image + "'}\nseed: {from: '" + seed + "'}\n" + top
            + "services:\n  web:\n    command: exec sleep 1000\n" + service);
  }

  /// What approval was refused for; the host must be as it was.
  Json refused(const Arguments& arguments, const RunOptions& options = {}) {
    auto with_json = arguments;
    with_json.emplace_back("--json");
    const auto result = pyro(with_json, options);
    EXPECT_EQ(result.status, 7) << result;
    expect_untouched();
    const auto document = Json::parse(result.err, nullptr, false);
    EXPECT_TRUE(document.is_object() && document.contains("error")) << result;
    return document.is_object() ? document["error"].value("details", Json::object()) : Json::object();
  }

  void expect_untouched() {
    EXPECT_FALSE(fs::exists(canary())) << "a command of the file was run";
    for (fs::recursive_directory_iterator it(state(), fs::directory_options::skip_permission_denied), end;
         it != end; ++it) {
      if (it->is_regular_file() && !it->is_symlink() && fs::file_size(it->path()) < 4'000'000
          && ::access(it->path().c_str(), R_OK) == 0) {
        EXPECT_EQ(read_file(it->path()).find(m_marker), std::string::npos) << it->path() << " holds it";
      }
    }
  }

  Json only_request(const Json& details) {
    EXPECT_EQ(details.value("requests", Json::array()).size(), 1U) << details;
    return details.value("requests", Json::array()).empty() ? Json::object() : details["requests"][0];
  }

  /// Refused with exactly this, by plan and by apply; then agreed to.
  void refused_then_agreed(
      const std::string& kind, const std::string& what, const std::string& address,
      const RunOptions& options = {}) {
    for (const auto& verb : {Arguments{"plan"}, {"apply", "--yes"}, {"up"}, {"why", "workspace"}}) {
      const auto request = only_request(refused(verb, options));
      EXPECT_EQ(request["kind"], kind) << verb[0];
      EXPECT_EQ(request["what"], what) << verb[0];
      EXPECT_EQ(request["address"], address) << verb[0];
    }
    const auto text = expect(7, {"plan"}, options);
    EXPECT_TRUE(contains(text.err, what)) << text;
    EXPECT_TRUE(contains(text.err, "pyro trust")) << text;
    EXPECT_TRUE(json({"workspace", "list"})["workspaces"].empty()) << "something was made";
    expect(0, {"validate"}, options);
    expect_untouched();
    const auto agreed = expect(0, {"trust"}, options);
    EXPECT_TRUE(contains(agreed.out, what)) << agreed;
  }

  std::string in_service(const std::string& script) { return inside(script).out; }

  std::string m_marker;
};

TEST_F(Trust, ACommandForASecretIsNotRunUnasked) {
  file("secrets: {token: {command: '" + command_of_others() + "'}}\n", "    secrets: [token]\n");
  refused_then_agreed("command", command_of_others(), "secrets.token");
  const auto planned = expect(0, {"plan"});
  EXPECT_TRUE(contains(planned.out, command_of_others())) << "the plan shows what is taken: " << planned;
  EXPECT_FALSE(fs::exists(canary())) << "plan runs nothing";
  expect(0, {"apply"});
  EXPECT_TRUE(fs::exists(canary()));
  EXPECT_EQ(in_service("cat /run/secrets/token | wc -c"), std::to_string(m_marker.size()) + "\n");
}

TEST_F(Trust, AFileElsewhereIsNotReadUnasked) {
  const auto path = (outside() / "file").string();
  file("secrets: {token: {file: ../outside/file}}\n", "    secrets: [token]\n");
  refused_then_agreed("path", path, "secrets.token");
  expect(0, {"apply"});
  EXPECT_EQ(in_service("cat /run/secrets/token | wc -c"), std::to_string(m_marker.size() + 1) + "\n");
}

TEST_F(Trust, PasswordHashesAndTheMachinesSettingsAreAskedFor) {
  file("secrets: {token: {file: /etc/shadow}}\n", "    secrets: [token]\n");
  EXPECT_EQ(only_request(refused({"apply", "--yes"}))["what"], "/etc/shadow");
  file("", "", "host", "/etc");
  EXPECT_EQ(only_request(refused({"apply", "--yes"}))["what"], "/etc");
  EXPECT_EQ(only_request(refused({"plan"}))["address"], "seed.from");
}

TEST_F(Trust, AnEnvFileElsewhereIsNoneAtAll) {
  for (const auto* path : {"../outside/env", "/etc/environment"}) {
    file("", std::string("    env_file: [") + path + "]\n");
    expect(65, {"apply", "--yes", "--trust"});
    expect_untouched();
  }
}

TEST_F(Trust, ASeedElsewhere) {
  file("", "", "host", (outside() / "tree").string());
  refused_then_agreed("path", (outside() / "tree").string(), "seed.from");
  expect(0, {"apply"});
  EXPECT_EQ(in_service("cat /workspace/file"), m_marker + "\n");
}

TEST_F(Trust, AnImageElsewhere) {
  make_busybox_root(root() / "busybox");
  write_file(root() / "busybox/etc/marker", m_marker);
  file("", "", "dir:../busybox");
  refused_then_agreed("path", (root() / "busybox").string(), "environment.image");
  expect(0, {"apply"});
  EXPECT_EQ(in_service("cat /etc/marker"), m_marker);
}

TEST_F(Trust, ImagesElsewhereAreNotEvenLookedFor) {
  for (const auto* kind : {"dir:", "tar:", "oci:", "oci-archive:", "docker-archive:"}) {
    file("", "", std::string(kind) + "../absent");
    EXPECT_EQ(only_request(refused({"apply", "--yes"}))["what"], (root() / "absent").string()) << kind;
    const auto agreed = pyro({"plan"}, {.env = {{"PYRO_TRUST", "1"}}});
    EXPECT_NE(agreed.status, 7) << kind << agreed;
  }
}

TEST_F(Trust, AVariableOfTheCaller) {
  const RunOptions with{.env = {{"HOSTS_OWN", m_marker}}};
  file("labels: {seen: '${env:HOSTS_OWN}'}\n");
  refused_then_agreed("environment", "HOSTS_OWN", "labels.seen", with);
  EXPECT_EQ(json({"config"}, with)["labels"]["seen"], m_marker);
  expect(0, {"trust", "rm"});
  const auto config = expect(7, {"config"}, with);
  EXPECT_EQ(config.all().find(m_marker), std::string::npos) << config;

  file("vars: {seen: {env: HOSTS_OWN, default: x}}\nlabels: {seen: '${seen}'}\n");
  EXPECT_EQ(only_request(refused({"plan"}, with))["address"], "vars.seen.env");
  EXPECT_EQ(json({"config", "--var", "seen=mine"}, with)["labels"]["seen"], "mine")
      << "nothing is asked of it";

  file("secrets: {token: {env: HOSTS_OWN}}\n", "    secrets: [token]\n");
  EXPECT_EQ(only_request(refused({"apply"}, with))["address"], "secrets.token");
  expect(0, {"config"}, with);
}

TEST_F(Trust, AnAddressThatOthersReach) {
  file("", "    ports: ['0.0.0.0:0:8080']\n");
  const auto refusal = pyro({"apply"});
  if (refusal.status == 65) {
    file("", "    ports: ['0.0.0.0:34567:8080']\n");
  }
  EXPECT_EQ(only_request(refused({"apply"}))["kind"], "listen");
  file("", "    ports: ['127.0.0.1:34567:8080']\n");
  expect(0, {"plan"});
}

TEST_F(Trust, WhatADefaultHidesIsAskedAbout) {
  file("", "    ports: ['${env:PYRO_TEST_NOT_SET:-0.0.0.0:34567:8080}']\n");
  EXPECT_EQ(only_request(refused({"apply"}))["what"], "PYRO_TEST_NOT_SET");
  const auto agreed = json({"trust"});
  ASSERT_EQ(agreed["requests"].size(), 2U) << agreed;
  EXPECT_EQ(agreed["requests"][1]["kind"], "listen");
  expect(0, {"plan"});

  file("", "", "${env:PYRO_TEST_NOT_SET:-dir:/etc}");
  const auto wanted = refused({"apply"});
  ASSERT_EQ(wanted["requests"].size(), 2U) << wanted;
  EXPECT_EQ(wanted["requests"][1]["what"], "${env:PYRO_TEST_NOT_SET:-dir:/etc}");
}

TEST_F(Trust, NothingIsAskedInsideOfTheCheckout) {
  write_file(project() / "secrets/key", "inside\n");
  write_file(project() / "config/dev.env", "A=b\n");
  fs::create_symlink("key", project() / "secrets/link");
  file(
      "secrets: {a: {file: ./secrets/key}, b: {file: secrets/link}}\n",
      "    secrets: [a, b]\n    env_file: [config/dev.env]\n");
  expect(0, {"apply"});
  EXPECT_EQ(in_service("wc -c < /run/secrets/b"), "7\n");
  EXPECT_TRUE(json({"trust"})["requests"].empty());
  EXPECT_TRUE(json({"trust", "ls"})["checkouts"].empty());
}

TEST_F(Trust, SymlinksDoNotLeadOutOfTheCheckout) {
  fs::create_symlink(outside() / "file", project() / "absolute");
  fs::create_symlink("../outside/env", project() / "climbing");
  fs::create_symlink("../outside/tree", project() / "tree");
  const auto leads_out = [&](const std::string& what) {
    const auto result = pyro({"apply", "--yes", "--trust"});
    EXPECT_NE(result.status, 0) << what << result;
    EXPECT_TRUE(contains(result.err, "leads out of")) << what << result;
    EXPECT_TRUE(contains(result.err, "pyro.yaml:")) << what << result;
    expect_untouched();
  };
  file("", "    env_file: [climbing]\n");
  leads_out("env_file");
  file("", "", "host", "tree");
  leads_out("seed");
  file("", "", "dir:tree");
  leads_out("image");
  file("secrets: {token: {file: absolute}}\n", "    secrets: [token]\n");
  leads_out("secret");
}

TEST_F(Trust, AnotherListIsAskedAboutAndTheDifferenceIsSaid) {
  file(k_elsewhere);
  expect(0, {"trust"});
  expect(0, {"plan"});
  file(k_elsewhere + "  token: {command: '" + command_of_others() + "'}\n");
  const auto wanted = refused({"plan"});
  EXPECT_EQ(wanted["requests"].size(), 2U);
  ASSERT_EQ(wanted["added"].size(), 1U);
  EXPECT_EQ(wanted["added"][0]["kind"], "command");
  expect(0, {"trust"});
  file("");
  expect(0, {"plan"});
  file(k_elsewhere + "  token: {command: '" + command_of_others() + " '}\n");
  const auto changed = refused({"plan"});
  EXPECT_EQ(changed["added"].size(), 1U) << "one letter more";
  EXPECT_EQ(changed["removed"].size(), 1U);
}

TEST_F(Trust, AProfileHasAListOfItsOwn) {
  file("profiles: {ci: {secrets: {token: {command: '" + command_of_others() + "'}}}}\n");
  expect(0, {"plan"});
  EXPECT_EQ(only_request(refused({"plan", "--profile", "ci"}))["kind"], "command");
  expect(0, {"trust", "--profile", "ci"});
  expect(0, {"plan", "--profile", "ci"});
}

TEST_F(Trust, ItHoldsForThatCheckoutAlone) {
  const auto clone = another_project("clone");
  file(k_elsewhere, "", "host", ".", clone);
  const RunOptions there{.cwd = clone};
  expect(0, {"trust"}, there);
  expect(0, {"plan"}, there);
  file(k_elsewhere);
  EXPECT_FALSE(refused({"plan"}).empty()) << "the same text in another directory";
  fs::rename(clone, root() / "moved");
  EXPECT_FALSE(refused({"plan"}, {.cwd = root() / "moved"}).empty()) << "moved";
  fs::create_directory(clone);
  fs::copy_file(root() / "moved/pyro.yaml", clone / "pyro.yaml");
  EXPECT_FALSE(refused({"plan"}, there).empty()) << "another directory at the same place";
}

TEST_F(Trust, ListedAndTakenBack) {
  file(k_elsewhere);
  EXPECT_FALSE(json({"trust", "--show"})["agreed"].get<bool>());
  EXPECT_FALSE(refused({"plan"}).empty()) << "to look is not to agree";
  expect(0, {"trust"});
  const auto record = state() / "trust";

  struct stat status {};

  for (const auto& entry : fs::directory_iterator(record)) {
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << entry.path();
  }
  const auto listed = json({"trust", "ls"});
  ASSERT_EQ(listed["checkouts"].size(), 1U);
  EXPECT_EQ(listed["checkouts"][0]["checkout"], fs::canonical(project()).string());
  EXPECT_TRUE(contains(expect(0, {"trust", "ls"}).out, (outside() / "env").string()));
  expect(0, {"apply"});
  expect(0, {"trust", "rm", project().string()}, {.cwd = root()});
  EXPECT_TRUE(json({"trust", "ls"})["checkouts"].empty());

  // What is there can be looked at, used and removed; what would take something again is asked about.
  EXPECT_EQ(inside("echo in").out, "in\n");
  EXPECT_EQ(json({"status"})["state"], "started");
  expect(0, {"diff"});
  expect(0, {"stop"});
  for (const auto& verb : {Arguments{"start"}, {"reset", "--yes"}, {"fork", "other"}, {"apply", "--yes"}}) {
    const auto result = pyro(verb);
    EXPECT_EQ(result.status, 7) << verb[0] << result;
  }
  expect(0, {"destroy", "--yes"});
}

TEST_F(Trust, WhoAgreesAndWhoDoesNot) {
  file("secrets: {token: {command: '" + command_of_others() + "'}}\n");
  refused({"plan", "--yes"});
  refused({"plan"}, {.env = {{"CI", "true"}}});
  refused({"plan"}, {.env = {{"PYRO_TRUST", "0"}}});
  refused({"plan"}, {.env = {{"PYRO_YES", "1"}}});
  expect(0, {"plan"}, {.env = {{"PYRO_TRUST", "1"}}});
  EXPECT_TRUE(json({"trust", "ls"})["checkouts"].empty()) << "for one call";
  refused({"plan"});
  expect(64, {"plan"}, {.env = {{"PYRO_TRUST", "perhaps"}}});
  expect(0, {"plan", "--trust"});
  expect(0, {"plan"});
}

TEST_F(Trust, TheCallersOwnWordsNeedNoAgreement) {
  const auto made = expect(
      0, {"workspace", "create", "host", "--seed-path", (outside() / "tree").string(), "--secret-file",
          "token=" + (outside() / "env").string(), "--name", "by-hand", "--id-only"});
  EXPECT_EQ(expect(0, {"workspace", "exec", "by-hand", "--", "cat", "file"}).out, m_marker + "\n");
  expect(0, {"workspace", "delete", "by-hand"});
}

TEST_F(Trust, ControlCharactersOfTheListAreShownAsText) {
  file("secrets: {token: {command: \"true\\e[2K\\rharmless\"}}\n");
  const auto result = pyro({"plan"});
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.all().find('\x1b'), std::string::npos) << result;
  EXPECT_EQ(expect(0, {"trust"}).all().find('\x1b'), std::string::npos);
}

TEST_F(Trust, AnotherDirectoryInThePlaceOfTheAgreedOneIsAskedAboutAgain) {
  const auto agree_to = [&](const std::string& does) {
    file("secrets: {t: {command: ./token}}\n", "    secrets: [t]\n");
    write_file(project() / "token", "#!/bin/sh\n" + does + "\n");
    fs::permissions(project() / "token", fs::perms::owner_all);
  };
  agree_to("echo mine");
  expect(0, {"trust"});
  expect(0, {"plan"});
  // As somebody does who removes a clone and makes another there: file systems give its number out again.
  fs::remove_all(project());
  agree_to("touch " + canary().string());
  expect(7, {"apply", "--yes"});
  EXPECT_FALSE(fs::exists(canary()));
}

} // namespace
} // namespace pyro::testing

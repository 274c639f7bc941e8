// pyro.lock of images that no registry has: archives and layouts on disk, and Debian built of its packages.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>

namespace pyro::testing {
namespace {

class LockHere : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    m_options.env = {{"PYRO_TRUST", "1"}, {"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()}};
  }

  void file(const std::string& image, const std::string& body = "") {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nseed: {from: seed}\nenvironment:\n  image: '" + image + "'\n" + body);
    fs::create_directories(project() / "seed");
  }

  fs::path tree(const std::string& version) {
    const auto directory = root() / "tree";
    fs::remove_all(directory);
    make_busybox_root(directory);
    write_file(directory / "version", version + "\n");
    return directory;
  }

  void archive(const std::string& version) {
    ASSERT_EQ(
        command({"tar", "-C", tree(version).string(), "-cf", (project() / "root.tar").string(), "."}).status,
        0);
  }

  void layout(const std::string& version) {
    fs::remove_all(project() / "image");
    umoci({"init", "--layout", "image"});
    umoci({"new", "--image", "image:app"});
    umoci({"insert", "--image", "image:app", tree(version).string(), "/"});
  }

  /// Of the packages that Debian's mirror has: a program in its builder's place makes a root with a version.
  void debian(const std::string& version) {
    const auto from = tree(version);
    write_file(
        from / "var/lib/dpkg/status",
        "Package: base-files\nStatus: install ok installed\nVersion: " + version + "\nArchitecture: all\n");
    fs::create_directories(from / "dev");
    const auto program = root() / "bin/mmdebstrap";
    write_file(
        program,
        "#!/bin/sh\nwhile [ \"$1\" != bookworm ]; do shift; done\ncp -a " + from.string() + "/. \"$2\"\n");
    fs::permissions(program, fs::perms(0755));
    m_options.env["PATH"] = program.parent_path().string() + ":" + std::string(::getenv("PATH"));
  }

  std::string locked(const std::string& name) {
    return string_or(Json::parse(read_file(project() / "pyro.lock")).at("images"), name.c_str(), "");
  }

  Result expect_run(int status, const Arguments& arguments) { return expect(status, arguments, m_options); }

  /// It names the image, what the lock has and what is here, and the way out.
  void refuses(const std::string& name, const std::string& wanted) {
    for (const auto* command : {"plan", "apply"}) {
      const auto result = expect_run(65, {command});
      EXPECT_TRUE(contains(result.err, "pyro.yaml:5:")) << result;
      EXPECT_TRUE(contains(result.err, name)) << result;
      EXPECT_TRUE(contains(result.err, wanted)) << result;
      EXPECT_NE(result.err.find("sha256:"), result.err.rfind("sha256:")) << "both are told" << result;
      EXPECT_TRUE(contains(result.err, "pyro lock --upgrade")) << result;
    }
  }

  /// Another checkout on this machine wants what there is today.
  void build_elsewhere() {
    auto options = m_options;
    options.cwd = root() / "other";
    fs::create_directories(options.cwd);
    fs::copy_file(project() / "pyro.yaml", options.cwd / "pyro.yaml", fs::copy_options::overwrite_existing);
    expect(0, {"lock", "--upgrade"}, options);
  }

  std::string version_inside() { return inside("cat /version", m_options).out; }

  RunOptions m_options;
};

TEST_F(LockHere, AnArchiveIsHeldToItsBytes) {
  archive("old");
  file("tar:./root.tar");
  expect_run(0, {"apply"});
  EXPECT_FALSE(fs::exists(project() / "pyro.lock")) << "nothing was fetched: nobody has asked for one";
  expect_run(0, {"lock"});
  const auto digest = "sha256:" + sha256_of(read_file(project() / "root.tar"));
  EXPECT_EQ(locked("tar:root.tar"), digest);
  EXPECT_TRUE(json({"plan"}, m_options)["plan"]["empty"].get<bool>()) << "the lock changes nothing";
  EXPECT_NE(get_string(json({"plan"}, m_options)["plan"], "lock_digest"), "");

  archive("new");
  refuses("tar:root.tar", digest);
  EXPECT_EQ(version_inside(), "old\n") << "nothing was done";
  expect_run(0, {"lock"});
  refuses("tar:root.tar", digest);
  const auto upgraded = json({"lock", "--upgrade"}, m_options);
  EXPECT_EQ(upgraded["images"][0]["before"], digest);
  expect_run(0, {"apply", "--yes"});
  EXPECT_EQ(version_inside(), "new\n");
}

TEST_F(LockHere, ALayoutIsHeldToWhatItHasUnderTheTag) {
  layout("old");
  file("oci:image:app");
  expect_run(0, {"lock"});
  const auto index = Json::parse(read_file(project() / "image/index.json"));
  const auto digest = get_string(index["manifests"][0], "digest");
  EXPECT_EQ(locked("oci:image:app"), digest);
  expect_run(0, {"apply"});
  layout("new");
  refuses("oci:image:app", digest);
  expect_run(0, {"lock", "--upgrade"});
  expect_run(0, {"apply", "--yes"});
  EXPECT_EQ(version_inside(), "new\n");
}

TEST_F(LockHere, DebianIsHeldToItsPackages) {
  debian("12.1");
  file("debian:12-base");
  EXPECT_TRUE(contains(expect_run(0, {"apply"}).err, "`pyro lock` writes down which"));
  const auto name = get_string(json({"lock"}, m_options)["images"][0], "image");
  EXPECT_TRUE(name.starts_with("debian:12-base linux/")) << name;
  const auto old = locked(name);

  debian("12.2");
  EXPECT_TRUE(json({"plan"}, m_options)["plan"]["empty"].get<bool>()) << "what is built stays";
  build_elsewhere();
  refuses(name, old);
  debian("12.1");
  build_elsewhere();
  EXPECT_TRUE(json({"plan"}, m_options)["plan"]["empty"].get<bool>()) << "the same packages fit again";

  debian("12.3");
  const auto upgraded = json({"lock", "--upgrade"}, m_options);
  EXPECT_EQ(upgraded["images"][0]["before"], old);
  EXPECT_NE(upgraded["images"][0]["digest"], old);
  expect_run(0, {"apply", "--yes"});
  EXPECT_EQ(version_inside(), "12.3\n") << "--upgrade has built it anew";
}

/// Somebody else's checkout, on another day: the first build is compared as soon as it is there.
TEST_F(LockHere, ADebianOfOtherPackagesIsRefusedWhenItIsBuilt) {
  debian("12.1");
  file("debian:12-base");
  expect_run(0, {"lock"});
  const auto lock = read_file(project() / "pyro.lock");
  expect_run(0, {"env", "remove", "debian:12-base"});
  debian("12.2");
  const auto result = expect_run(65, {"apply"});
  EXPECT_TRUE(contains(result.err, "pyro lock --upgrade")) << result;
  EXPECT_EQ(read_file(project() / "pyro.lock"), lock);
  EXPECT_TRUE(workspace_ids().empty());
}

TEST_F(LockHere, WhatCannotBeLockedIsNamed) {
  file(
      "host", "  setup:\n    - {id: open, run: 'true'}\n    - {id: closed, run: 'true', egress: none}\n"
              "network: {egress: none}\nprepare: [{id: make, run: 'true'}]\n");
  const auto done = json({"lock"}, m_options);
  std::string addresses;
  for (const auto& each : done["unlocked"]) {
    addresses += get_string(each, "address") + " ";
  }
  EXPECT_EQ(addresses, "environment.image environment.setup.open ") << done;
  EXPECT_TRUE(contains(expect_run(0, {"lock"}).err, "Not locked: environment.setup.open: it may fetch"));
}

TEST_F(LockHere, WhatTheLockLacksIsAnError) {
  archive("old");
  file("tar:root.tar");
  write_file(project() / "pyro.lock", R"({"version": 1, "images": {}})");
  const auto result = expect_run(65, {"plan"});
  EXPECT_TRUE(contains(result.err, "has no tar:root.tar") && contains(result.err, "`pyro lock`")) << result;
  expect_run(0, {"lock"});
  expect_run(0, {"apply"});
}

} // namespace
} // namespace pyro::testing

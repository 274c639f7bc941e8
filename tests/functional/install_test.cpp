// What `cmake --install` and the Debian packages put in place works from there.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/text.hpp>

namespace pyro::testing {
namespace {

class Install : public Functional {
protected:
  /// Our build's files below a prefix of this test.
  fs::path install() {
    const auto prefix = root() / "prefix";
    const auto done =
        command({"cmake", "--install", binary_dir().string(), "--prefix", prefix.string()}, {.cwd = root()});
    EXPECT_EQ(done.status, 0) << done;
    return prefix;
  }

  bool is_our_build() {
    return ::access((binary_dir() / "install_manifest.txt").c_str(), W_OK) == 0
           || ::access(binary_dir().c_str(), W_OK) == 0;
  }

  /// examples/c, compiled as its first lines say with what lies below `prefix`, and run.
  void tell_the_story_in_c(const fs::path& prefix) {
    fs::path libraries;
    for (const auto& entry : fs::recursive_directory_iterator(prefix)) {
      if (entry.path().filename() == "libpyro.so.0") {
        libraries = entry.path().parent_path();
      }
    }
    RunOptions options{
        .env = {
            {"PKG_CONFIG_PATH", (libraries / "pkgconfig").string()},
            {"PKG_CONFIG_ALLOW_SYSTEM_CFLAGS", "1"},
            {"LD_LIBRARY_PATH", libraries.string()}}};
    EXPECT_EQ(command({"pkg-config", "--modversion", "pyro"}, options).out, version() + "\n");
    const auto flags = command({"pkg-config", "--cflags", "--libs", "pyro"}, options).out;
    EXPECT_TRUE(contains(flags, "-lpyro")) << flags;
    copy_example("c", project());
    const auto compiled = command(
        {"sh", "-c", "cc -Wall -Wextra -Werror -o story story.c $(pkg-config --cflags --libs pyro)"},
        options);
    ASSERT_EQ(compiled.status, 0) << compiled;
    EXPECT_TRUE(contains(flags, prefix.filename().string())) << flags;

    make_busybox_root(project() / "image");
    const auto told = command({"./story", "dir:" + (project() / "image").string()}, options);
    ASSERT_EQ(told.status, 0) << told;
    EXPECT_TRUE(contains(told.out, "libpyro " + version())) << told;
    EXPECT_TRUE(
        contains(told.out, R"(as it is written: {"address":"","data":null,"kind":"stdout","text":"one\n"})"))
        << told;
    const auto broken = told.out.find("workspace_diff");
    const auto reset = told.out.rfind("workspace_diff");
    EXPECT_TRUE(contains(told.out.substr(broken, reset - broken), R"("path":"junk")")) << told;
    EXPECT_FALSE(contains(told.out.substr(reset), "junk")) << told;
    EXPECT_EQ(read_file(project() / "exported.txt"), "one\n");
  }

  /// The wheel in a fresh environment, beside the `pyro` that lies below `prefix` and its library.
  void tell_the_story_in_python(const fs::path& prefix) {
    const auto run = [&](const Arguments& words, RunOptions options = {}) {
      options.env["PIP_CONFIG_FILE"] = "/dev/null";
      options.env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1";
      options.env["PATH"] = (prefix / "usr/bin").string() + ":" + std::getenv("PATH");
      options.env["LD_LIBRARY_PATH"] = ""; // else the loader's would be taken first
      auto done = command(words, options);
      EXPECT_EQ(done.status, 0) << done;
      return done.out;
    };
    const auto sources = root() / "sdk";
    fs::copy(source_dir() / "sdk/python", sources, fs::copy_options::recursive);
    run(
        {"/usr/bin/python3", "-m", "pip", "wheel", "--no-index", "--no-build-isolation", "--no-deps",
         "--wheel-dir", (root() / "dist").string(), sources.string()});
    const fs::directory_iterator wheel(root() / "dist");
    ASSERT_NE(wheel, fs::directory_iterator());
    const auto venv = root() / "venv";
    run({"/usr/bin/python3", "-m", "venv", "--without-pip", venv.string()});
    const auto python = (venv / "bin/python").string();
    run(
        {"/usr/bin/python3", "-m", "pip", "--python", python, "install", "--no-index",
         wheel->path().string()});
    const std::string program = "import sys, pyro_mcp\n"
                                "pyro = pyro_mcp.Pyro()\n"
                                "print(pyro_mcp.__file__, pyro._calls.library().path)\n"
                                "with pyro.workspace(sys.argv[1]) as ws:\n"
                                "    ws.exec('echo one > kept')\n"
                                "    ws.create_snapshot('good')\n"
                                "    ws.exec('rm kept')\n"
                                "    ws.reset('good')\n"
                                "    print(ws.exec('cat kept')['stdout'], end='')\n";
    const auto told = run({python, "-I", "-c", program, "dir:" + (project() / "image").string()});
    EXPECT_TRUE(contains(told, venv.string() + "/lib/python")) << told;
    EXPECT_TRUE(contains(told, " " + prefix.string() + "/usr/lib/")) << told;
    EXPECT_TRUE(told.ends_with("\none\n")) << told;
  }

  std::string version() { return json({"version"})["version"]; }
};

TEST_F(Install, TheInstalledProgramWorksFromItsPlace) {
  if (!is_our_build()) {
    GTEST_SKIP() << "cmake --install writes its list into the build, which belongs to somebody else";
  }
  const auto prefix = install();
  for (const auto* path :
       {"bin/pyro", "libexec/pyro/pyro-supervisor", "libexec/pyro/pyro-supervisor-firecracker",
        "libexec/pyro/pyro-agent", "libexec/pyro/pyro-launcher", "libexec/pyro/pyro-node"}) {
    EXPECT_TRUE(fs::exists(prefix / path)) << path;
  }
  bin = prefix / "bin";
  spec();
  write_file(project() / "a.txt", "one\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat a.txt").out, "one\n");
  expect(0, {"destroy", "--yes", "--snapshots"});
  bin = binary_dir() / "bin";
}

TEST_F(Install, AProgramInCIsCompiledAgainstTheInstalledLibrary) {
  if (!is_our_build()) {
    GTEST_SKIP() << "cmake --install writes its list into the build, which belongs to somebody else";
  }
  const auto prefix = install();
  tell_the_story_in_c(prefix);
}

TEST_F(Install, TheDebianPackagesHoldTheirPartsAndNameWhatTheyNeed) {
  if (::access(binary_dir().c_str(), W_OK) != 0) {
    GTEST_SKIP() << "cpack writes into the build, which belongs to somebody else";
  }
  const auto packed = command({"cpack", "-G", "DEB", "-B", (root() / "deb").string()}, {.cwd = binary_dir()});
  ASSERT_EQ(packed.status, 0) << packed;
  std::map<std::string, fs::path> packages;
  for (const auto& entry : fs::directory_iterator(root() / "deb")) {
    if (const auto name = entry.path().filename().string(); entry.path().extension() == ".deb") {
      packages[name.substr(0, name.find('_'))] = entry.path();
    }
  }
  const std::map<std::string, std::vector<std::string>> fields{
      {"pyro", {"Package: pyro\n", "libc6", "uidmap", "passt", "mmdebstrap", "Section: devel"}},
      {"libpyro0",
       {"Package: libpyro0\n", "pyro (= " + version() + ")", "libc6", "libgcc-s1", "Section: libs"}},
      {"libpyro-dev", {"Package: libpyro-dev\n", "libpyro0 (= " + version() + ")", "Section: libdevel"}}};
  const std::map<std::string, std::vector<std::string>> content{
      {"pyro", {"/usr/bin/pyro\n", "/usr/libexec/pyro/pyro-launcher\n", "/usr/share/pyro/apparmor/pyro\n"}},
      {"libpyro0", {"/libpyro.so.0 -> libpyro.so.0.", "/libpyro.so.0."}},
      {"libpyro-dev",
       {"/usr/include/pyro/pyro.h\n", "/pkgconfig/pyro.pc\n", "/libpyro.so -> libpyro.so.0\n"}}};
  ASSERT_EQ(packages.size(), fields.size()) << packed;
  const auto unpacked = root() / "unpacked";
  std::set<std::string> seen;
  for (const auto& [name, file] : packages) {
    ASSERT_TRUE(fields.contains(name)) << name;
    const auto control = command({"dpkg-deb", "--info", file.string()}).out;
    for (const auto& part : fields.at(name)) {
      EXPECT_TRUE(contains(control, part)) << part << " is not in " << control;
    }
    const auto list = command({"dpkg-deb", "--contents", file.string()}).out;
    for (const auto& part : content.at(name)) {
      EXPECT_TRUE(contains(list, part)) << part << " is not in " << name << ": " << list;
    }
    for (const auto& line : lines_of(list)) {
      const auto path = std::string(line.substr(line.rfind(" ./") + 1));
      EXPECT_TRUE(path.ends_with('/') || seen.insert(path).second) << path << " is in two packages";
    }
    ASSERT_EQ(command({"dpkg-deb", "-x", file.string(), unpacked.string()}).status, 0);
  }
  for (const auto* script : {"postinst", "prerm"}) {
    const auto carried = command({"dpkg-deb", "--info", packages["pyro"].string(), script});
    EXPECT_TRUE(contains(carried.out, "/etc/apparmor.d/pyro")) << carried;
  }
  const auto installed = command({"dpkg-deb", "--info", packages["libpyro0"].string(), "postinst"});
  EXPECT_TRUE(contains(installed.out, "ldconfig")) << installed;

  bin = unpacked / "usr/bin";
  spec();
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo works").out, "works\n");
  expect(0, {"destroy", "--yes", "--snapshots"});
  bin = binary_dir() / "bin";
  tell_the_story_in_c(unpacked);
  tell_the_story_in_python(unpacked);
}

class AppArmor : public Functional {
protected:
  /// `parser` (with the words before it) compiles it, and calls it pyro.
  void expect_profile(Arguments parser, const fs::path& profile) {
    parser.insert(parser.end(), {"--skip-kernel-load", "--skip-cache", profile.string()});
    const auto compiled = command(parser);
    EXPECT_EQ(compiled.status, 0) << compiled;
    parser.emplace_back("--names");
    EXPECT_EQ(command(parser).out, "pyro\n") << compiled;
  }

  std::string profile() { return read_file(source_dir() / "cmake/debian/apparmor-profile"); }
};

/// Debian 12 has AppArmor 3.0, which knows all of the profile but the rule that it is for.
TEST_F(AppArmor, TheProfileIsOneButForTheRuleOfNewerOnes) {
  const std::string parser = "/usr/sbin/apparmor_parser";
  if (!fs::exists(parser)) {
    GTEST_SKIP() << "apparmor is not installed";
  }
  auto text = profile();
  const auto replace = [&](const std::string& from, const std::string& to) {
    ASSERT_TRUE(contains(text, from)) << text;
    text.replace(text.find(from), from.size(), to);
  };
  replace("abi/4.0", "abi/3.0");
  replace("  userns,\n", "");
  write_file(root() / "pyro", text);
  expect_profile({parser}, root() / "pyro");
}

using NetworkAppArmor = AppArmor;

TEST_F(NetworkAppArmor, TheProfileIsReadByAnAppArmorThatKnowsItsRule) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "root unpacks the newer parser; what it says does not depend on who asks";
  }
  if (const auto reason = why_no_network(); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const auto newer = root() / "newer";
  const auto made =
      command({"mmdebstrap", "--quiet", "--variant=extract", "--include=apparmor", "trixie", newer.string()});
  ASSERT_EQ(made.status, 0) << made;
  write_file(newer / "etc/apparmor.d/pyro", profile());
  expect_profile(
      {newer / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", newer / "usr/lib/x86_64-linux-gnu",
       newer / "usr/sbin/apparmor_parser", "--base", newer / "etc/apparmor.d"},
      newer / "etc/apparmor.d/pyro");
}

} // namespace
} // namespace pyro::testing

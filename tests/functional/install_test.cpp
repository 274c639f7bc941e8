// What `cmake --install` and the Debian package put in place works from there.
#include "../support/home.hpp"

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
};

TEST_F(Install, TheInstalledProgramWorksFromItsPlace) {
  if (::access((binary_dir() / "install_manifest.txt").c_str(), W_OK) != 0
      && ::access(binary_dir().c_str(), W_OK) != 0) {
    GTEST_SKIP() << "cmake --install writes its list into the build, which belongs to somebody else";
  }
  const auto prefix = install();
  for (const auto* path :
       {"bin/pyro", "libexec/pyro/pyro-supervisor", "libexec/pyro/pyro-supervisor-firecracker",
        "libexec/pyro/pyro-agent"}) {
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

TEST_F(Install, TheDebianPackageNamesWhatItNeeds) {
  if (::access(binary_dir().c_str(), W_OK) != 0) {
    GTEST_SKIP() << "cpack writes into the build, which belongs to somebody else";
  }
  const auto packed = command({"cpack", "-G", "DEB", "-B", (root() / "deb").string()}, {.cwd = binary_dir()});
  ASSERT_EQ(packed.status, 0) << packed;
  fs::path file;
  for (const auto& entry : fs::directory_iterator(root() / "deb")) {
    if (entry.path().extension() == ".deb") {
      file = entry.path();
    }
  }
  ASSERT_FALSE(file.empty()) << packed;
  const auto control = command({"dpkg-deb", "--info", file.string()}).out;
  for (const auto* part : {"Package: pyro", "libc6", "uidmap", "passt", "mmdebstrap"}) {
    EXPECT_NE(control.find(part), std::string::npos) << control;
  }
  const auto unpacked = root() / "unpacked";
  ASSERT_EQ(command({"dpkg-deb", "-x", file.string(), unpacked.string()}).status, 0);
  bin = unpacked / "usr/bin";
  spec();
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo works").out, "works\n");
  expect(0, {"destroy", "--yes", "--snapshots"});
  bin = binary_dir() / "bin";
}

} // namespace
} // namespace pyro::testing

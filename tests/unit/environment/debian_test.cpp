// Builds Debian from its packages: minutes and a network, so only with PYRO_TEST_NETWORK=1 (CTest label
// "network").
#include "fixture.hpp"

#include <pyro/os/clock.hpp>
#include <pyro/os/process.hpp>

#include <pwd.h>

namespace pyro::environment {

class DebianBuild : public EnvironmentTest {
protected:
  void SetUp() override {
    if (!std::getenv("PYRO_TEST_NETWORK")) {
      GTEST_SKIP() << "needs the network: set PYRO_TEST_NETWORK=1";
    }
  }
};

TEST_F(DebianBuild, FromPackages) {
  const char* image = std::getenv("PYRO_TEST_IMAGE") ? std::getenv("PYRO_TEST_IMAGE") : "debian:12-base";
  auto all = environments();
  const auto pulled = all.pull(image, "/");
  std::printf(
      "%s: %s in %ld ms, layer %s, %s bytes, %s files\n", image, pulled["status"].dump().c_str(),
      pulled["duration_ms"].get<long>(), pulled["layers"][0].dump().c_str(),
      pulled["size_bytes"].dump().c_str(), pulled["entry_count"].dump().c_str());
  EXPECT_GT(m_lines.size(), 20U);
  const auto environment = all.resolve(image, "/", RegistryAccess::anonymous);
  EXPECT_EQ(environment.digest, pulled["digest"]);
  EXPECT_TRUE(environment.host_dirs.empty());
  EXPECT_GT(environment.details["package_count"], 50);
  EXPECT_NE(environment.details["packages"].dump().find("\"dpkg\""), std::string::npos);
  EXPECT_EQ(status_inside(layer_path(environment, "usr/bin/su")).st_mode & 07777, 04755U);
  EXPECT_EQ(status_inside(layer_path(environment, "etc/shadow")).st_gid, 42U);
  EXPECT_EQ(status_inside(layer_path(environment, "dev/null")).st_mode & S_IFMT, 0U);
  EXPECT_EQ(status_inside(layer_path(environment, "etc/machine-id")).st_mode & 07777, 0444U);
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
  EXPECT_EQ(all.pull(image, "/")["status"], "present");
  if (const char* report = std::getenv("PYRO_TEST_LIST")) {
    const auto names =
        os::run({{"find", m_layers.tree(environment.layers[0]), "-printf", "%P %m %U %G %s\n"}}).out;
    os::write_all(os::open_file(report, O_WRONLY | O_CREAT | O_TRUNC, 0644).get(), names);
  }
}

} // namespace pyro::environment

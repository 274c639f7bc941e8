#include "fixture.hpp"

#include <pyro/workspace/environment_debian.hpp>

namespace pyro::workspace {

TEST(Image, IsTakenApart) {
  EXPECT_EQ(parse_image("host", "/x").kind, ImageKind::host);
  EXPECT_EQ(parse_image("dir:../root/", "/x/y").path, "/x/root");
  EXPECT_EQ(parse_image("dir:/abs/./p", "/x").canonical(), "dir:/abs/p");
  EXPECT_EQ(parse_image("tar:a.tar", "/x").path, "/x/a.tar");
  EXPECT_EQ(parse_image("debian:12-build", "/x").variant, "build");
  EXPECT_EQ(parse_image("debian:12", "/x").variant, "");
}

TEST(Image, RegistriesAreRefusedWithWhatWorks) {
  for (const auto* image : {"node:22", "debian:12-slim", "docker.io/library/alpine:3", "oci:./x"}) {
    try {
      parse_image(image, "/");
      FAIL() << image;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unavailable);
      EXPECT_NE(error.hint().find("debian:12"), std::string::npos);
    }
  }
  EXPECT_THROW(parse_image("dir:", "/"), Error);
  EXPECT_THROW(parse_image("", "/"), Error);
}

TEST(Debian, OnlyInstalledPackagesCount) {
  const auto packages =
      installed_packages("Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"
                         "Description: x\n Package: no\n\n"
                         "Package: b\nStatus: deinstall ok config-files\nVersion: 2\n\n"
                         "Package: c\nVersion: 3:1-2\nStatus: install ok installed\n");
  ASSERT_EQ(packages.size(), 2U);
  EXPECT_EQ(packages[0]["name"], "a");
  EXPECT_EQ(packages[0]["architecture"], "all");
  EXPECT_EQ(packages[1]["version"], "3:1-2");
}

class DebianSources : public EnvironmentTest {};

TEST_F(DebianSources, OwnSourcesOfTheSameReleaseOnly) {
  write("h/etc/os-release", "NAME=x\nID=debian\nVERSION_CODENAME=bookworm\n");
  write(
      "h/etc/apt/sources.list",
      "deb [arch=amd64 signed-by=/k.gpg] http://one.example/debian bookworm main contrib # c\n"
      "deb-src http://one.example/debian bookworm main\n"
      "deb http://u:secret@two.example/debian bookworm main\n"
      "deb http://three.example/debian trixie main\n");
  write("h/etc/apt/sources.list.d/x.list", "deb https://vendor.example/debian bookworm stable\n");
  write(
      "h/etc/apt/sources.list.d/y.sources",
      "Types: deb deb-src\nURIs: http://four.example/debian\n"
      "Suites: bookworm bookworm-updates\nComponents: main\n\n"
      "Enabled: no\nTypes: deb\nURIs: http://five.example\nSuites: bookworm\n"
      "Components: main\n");
  EXPECT_EQ(
      debian_sources(path("h")), "deb [signed-by=/k.gpg] http://one.example/debian bookworm main\n"
                                 "deb http://four.example/debian bookworm main\n"
                                 "deb http://four.example/debian bookworm-updates main\n");
  write("h/etc/os-release", "NAME=x\nID=ubuntu\nVERSION_CODENAME=jammy\n");
  EXPECT_EQ(debian_sources(path("h")), "");
}

class DebianTools : public EnvironmentTest {};

TEST_F(DebianTools, MissingMmdebstrapIsSaid) {
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  auto environment = environments();
  try {
    environment.resolve("debian:12-base", "/");
    ADD_FAILURE() << "built without mmdebstrap";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_EQ(error.hint(), "apt install mmdebstrap");
  }
  ::setenv("PATH", before.c_str(), 1);
  EXPECT_FALSE(environment.fingerprint("debian:12-base", "/"));
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
}

} // namespace pyro::workspace

#include "fixture.hpp"

#include <pyro/environment/debian.hpp>
#include <pyro/environment/skopeo.hpp>

namespace pyro::environment {

TEST(Image, IsTakenApart) {
  EXPECT_EQ(parse_image("host", "/x").kind, ImageKind::host);
  EXPECT_EQ(parse_image("dir:../root/", "/x/y").path, "/x/root");
  EXPECT_EQ(parse_image("dir:/abs/./p", "/x").canonical(), "dir:/abs/p");
  EXPECT_EQ(parse_image("tar:a.tar", "/x").path, "/x/a.tar");
  EXPECT_EQ(parse_image("debian:12-build", "/x").variant, "build");
  EXPECT_EQ(parse_image("debian:12", "/x").variant, "");
}

TEST(PrivateRegistry, IsWhatHasNoNameInPublic) {
  for (const auto* name :
       {"localhost/a:1", "LOCALHOST:5000/a:1", "127.0.0.1:5000/a", "10.1.2.3/a", "8.8.8.8/a", "127.1/a",
        "2130706433:5000/a", "0x7f.0.0.1:5000/a", "0x7f000001:5000/a", "[::1]:5000/a", "[2001:db8::1]/a",
        "registry:5000/a", "x.localhost/a", "x.localhost.:5000/a", "x.LOCAL/a", "registry.corp.internal/a",
        "nas.home.arpa:5000/a"}) {
    EXPECT_TRUE(is_private_registry(name)) << name;
  }
  for (const auto* name :
       {"docker.io/library/alpine:3", "ghcr.io/a/b", "registry.example.com:5000/localhost/a:1",
        "registry.k8s.io/pause", "local.example/a"}) {
    EXPECT_FALSE(is_private_registry(name)) << name;
  }
}

TEST(Image, NamesOfRegistriesAreCompleted) {
  const auto name = [](const std::string& image) {
    const auto reference = parse_image(image, "/");
    EXPECT_EQ(reference.kind, ImageKind::registry) << image;
    return reference.canonical();
  };
  const std::string digest = "@sha256:" + std::string(64, 'a');
  EXPECT_EQ(name("alpine"), "docker://docker.io/library/alpine:latest");
  EXPECT_EQ(name("node:22"), "docker://docker.io/library/node:22");
  EXPECT_EQ(name("debian:12-slim"), "docker://docker.io/library/debian:12-slim");
  EXPECT_EQ(name("docker://debian:12"), "docker://docker.io/library/debian:12");
  EXPECT_EQ(name("team/app"), "docker://docker.io/team/app:latest");
  EXPECT_EQ(name("docker.io/library/alpine:3"), "docker://docker.io/library/alpine:3");
  EXPECT_EQ(name("registry.example/a/b-c:1"), "docker://registry.example/a/b-c:1");
  EXPECT_EQ(name("localhost/app:1"), "docker://localhost/app:1");
  EXPECT_EQ(name("localhost:5000/app"), "docker://localhost:5000/app:latest");
  EXPECT_EQ(name("[::1]:5000/app"), "docker://[::1]:5000/app:latest");
  EXPECT_EQ(name("registry.example/app:1" + digest), "docker://registry.example/app" + digest);
}

TEST(Image, LayoutsAndArchivesMayHaveTags) {
  EXPECT_EQ(parse_image("oci:image", "/x").path, "/x/image");
  EXPECT_EQ(parse_image("oci:image", "/x").variant, "");
  EXPECT_EQ(parse_image("oci:../image:1.0", "/x/y").canonical(), "oci:/x/image:1.0");
  EXPECT_EQ(parse_image("oci:/a:b/c", "/").path, "/a:b/c") << "a colon before a slash is of the path";
  EXPECT_EQ(parse_image("oci:/a:b/", "/").path, "/a:b");
  EXPECT_EQ(parse_image("oci-archive:a.tar:t", "/").kind, ImageKind::oci_archive);
  EXPECT_EQ(parse_image("docker-archive:a.tar", "/x").canonical(), "docker-archive:/x/a.tar");
}

TEST(Image, ALockKnowsItByANameThatIsTheSameInEveryCheckout) {
  const auto name = [](const std::string& image) {
    const auto locked = lock_name(image, "/checkout");
    EXPECT_EQ(locked.by_digest, locked.name.starts_with("docker.io/")) << image;
    return locked.name;
  };
  EXPECT_EQ(name("alpine"), "docker.io/library/alpine:latest");
  EXPECT_EQ(name("tar:./a/../root.tar"), "tar:root.tar");
  EXPECT_EQ(name("tar:../root.tar"), "tar:../root.tar");
  EXPECT_EQ(name("tar:/srv/./root.tar"), "tar:/srv/root.tar");
  EXPECT_EQ(name("oci:image:app"), "oci:image:app");
  EXPECT_EQ(name("oci-archive:./image.tar:app"), "oci-archive:image.tar:app");
  EXPECT_EQ(name("docker-archive:image.tar"), "docker-archive:image.tar");
  EXPECT_TRUE(name("debian:12-build").starts_with("debian:12-build linux/"));
  for (const auto& image : {std::string("host"), std::string("dir:root")}) {
    EXPECT_EQ(name(image), "");
    EXPECT_NE(lock_name(image, "/checkout").why_not, "") << image;
  }
  EXPECT_EQ(name("alpine@sha256:" + std::string(64, 'a')), "");
  EXPECT_EQ(lock_name("alpine@sha256:" + std::string(64, 'a'), "/").why_not, "") << "it is held by its name";
}

TEST(Debian, ADigestOfPackagesIsOverWhatIsInstalledAndNotOverTheirOrder) {
  const auto digest = [](const std::string& one, const std::string& other) {
    const auto package = [](const std::string& name) {
      return "Package: " + name + "\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n";
    };
    return digest_of_packages(installed_packages(package(one) + package(other)));
  };
  EXPECT_EQ(digest("a", "b"), digest("b", "a"));
  EXPECT_NE(digest("a", "b"), digest("a", "c"));
}

TEST(Image, WhatIsNoneIsRefusedWithWhatWorks) {
  for (const auto* image :
       {"dri:./x", "UPPER", "a b", "a//b", "a:", "-x", "a@sha256:12", "oci:", "oci::tag", "dir:", ""}) {
    try {
      parse_image(image, "/");
      ADD_FAILURE() << image;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << image;
    }
  }
}

TEST(Image, OnlyTheLoopbackMaySpeakPlainHttp) {
  for (const auto* name :
       {"docker://localhost/a:1", "docker://localhost:5000/a", "docker://127.0.0.1:5000/a",
        "docker://127.1.2.3/a", "docker://[::1]:5000/a"}) {
    EXPECT_TRUE(is_loopback_registry(name)) << name;
  }
  for (const auto* name :
       {"docker://docker.io/library/localhost:1", "docker://localhost.example/a",
        "docker://127.0.0.1.example/a", "docker://128.0.0.1/a", "docker://localhost:5000", "oci:localhost/a",
        "docker://[::2]/a"}) {
    EXPECT_FALSE(is_loopback_registry(name)) << name;
  }
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
  std::filesystem::create_directories(path("bin"));
  std::filesystem::create_symlink("/usr/bin/unshare", path("bin/unshare"));
  ::setenv("PATH", path("bin").c_str(), 1);
  auto environment = environments();
  try {
    environment.resolve("debian:12-base", "/", RegistryAccess::anonymous);
    ADD_FAILURE() << "built without mmdebstrap";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_EQ(error.hint(), "apt install mmdebstrap");
  }
  ::setenv("PATH", before.c_str(), 1);
  EXPECT_FALSE(environment.fingerprint("debian:12-base", "/", RegistryAccess::anonymous));
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
}

} // namespace pyro::environment

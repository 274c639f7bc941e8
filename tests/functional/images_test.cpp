// OCI images as environments and snapshots as OCI images, with the tools that everybody has for them: umoci
// makes and unpacks images, skopeo copies them, docker-registry keeps them.
#include "../support/busybox.hpp"
#include "../support/home.hpp"
#include "../support/registry.hpp"

namespace pyro::testing {
namespace {

/// Names, types, modes, owners, content and link targets of all that a root holds, but for what every sandbox
/// mounts itself, /etc/hosts with its name too. For the shell in a sandbox and for ours.
constexpr const char* k_listing = R"sh(
  find . \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./etc/hosts -o -path ./workspace/pyro.yaml \) -prune \
    -o -print | sort | while read -r path; do
    if [ -h "$path" ]; then
      echo "$path -> $(readlink "$path")"
      continue
    fi
    stat -c "%n %f $OWNERS" "$path"
    if [ -f "$path" ]; then
      md5sum < "$path"
    fi
  done
)sh";

class Images : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    m_options.env["PYRO_ENVIRONMENT_CACHE_DIR"] = (root() / "cache").string();
    m_options.env["PYRO_TRUST"] = "1"; // the images lie outside of the project
  }

  Result tool(const Arguments& argv) {
    auto result = command(argv, {.cwd = root()});
    EXPECT_EQ(result.status, 0) << argv[0] << " " << argv[1] << ": " << result;
    return result;
  }

  void umoci(const Arguments& arguments) { Functional::umoci(arguments, {.cwd = root()}); }

  /// root()/image:base, of three layers: busybox, a file and a directory, and their deletion.
  void make_image() {
    make_busybox_root(root() / "busybox");
    write_file(root() / "more/srv/app/old", "old");
    write_file(root() / "more/srv/app/kept", "kept");
    umoci({"init", "--layout", "image"});
    umoci({"new", "--image", "image:base"});
    umoci({"insert", "--image", "image:base", "busybox", "/"});
    umoci({"insert", "--image", "image:base", "more/srv", "/srv"});
    umoci({"insert", "--image", "image:base", "--whiteout", "/srv/app/old"});
    umoci(
        {"config", "--image", "image:base", "--config.env", "FROM_IMAGE=yes", "--config.env",
         "PATH=/bin:/from/image", "--config.user", "nobody", "--config.workingdir", "/srv/app"});
  }

  void spec_of(const std::string& image, const std::string& body = "", const fs::path& directory = {}) {
    write_file(
        (directory.empty() ? project() : directory) / "pyro.yaml",
        "version: 1\nname: test\nseed: {from: .}\nenvironment:\n  image: " + image + "\n" + body);
  }

  std::string listing_inside(const RunOptions& options) {
    return expect(
               0,
               {"exec", "--user", "root", "--", "sh", "-c", "cd /; OWNERS=%u:%g;" + std::string(k_listing)},
               options)
        .out;
  }

  RunOptions m_options;
};

TEST_F(Images, LayoutOfUmociRunsAndItsConfigurationHolds) {
  make_image();
  spec_of("oci:../image:base", R"(
  env: {OURS: "1"}
  setup:
    - {id: look, run: "echo $FROM_IMAGE $PATH >/from-setup"}
services:
  web: {command: "echo $FROM_IMAGE $OURS $(id -u) >/tmp/service; sleep 1000", readiness: {file: /tmp/service}}
)");
  expect(0, {"apply"}, m_options);
  const auto shell = [&](const std::string& script) {
    return expect(0, {"exec", "--", "sh", "-c", script}, m_options).out;
  };
  EXPECT_EQ(
      shell("echo $FROM_IMAGE $OURS $PATH; id -un; pwd"), "yes 1 /bin:/from/image\nnobody\n/workspace\n");
  EXPECT_EQ(shell("cat /from-setup"), "yes /bin:/from/image\n");
  EXPECT_EQ(shell("cat /tmp/service"), "yes 1 65534\n");
  EXPECT_EQ(shell("ls /srv/app"), "kept\n");
  expect(0, {"reset", "--yes"}, m_options);
  EXPECT_EQ(shell("cat /tmp/service"), "yes 1 65534\n") << "services come back with the image's variables";
  const auto ran =
      expect(0, {"run", "oci:../image:base", "--", "sh", "-c", "pwd; id -un; echo $FROM_IMAGE"}, m_options);
  EXPECT_EQ(ran.out, "/srv/app\nnobody\nyes\n");
}

TEST_F(Images, EnvironmentsAreListedSharedAndRemoved) {
  make_image();
  expect(0, {"env", "pull", "oci:../image:base"}, m_options);
  const auto shown = json({"env", "inspect", "oci:../image:base"}, m_options);
  EXPECT_EQ(shown["details"]["workdir"], "/srv/app");
  EXPECT_EQ(shown["details"]["image_layers"], 3);
  EXPECT_EQ(shown["installed"], true);
  umoci({"tag", "--image", "image:base", "next"});
  umoci({"insert", "--image", "image:next", "more/srv", "/second"});
  const auto next = json({"env", "pull", "oci:../image:next"}, m_options);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    EXPECT_EQ(next["layers"][layer], shown["layers"][layer]["digest"]) << "images share their layers";
  }
  EXPECT_EQ(json({"env", "list"}, m_options)["environments"].size(), 2U);
  spec_of("oci:../image:base");
  expect(0, {"apply"}, m_options);
  const auto refused = expect(1, {"env", "remove", "oci:../image:base"}, m_options);
  EXPECT_TRUE(contains(refused.err, "is in use")) << refused;
  expect(0, {"env", "remove", "oci:../image:next"}, m_options);
  EXPECT_EQ(json({"env", "list"}, m_options)["environments"].size(), 1U);
  EXPECT_TRUE(contains(pyro({"env", "remove", "oci:../image:next"}, m_options).err, "is not installed"));
}

TEST_F(Images, DockerArchivesAreImages) {
  make_image();
  tool({"skopeo", "copy", "oci:image:base", "docker-archive:app.tar:example/app:1"});
  spec_of("docker-archive:../app.tar");
  expect(0, {"apply"}, m_options);
  const auto listed = expect(0, {"exec", "--", "sh", "-c", "ls /srv/app; echo $FROM_IMAGE"}, m_options);
  EXPECT_EQ(listed.out, "kept\nyes\n");
}

TEST_F(Images, ASnapshotGoesThroughARegistryToAnotherBase) {
  make_image();
  const Registry registry(root() / "registry");
  tool(
      {"skopeo", "copy", "--dest-tls-verify=false", "oci:image:base",
       "docker://" + registry.address() + "/team/base:1"});
  spec_of(registry.address() + "/team/base:1");
  expect(0, {"apply"}, m_options);
  expect(
      0,
      {"exec", "--user", "root", "--", "sh", "-c",
       "rm /srv/app/kept; mkdir -p /opt/d; echo new >/opt/d/f; ln /opt/d/f /opt/hard; ln -s nowhere "
       "/opt/link;"
       "chmod 4755 /opt/d/f; chown 65534:65534 /opt/d; rm -r /var; mkdir /var; echo x >'/opt/odd\tname'"},
      m_options);
  expect(0, {"snapshot", "save", "mine"}, m_options);
  const auto before = listing_inside(m_options);
  EXPECT_TRUE(contains(before, "./opt/d/f 89ed")) << before;
  const auto name = registry.address() + "/team/mine:v1";
  const auto pushed = json({"snapshot", "push", "mine", name}, m_options);
  EXPECT_EQ(pushed["reference"], "docker://" + name);
  const auto remote = tool({"skopeo", "inspect", "--tls-verify=false", "docker://" + name});
  EXPECT_TRUE(contains(remote.out, pushed["manifest"].get<std::string>())) << remote;

  auto elsewhere = m_options;
  elsewhere.env["PYRO_HOME"] = (root() / "elsewhere").string();
  elsewhere.env["PYRO_ENVIRONMENT_CACHE_DIR"] = (root() / "elsewhere-cache").string();
  elsewhere.cwd = root() / "second";
  fs::create_directories(elsewhere.cwd);
  spec_of(name, "", elsewhere.cwd);
  fs::create_directories(root() / "second");
  expect(0, {"apply"}, elsewhere);
  EXPECT_EQ(listing_inside(elsewhere), before);

  // Here the same as a snapshot to go back to, under another name.
  expect(0, {"exec", "--user", "root", "--", "rm", "-rf", "/opt", "/srv"}, m_options);
  expect(0, {"snapshot", "pull", name}, m_options);
  expect(0, {"reset", "--to", "v1", "--yes"}, m_options);
  EXPECT_EQ(listing_inside(m_options), before);

  const auto missing = pyro({"env", "pull", registry.address() + "/team/none:1"}, m_options);
  EXPECT_NE(missing.status, 0);
  EXPECT_TRUE(contains(missing.err, "manifest unknown")) << missing;
  expect(0, {"destroy", "--yes", "--snapshots"}, elsewhere);
}

TEST_F(Images, OthersReadWhatWeExport) {
  make_image();
  spec_of("oci:../image:base");
  expect(0, {"apply"}, m_options);
  expect(
      0,
      {"exec", "--user", "root", "--", "sh", "-c",
       "mkdir /opt; echo x >/opt/a; ln /opt/a /opt/b; rm -r /srv/app; mkdir /srv/app; echo y >/srv/app/y;"
       "rm /bin/xxd; touch /opt/$(printf '%0120d' 0)"},
      m_options);
  expect(0, {"snapshot", "save", "mine"}, m_options);
  expect(0, {"snapshot", "export", "mine", "../out"}, m_options);
  umoci({"unpack", "--image", "out:mine", "bundle"});
  const auto is_root = ::geteuid() == 0;
  const std::string owners = is_root ? "%u:%g" : "";
  const auto unpacked = command(
      {"busybox", "sh", "-c", "OWNERS=" + owners + ";" + k_listing}, {.cwd = root() / "bundle/rootfs"});
  const auto ours = expect(
      0, {"exec", "--user", "root", "--", "sh", "-c", "cd /; OWNERS=" + owners + ";" + k_listing}, m_options);
  EXPECT_EQ(unpacked.out, ours.out);
  EXPECT_GT(std::count(ours.out.begin(), ours.out.end(), '\n'), 250);

  // The same again is the same, as an archive too; and skopeo takes both.
  const auto again = json({"snapshot", "export", "mine", "../again.tar"}, m_options);
  tool({"skopeo", "copy", "oci-archive:again.tar:mine", "oci:copied:mine"});
  for (const auto& entry : fs::directory_iterator(root() / "out/blobs/sha256")) {
    EXPECT_TRUE(fs::exists(root() / "copied/blobs/sha256" / entry.path().filename())) << entry.path();
  }
  EXPECT_TRUE(fs::exists(
      root() / "out/blobs/sha256"
      / again["manifest"].get<std::string>().substr(std::string("sha256:").size())));
  const auto tar = read_file(root() / "again.tar");
  expect(0, {"snapshot", "export", "mine", "../third.tar"}, m_options);
  EXPECT_EQ(read_file(root() / "third.tar"), tar);

  expect(0, {"snapshot", "import", "../again.tar", "--name", "back"}, m_options);
  expect(0, {"reset", "--to", "back", "--yes"}, m_options);
  EXPECT_EQ(
      expect(
          0, {"exec", "--user", "root", "--", "sh", "-c", "cd /; OWNERS=" + owners + ";" + k_listing},
          m_options)
          .out,
      ours.out);
  for (const auto* compression : {"zstd", "none"}) {
    const auto path = std::string("../") + compression;
    expect(0, {"snapshot", "export", "mine", path, "--compression", compression}, m_options);
    tool(
        {"skopeo", "copy", "oci:" + std::string(compression) + ":mine", "oci:c-" + std::string(compression)});
  }
}

TEST_F(Images, WhatCannotBeIsSaid) {
  spec();
  expect(0, {"apply"}, m_options);
  const auto host = expect(1, {"snapshot", "export", "baseline", "../out"}, m_options);
  EXPECT_TRUE(contains(host.err, "cannot leave this machine")) << host;
  EXPECT_FALSE(fs::exists(root() / "out"));
  fs::create_directories(root() / "out");
  make_image();
  auto there = m_options;
  there.cwd = another_project("second");
  spec_of("oci:../image:base", "", there.cwd);
  expect(0, {"apply"}, there);
  EXPECT_TRUE(contains(pyro({"snapshot", "export", "baseline", "../out"}, there).err, "already exists"));
  expect(0, {"exec", "--user", "root", "--", "touch", "/srv/.wh.name"}, there);
  expect(0, {"snapshot", "save", "odd"}, there);
  const auto odd = pyro({"snapshot", "export", "odd", "../odd"}, there);
  EXPECT_NE(odd.status, 0);
  EXPECT_TRUE(contains(odd.err, "srv/.wh.name")) << odd;
  EXPECT_FALSE(fs::exists(root() / "odd"));
  spec_of("oci:../image:missing", "", there.cwd);
  const auto missing = pyro({"plan"}, there);
  EXPECT_TRUE(contains(missing.all(), "there are: base")) << missing;
}

} // namespace
} // namespace pyro::testing

// A workspace resolves its own name, whatever its environment says of hosts, and keeps what that says.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class OwnName : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(project() / "image");
  }

  void image(const std::string& more = "") {
    write_file(
        project() / "pyro.yaml", "version: 1\nname: our-work\nenvironment: {image: 'dir:./image'}\n"
                                 "seed: {exclude: [image]}\n"
                                     + more);
  }

  void apply() { expect(0, {"apply", "--yes"}); }
};

TEST_F(OwnName, IsResolved) {
  image();
  apply();
  EXPECT_EQ(inside("hostname; hostname -i").out, "our-work\n127.0.0.1\n");
  EXPECT_EQ(inside("ping -c1 localhost | head -n1").out.substr(0, 14), "PING localhost");
}

TEST_F(OwnName, WithTheLinesOfTheEnvironment) {
  write_file(project() / "image/etc/hosts", "192.0.2.7 elsewhere # kept");
  image();
  apply();
  EXPECT_EQ(inside("hostname -i").out, "127.0.0.1\n");
  EXPECT_EQ(
      inside("cat /etc/hosts").out, "192.0.2.7 elsewhere # kept\n127.0.0.1\tlocalhost\n"
                                    "::1\tlocalhost ip6-localhost ip6-loopback\n"
                                    "127.0.0.1\tour-work # the name of this sandbox, by pyro\n");
}

TEST_F(OwnName, IsTheEnvironmentsBusinessWhereItSaysIt) {
  write_file(project() / "image/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 our-work\n");
  image();
  apply();
  EXPECT_EQ(inside("hostname -i").out, "127.0.1.1\n");
}

TEST_F(OwnName, IsResolvedInSteps) {
  image("prepare: [{id: ask, run: 'hostname -i > made'}]\n");
  apply();
  EXPECT_EQ(inside("cat made").out.substr(0, 9), "127.0.0.1");
}

TEST_F(OwnName, IsResolvedByServicesOfASnapshot) {
  image("services: {web: {command: 'hostname -i > /tmp/said; touch /tmp/up; exec sleep 1000', readiness: "
        "{file: /tmp/up}}}\nsnapshots: {ready: {at: ready}}\n");
  apply();
  EXPECT_EQ(inside("cat /tmp/said").out, "127.0.0.1\n");
}

TEST_F(OwnName, IsInNoLayerAndNoDifference) {
  image("prepare: [{id: line, run: 'echo 192.0.2.9 added >> /etc/hosts'}]\n");
  apply();
  EXPECT_EQ(inside("grep -c our-work /etc/hosts").out, "1\n");
  EXPECT_EQ(inside("grep -c added /etc/hosts").out, "1\n");
  EXPECT_EQ(json({"diff", "/"})["entries"].size(), 0U);
  expect(0, {"snapshot", "save", "point"});
  expect(0, {"fork", "copy", "--snapshot", "point"});
  const auto said = pyro({"exec", "-w", "copy", "--", "cat", "/etc/hosts"});
  EXPECT_EQ(said.out.find("our-work"), std::string::npos) << "the name of another workspace: " << said;
  EXPECT_NE(said.out.find("\tcopy #"), std::string::npos) << said;
}

/// As docs/workspaces.md says: what is written there is for as long as the sandbox runs.
TEST_F(OwnName, LinesWrittenInsideLastAsLongAsTheSandbox) {
  image();
  apply();
  EXPECT_EQ(inside("echo 192.0.2.5 mine >> /etc/hosts; grep -c mine /etc/hosts").out, "1\n");
  EXPECT_EQ(json({"diff", "/"})["entries"].size(), 0U);
  expect(0, {"stop"});
  expect(0, {"start"});
  EXPECT_EQ(inside("grep -c mine /etc/hosts; hostname -i").out, "0\n127.0.0.1\n");
}

TEST_F(OwnName, OddPlacesAreLeftAlone) {
  image();
  for (const auto* plant :
       {"mkfifo image/etc/hosts", "mkdir image/etc/hosts", "ln -s /nowhere image/etc/hosts",
        "head -c 3000000 /dev/zero > image/etc/hosts"}) {
    ASSERT_EQ(command({"sh", "-c", std::string("rm -rf image/etc/hosts; ") + plant}).status, 0);
    const auto applied = pyro({"apply", "--yes"});
    EXPECT_TRUE(applied.status == 0 || applied.err.find("etc/hosts") != std::string::npos)
        << plant << ": " << applied;
    if (applied.status == 0) {
      EXPECT_EQ(inside("echo fine").out, "fine\n") << plant;
    }
    expect(0, {"destroy", "--yes", "--snapshots"});
  }
}

TEST_F(OwnName, OfThisMachinesEnvironment) {
  spec("");
  apply();
  EXPECT_EQ(
      inside("python3 -c 'import socket; print(socket.gethostbyname(socket.gethostname()))'").out,
      "127.0.0.1\n");
}

} // namespace
} // namespace pyro::testing

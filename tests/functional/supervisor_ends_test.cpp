// A supervisor, or the first process of its sandbox, that ends before the sandbox is up: whatever way, the
// reason is told and nothing is left.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class SupervisorEnds : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    make_busybox_root(project() / "image");
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: .}\n");
    m_built = bin;
    bin = root() / "bin";
    fs::create_directories(bin);
    for (const auto* program : {"pyro", "pyro-supervisor", "pyro-agent"}) {
      fs::copy_file(m_built / program, bin / program);
    }
  }

  void TearDown() override {
    bin = m_built;
    Functional::TearDown();
  }

  void supervisor(const std::string& script) {
    fs::remove(bin / "pyro-supervisor");
    write_file(bin / "pyro-supervisor", "#!/bin/sh\n" + script + "\n");
    fs::permissions(
        bin / "pyro-supervisor", fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  }

  fs::path m_built;
};

TEST_F(SupervisorEnds, ByItselfInAnyWayItsReasonIsTold) {
  struct Way {
    std::string script;
    std::string said;
  };

  for (const auto& way : std::vector<Way>{
           {"exit 0", "before the sandbox was up: exit code 0"},
           {"cat > /dev/null; exit 0", "before the sandbox was up: exit code 0"},
           {"exit 3", "before the sandbox was up: exit code 3"},
           {"cat > /dev/null; echo out of locks >&2; exit 3", "out of locks"},
           {"echo out of locks >&2; exit 3", "out of locks"},
           {"kill -KILL $$", "before the sandbox was up: killed by SIGKILL"},
           {"cat > /dev/null; kill -SEGV $$", "before the sandbox was up: killed by SIGSEGV"},
           {"cat > /dev/null; printf '{\"launched\": {'", "before the sandbox was up: exit code 0"},
           {"cat > /dev/null; echo '[1]'; exit 4", "before the sandbox was up: exit code 4"},
           {"cat > /dev/null; echo '{\"error\": {\"code\": \"io\", \"message\": \"no more mounts\"}}'; exit "
            "0",
            "no more mounts"},
       }) {
    supervisor(way.script);
    const auto result = expect(1, {"apply"});
    EXPECT_TRUE(contains(result.err, way.said)) << way.script << result;
    EXPECT_TRUE(workspace_ids().empty()) << way.script;
  }
}

TEST_F(SupervisorEnds, HowTheFirstProcessOfTheSandboxEndedIsTold) {
  fs::remove(bin / "pyro-agent");
  fs::copy_file("/usr/bin/busybox", bin / "pyro-agent"); // it knows no applet of that name
  const auto result = expect(1, {"apply"});
  EXPECT_TRUE(contains(result.err, "its first process: exit code 127")) << result;
  EXPECT_TRUE(workspace_ids().empty());
}

} // namespace
} // namespace pyro::testing

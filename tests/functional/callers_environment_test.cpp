// The variables of whoever calls pyro steer none of the programs that pyro starts. Asked of the kernel, of
// each process that a workspace has.
#include "../support/busybox.hpp"
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <fstream>
#include <sstream>

namespace pyro::testing {
namespace {

constexpr const char* k_value = "/of-the-caller";

class CallersEnvironment : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(project() / "image");
  }

  static std::map<std::string, std::string> poison() {
    std::map<std::string, std::string> variables;
    for (const auto* name :
         {"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_CONFIG_GLOBAL", "LD_LIBRARY_PATH", "PERL5OPT",
          "PYTHONPATH", "BASH_ENV", "ENV", "TAR_OPTIONS", "MKE2FS_CONFIG", "XDG_RUNTIME_DIR",
          "REGISTRY_AUTH_FILE", "SOME_TOKEN"}) {
      variables[name] = k_value;
    }
    return variables;
  }
};

TEST_F(CallersEnvironment, ReachesNoProcessOfAWorkspace) {
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {exclude: [image]}\n"
      "prepare: [{id: seen, run: 'env > /var/seen'}]\nnetwork: {egress: all}\n"
      "services: {keeper: {command: 'env > /tmp/seen; exec sleep 1000', readiness: {file: /tmp/seen}}}\n");
  const RunOptions options{.env = poison()};
  expect(0, {"apply", "--yes"}, options);
  EXPECT_EQ(inside("env; cat /var/seen /tmp/seen", options).out.find(k_value), std::string::npos);
  std::set<std::string> looked_at;
  for (const auto pid : processes_naming(state().string())) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/environ");
    std::stringstream variables;
    if (in && variables << in.rdbuf()) {
      looked_at.insert(read_file("/proc/" + std::to_string(pid) + "/comm"));
    }
    EXPECT_EQ(variables.str().find(k_value), std::string::npos) << describe(pid) << ": " << variables.str();
  }
  EXPECT_GE(looked_at.size(), 1U) << "the environment of no process could be read";
}

} // namespace
} // namespace pyro::testing

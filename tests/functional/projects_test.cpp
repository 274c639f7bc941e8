// examples/projects from `pyro init` to their own tests, as docs/projects.md has them: three commands, and
// the file is as init wrote it. bench/projects.py measures the same.
#include "../support/home.hpp"
#include "../support/sampling.hpp"

namespace pyro::testing {
namespace {

class Projects : public Functional {
protected:
  /// The file that init writes takes nothing but what this machine has.
  bool is_on_host(const std::string& name) {
    fs::copy(source_dir() / "examples/projects" / name, project(), fs::copy_options::recursive);
    m_test = get_string(json({"init"}), "test");
    EXPECT_NE(m_test, "") << name << ": its tests were not found";
    return read_file(project() / "pyro.yaml").find("\n  image: host ") != std::string::npos;
  }

  /// npm reaches its registry through whatever proxy is in between: by certificates that are not Debian's.
  void trust_what_this_machine_trusts() {
    std::string certificates;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator("/usr/local/share/ca-certificates", none)) {
      certificates += entry.path().extension() == ".crt" ? read_file(entry.path()) + "\n" : "";
    }
    if (!certificates.empty()) {
      write_file(project() / "machine.pem", certificates);
      replace_in_file(project() / "pyro.yaml", "\nenvironment:\n", "\nenvironment:\n  ca: machine.pem\n");
    }
  }

  void expect_green() {
    RunOptions patience;
    patience.timeout = std::chrono::minutes(12);
    expect(0, {"apply"}, patience);
    Arguments test{"exec", "--", "/bin/sh", "-c", "exec " + m_test};
    const auto green = expect(0, test, patience);
    EXPECT_NE(green.all(), "") << "a test without a word is none";
    // And red where the project is broken, or else the command tests nothing.
    expect(0, {"exec", "--", "sh", "-c", "rm -rf /workspace/*"});
    EXPECT_NE(pyro(test).status, 0) << m_test << " has nothing to test any more";
    expect(0, {"reset", "--yes"}, patience);
    expect(0, test, patience);
  }

  std::string m_test;
};

class ProjectsOnHost : public Projects, public ::testing::WithParamInterface<const char*> {};

TEST_P(ProjectsOnHost, FromInitToGreen) {
  if (!is_on_host(GetParam())) {
    GTEST_SKIP() << "this machine lacks what it needs: " << read_file(project() / "pyro.yaml");
  }
  expect_green();
}

INSTANTIATE_TEST_SUITE_P(
    Example, ProjectsOnHost,
    ::testing::Values("c-make", "cmake", "python-library", "shell-tool", "static-site"),
    [](const auto& info) {
      std::string name = info.param;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

class NetworkProjects : public Projects {
protected:
  void SetUp() override {
    if (const auto why = why_no_network(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    Functional::SetUp();
  }
};

/// On debian:12, with packages that are fetched: one by chance, all in `make check-long`.
TEST_F(NetworkProjects, FromInitToGreen) {
  for (const auto& name :
       sampled<std::string>({"flask", "go", "node-redis", "postgres-migrations", "rust"}, 1)) {
    SCOPED_TRACE(name);
    std::cout << name << std::endl;
    if (is_on_host(name)) {
      ADD_FAILURE() << "this machine has all that it needs, so it is no case for packages";
    }
    // Tests may keep their state in memory, and then what packages write counts as the sandbox's.
    replace_in_file(
        project() / "pyro.yaml", "\nenvironment:\n", "\nenvironment:\n  resources: {memory: 4GiB}\n");
    trust_what_this_machine_trusts();
    expect_green();
    expect(0, {"destroy", "--yes", "--snapshots"});
    fs::remove_all(project());
    fs::create_directories(project());
  }
}

} // namespace
} // namespace pyro::testing

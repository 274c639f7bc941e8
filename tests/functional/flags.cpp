#include "flags.hpp"

#include "../support/busybox.hpp"

#include <algorithm>
#include <cstdlib>

namespace pyro::testing {

namespace {

constexpr const char* k_cache = "PYRO_ENVIRONMENT_CACHE_DIR";

} // namespace

void Flags::SetUp() {
  if (const char* before = std::getenv(k_cache)) {
    m_cache_before = before;
  }
  Functional::SetUp();
  if (IsSkipped() || HasFatalFailure()) {
    return;
  }
  // What images are known on this machine is the user's; `env prune` and the like must not reach it.
  ::setenv(k_cache, (root() / "cache").c_str(), 1);
  make_busybox_root(project() / "root");
  write_file(project() / "seed/first", "first\n");
}

void Flags::TearDown() {
  for (const auto& id : workspace_ids()) {
    std::ignore = pyro({"vm", "delete", id}); // where it is one; workspaces go with the rest
  }
  Functional::TearDown();
  if (m_cache_before) {
    ::setenv(k_cache, m_cache_before->c_str(), 1);
  } else {
    ::unsetenv(k_cache);
  }
}

void Flags::file(const std::string& body, const fs::path& directory) {
  const auto place = directory.empty() ? project() : directory;
  if (place != project()) {
    fs::create_directories(place / "root");
    fs::copy(
        project() / "root", place / "root",
        fs::copy_options::recursive | fs::copy_options::copy_symlinks | fs::copy_options::overwrite_existing);
    write_file(place / "seed/first", "first\n");
  }
  write_file(
      place / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:root'}\nseed: {from: seed}\n" + body);
}

std::string Flags::made(const Arguments& flags) {
  auto id = with({"workspace", "create", image(), "--id-only"}, flags).out;
  EXPECT_EQ(id.size(), 13U) << "no id: " << id;
  id.resize(id.empty() ? 0 : id.size() - 1);
  return id;
}

Result Flags::in(const std::string& id, const std::string& script, const Arguments& flags) {
  return with({"workspace", "exec", id, "--", "sh", "-c", script}, flags);
}

Result Flags::with(const Arguments& words, const Arguments& flags, const RunOptions& options) {
  auto all = words;
  all.insert(std::find(all.begin(), all.end(), "--"), flags.begin(), flags.end());
  return pyro(all, options);
}

std::unique_ptr<OnATerminal> Flags::at_a_terminal(const Arguments& words, const RunOptions& options) {
  auto argv = words;
  argv.insert(argv.begin(), (bin / "pyro").string());
  auto variables = environment(options);
  variables["TERM"] = "xterm";
  variables.erase("CI");
  return std::make_unique<OnATerminal>(argv, variables, project());
}

std::string Flags::seen_at_a_terminal(const Arguments& words, const RunOptions& options) {
  const auto terminal = at_a_terminal(words, options);
  EXPECT_EQ(terminal->status(), 0) << terminal->seen();
  return terminal->seen();
}

os::Child Flags::somebody_at_work() {
  file("prepare:\n  - {id: long, run: 'sleep 1000'}\n");
  auto child = start({"apply", "--yes"});
  EXPECT_TRUE(eventually([&] { return contains(pyro({"ls"}).out, "test"); }));
  return child;
}

std::string joined(const Json& list, const std::string& member) {
  std::string text;
  for (const auto& item : list) {
    text += (text.empty() ? "" : " ")
            + (member.empty() ? item.get<std::string>() : item.at(member).get<std::string>());
  }
  return text;
}

} // namespace pyro::testing

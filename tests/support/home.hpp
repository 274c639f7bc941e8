// A state directory and a project of their own for one test, with the built program, and the check at the end
// that nothing is left. Tests of single libraries need none of this: they use a temporary directory.
#pragma once

#include "files.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/process.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pyro::testing {

using Arguments = std::vector<std::string>;

struct Result {
  int status = 0; // as a shell shows it
  std::string out;
  std::string err;
  std::chrono::milliseconds took{0};

  std::string all() const { return out + err; }
};

std::ostream& operator<<(std::ostream& out, const Result& result);

struct RunOptions {
  fs::path cwd; // empty: the project
  std::string input;
  std::map<std::string, std::string> env; // on top of ours
  std::chrono::seconds timeout{300};
};

/// Base of every functional test. `pyro` runs the built program on the test's own state directory; project()
/// is its working directory. After the test every workspace is destroyed, and whatever the kernel or the
/// state directory still holds fails the test.
class Functional : public ::testing::Test {
public:
  /// Runs the program with these arguments.
  Result pyro(const Arguments& arguments, const RunOptions& options = {});
  /// Fails the test where it does not end with `status`.
  Result expect(int status, const Arguments& arguments, const RunOptions& options = {});
  /// What it prints with --json; fails the test where it does not end with 0.
  Json json(Arguments arguments, const RunOptions& options = {});
  /// A command of the sandbox: `pyro exec -- sh -c SCRIPT`.
  Result inside(const std::string& script, const RunOptions& options = {});
  Result command(const Arguments& argv, const RunOptions& options = {});
  /// Has the sandbox other users than root? An ordinary user needs a range of ids for them.
  bool has_users(const RunOptions& options = {});
  /// As `pyro status --json` has it; null: there is none of the name.
  Json service_status(const std::string& name, const RunOptions& options = {});
  /// The directory of this home's caches that has a file of that name; empty: none has.
  fs::path cache_with(const std::string& name) const;
  /// touch(1), in a directory that may be a subordinate id's.
  void touch(const fs::path& path);
  /// umoci(1), which has to end with 0; of an ordinary user the images are of his own id.
  void umoci(Arguments arguments, const RunOptions& options = {});
  /// Starts the program without waiting for it; killed at the end.
  os::Child start(const Arguments& arguments, const RunOptions& options = {});
  /// The first SIGINT, or else the second, ends it, within so many seconds each.
  static bool ends_when_interrupted(os::Child& child, int seconds_of_first, int seconds_of_second);
  /// A tree of the test's as the archive of an image's layer, everything owned by root.
  std::string archive_of(const fs::path& tree);

  /// A spec in the project: `body` below "version: 1, environment: {image: host}, seed: {from: .}".
  void spec(const std::string& body = "", const fs::path& directory = {});

  fs::path project() const { return m_root / "project"; }

  fs::path state() const { return m_root / "home"; }

  fs::path root() const { return m_root; }

  /// Where the built programs are; a test of an installation sets another.
  fs::path bin;

  /// Ids of all workspaces of this home, now.
  std::set<std::string> workspace_ids() const;
  /// The one workspace's record, read by pyro status.
  std::string state_of_workspace();
  /// Another project directory of this home, destroyed at the end like the first.
  fs::path another_project(const std::string& name);
  std::map<std::string, std::string> environment(const RunOptions& options) const;

protected:
  void SetUp() override;
  void TearDown() override;

private:
  void note_ids();

  fs::path m_root;
  std::vector<fs::path> m_projects;
  std::set<std::string> m_ids;
};

/// git in that directory, as somebody who may commit, whatever this machine's configuration is.
Arguments git_command(const fs::path& directory, const Arguments& arguments);

/// Why sandboxes cannot be made here, asked of the kernel with unshare(1); empty: they can.
std::string why_no_sandbox();
/// Why Debian's packages cannot be had here; empty: they can.
std::string why_no_network();

} // namespace pyro::testing

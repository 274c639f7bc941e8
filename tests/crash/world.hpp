// A small world for tests of faults: the built program with a tiny environment, and what of it must be as
// before or as after an operation that something went wrong in.
#pragma once

#include "../support/home.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pyro::testing {

/// Name of a workspace, "vm NAME" or "export" to everything of it that an operation may change.
using Observed = std::map<std::string, Json>;

class World : public Functional {
public:
  /// "dir:…", busybox alone.
  std::string environment_name() const { return "dir:" + (root() / "busybox").string(); }

  /// A directory of two files and a symlink, and the same as an archive. `unique`: content no run had before,
  /// so that nothing of it is in the store yet.
  fs::path seed() const { return root() / "seed"; }

  fs::path archive() const { return root() / "seed.tar.gz"; }

  void renew_seed();

  /// Other content, to be pushed.
  fs::path pushed() const { return root() / "pushed"; }

  /// Where exports go; nothing else lies in it.
  fs::path exports() const { return root() / "out"; }

  /// A started workspace "w" with the seed, where `edited` and `edited-unique` have been added by hand.
  void make_workspace();
  /// A pyro.yaml on the seed with a step, a service and a snapshot; `more` behind it.
  void declare(const std::string& more = "");

  Observed observe();
  /// Every record is whole, started means running and stopped means nothing runs.
  void expect_sound();
  /// No temporary files, journals, stray generations or builds.
  void expect_tidy();
  /// Deletes all workspaces and VMs; then the kernel and the state directory hold nothing.
  void clear();

  std::vector<pid_t> supervisors() const;

protected:
  void SetUp() override;

private:
  /// Ids of all that are said to run: "workspace" or "vm".
  std::set<std::string> started(const std::string& kind);
  Json content_of(const std::string& workspace);
  /// Without what is different in every round.
  static Json comparable(std::map<std::string, std::string> tree);
  void expect_records_whole(const fs::path& directory);
  int m_looks = 0;
  int m_seeds = 0;
};

/// "a, b, c" of what differs, for messages.
std::string difference(const Observed& one, const Observed& other);

} // namespace pyro::testing

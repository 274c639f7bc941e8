// The parallel walk that fills a SeedTree.
#pragma once

#include "tree.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace pyro::seed {

class SeedWalker {
public:
  explicit SeedWalker(SeedTree& tree);
  void run();

private:
  void work();
  void spawn_helpers();
  void process(SeedDirectory& directory);
  bool list_from_cache(SeedDirectory& directory);
  void list(SeedDirectory& directory, int fd);
  void choose(SeedDirectory& directory, int fd);
  /// False: it vanished, or is nothing that a seed can hold.
  bool look_at(SeedDirectory& directory, SeedName& name, int fd, const CachedName* cached);
  std::optional<SeedStat> stat_of(const SeedDirectory& directory, const SeedName& name, int fd);
  void add_child(
      SeedDirectory& directory, SeedName& name, const DirectorySelection::Verdict& verdict,
      const CachedName* cached);
  void warn(const SeedDirectory& directory, const SeedName& name, const char* reason);

  SeedTree& m_tree;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::vector<SeedDirectory*> m_waiting; // a stack: depth first keeps it short
  std::size_t m_busy = 0;
  std::exception_ptr m_failure;
  std::vector<std::thread> m_helpers;
};

} // namespace pyro::seed

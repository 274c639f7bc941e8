#include "three_way.hpp"

#include <pyro/base/text.hpp>

#include <algorithm>

namespace pyro::workspace {

SyncStep decide(const ThreeWay& path) {
  if (path.same_as_wanted) {
    return SyncStep::nothing;
  }
  if (!path.same_as_before) {
    return SyncStep::conflict;
  }
  return path.is_wanted ? SyncStep::take : SyncStep::remove;
}

mode_t merged_mode(mode_t before, mode_t wanted, mode_t inside) {
  constexpr mode_t k_bits = 0777;
  return ((inside & k_bits) == (before & k_bits) ? wanted : inside) & k_bits;
}

std::vector<std::string> emptied_directories(
    const std::set<std::string>& removed,
    const std::function<std::vector<std::string>(const std::string& directory)>& names,
    const std::function<bool(const std::string& directory)>& is_kept) {
  auto gone = removed;
  std::set<std::string> looked_at;
  std::vector<std::string> emptied;
  const auto depth = [](const std::string& path) {
    return std::count(path.begin(), path.end(), '/');
  };
  // The deepest one is asked about first: by then all below it is decided.
  std::set<std::pair<std::ptrdiff_t, std::string>> open;
  const auto ask_about_parent = [&](const std::string& path) {
    if (const auto parent = parent_of(path); !parent.empty() && looked_at.insert(parent).second) {
      open.emplace(depth(parent), parent);
    }
  };
  for (const auto& path : removed) {
    ask_about_parent(path);
  }
  while (!open.empty()) {
    const auto directory = std::prev(open.end())->second;
    open.erase(std::prev(open.end()));
    if (is_kept(directory)) {
      continue;
    }
    const auto below = names(directory);
    const bool is_empty = std::all_of(below.begin(), below.end(), [&](const std::string& name) {
      return gone.contains(directory + "/" + name);
    });
    if (is_empty) {
      gone.insert(directory);
      emptied.push_back(directory);
      ask_about_parent(directory);
    }
  }
  return emptied;
}

bool is_below_any(const std::set<std::string>& directories, const std::string& path) {
  for (auto parent = parent_of(path); !parent.empty(); parent = parent_of(parent)) {
    if (directories.contains(parent)) {
      return true;
    }
  }
  return false;
}

} // namespace pyro::workspace

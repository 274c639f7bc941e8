#include "templates.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace pyro::backend::qemu {

namespace {

constexpr std::chrono::minutes k_patience{5};
constexpr std::string_view k_making = "making-";
constexpr std::size_t k_key_length = 64;

std::int64_t bytes_on_disk(const std::string& directory) {
  std::int64_t bytes = 0;
  for (const auto& name : os::list_directory(directory)) {
    struct stat status {};

    if (::lstat((directory + "/" + name).c_str(), &status) == 0) {
      bytes += status.st_blocks * 512;
    }
  }
  return bytes;
}

} // namespace

Templates::Templates(std::string directory, std::int64_t budget_bytes)
    : m_directory(std::move(directory)), m_budget(budget_bytes) {
}

std::optional<Template> Templates::find(const HexDigest& key, std::string& note) const {
  Template found{path_of(key)};
  if (!os::exists(found.directory)) {
    return std::nullopt;
  }
  if (is_intact(found, key)) {
    ::utimensat(AT_FDCWD, found.directory.c_str(), nullptr, 0); // used now
    return found;
  }
  note = fmt::format("the template {} was damaged and is made anew", key.substr(0, 12));
  remove(key);
  return std::nullopt;
}

Template Templates::ensure(
    const HexDigest& key, const std::function<void(const Template&)>& make, std::string& note) const {
  if (auto found = find(key, note)) {
    return *found;
  }
  os::make_directories(m_directory);
  const os::ExclusiveLock lock(path_of(key) + ".lock", "making a template", k_patience);
  if (auto found = find(key, note)) {
    return *found; // somebody else made it while we waited
  }
  const auto prefix = std::string(k_making) + key.substr(0, 12);
  for (const auto& name : os::list_directory(m_directory)) {
    if (name.starts_with(prefix)) {
      os::remove_tree(m_directory + "/" + name); // of a maker that was killed: the lock is ours
    }
  }
  os::TempDir making(m_directory, prefix);
  const Template made{making.path()};
  os::crash_point("template.making");
  make(made);
  publish(made, key);
  making.release();
  os::crash_point("template.published");
  keep_within_budget(key);
  return Template{path_of(key)};
}

void Templates::publish(const Template& made, const HexDigest& key) const {
  seal(made, key);
  os::crash_point("template.made");
  if (::rename(made.directory.c_str(), path_of(key).c_str()) < 0) {
    throw Error::from_errno(errno, fmt::format("publish a template in {}", m_directory));
  }
}

void Templates::remove(const HexDigest& key) const {
  const auto aside = fmt::format("{}/{}removed-{}", m_directory, k_making, os::random_hex(8));
  if (::rename(path_of(key).c_str(), aside.c_str()) == 0) {
    os::remove_tree(aside);
  }
}

void Templates::keep_within_budget(const HexDigest& newest) const {
  struct Kept {
    HexDigest key;
    std::int64_t bytes;
    std::int64_t used_ns;
  };

  std::vector<Kept> all;
  std::int64_t total = 0;
  for (const auto& name : os::list_directory(m_directory)) {
    struct stat status {};

    const auto path = path_of(name);
    if (name.size() != k_key_length || ::lstat(path.c_str(), &status) < 0) {
      continue;
    }
    all.push_back(
        {name, bytes_on_disk(path), status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec});
    total += all.back().bytes;
  }
  std::sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) { return a.used_ns < b.used_ns; });
  for (const auto& candidate : all) {
    if (total <= m_budget) {
      return;
    }
    if (candidate.key != newest) {
      remove(candidate.key);
      total -= candidate.bytes;
    }
  }
}

} // namespace pyro::backend::qemu

#include "tree_merge.hpp"

#include "same_content.hpp"
#include "tree_walk.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr int k_open_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

std::string name_in(const std::string& path) {
  return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

void rename_with(
    int from, const std::string& old_name, int to, const std::string& new_name, unsigned flags,
    const std::string& path) {
  if (::renameat2(from, old_name.c_str(), to, new_name.c_str(), flags) != 0) {
    throw Error::from_errno(errno, fmt::format("put '{}' in place", path));
  }
}

bool same_file(int one_directory, int other_directory, const std::string& name) {
  const auto one = maybe_open_beneath(one_directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  const auto other = maybe_open_beneath(other_directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  return one && other && same_bytes(one->get(), other->get());
}

/// The very same entry in both directories, times apart?
bool same_entry(
    int one_directory, const struct stat& one, int other_directory, const struct stat& other,
    const std::string& name) {
  if (one.st_mode != other.st_mode || one.st_uid != other.st_uid || one.st_gid != other.st_gid
      || one.st_size != other.st_size) {
    return false;
  }
  if (S_ISLNK(one.st_mode)) {
    return read_link_at(one_directory, name) == read_link_at(other_directory, name);
  }
  return S_ISREG(one.st_mode) && same_file(one_directory, other_directory, name);
}

} // namespace

std::int64_t mtime_ns_of(const struct stat& status) {
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

void TreeMerge::remove(const std::string& path, Prune prune) {
  m_removals.push_back({path, prune});
}

void TreeMerge::expect(const std::string& path, const std::optional<Look>& look) {
  m_expectations.push_back({path, look});
}

Fd TreeMerge::parent_in(int root, const std::string& path) const {
  const auto parent = parent_of(path);
  auto directory = parent.empty() ? duplicate(root) : Fd();
  if (!directory) {
    auto found = maybe_open_beneath(root, parent, k_open_directory);
    if (!found) {
      throw Error(ErrorCode::stale, "'{}' is no directory any more", parent);
    }
    directory = std::move(*found);
  }
  return directory;
}

void TreeMerge::check(const Expectation& expectation) const {
  std::optional<struct stat> status;
  const auto parent = parent_of(expectation.path);
  const auto directory = parent.empty() ? std::optional(duplicate(m_live))
                                        : maybe_open_beneath(m_live, parent, k_open_directory);
  if (directory) {
    status = maybe_status_at(directory->get(), name_in(expectation.path));
  }
  const auto& look = expectation.look;
  const bool is_as_expected = look ? status && S_ISREG(status->st_mode)
                                         && static_cast<std::uint64_t>(status->st_size) == look->size
                                         && mtime_ns_of(*status) == look->mtime_ns
                                   : !status;
  if (!is_as_expected) {
    throw Error(ErrorCode::stale, "'{}' was changed meanwhile", expectation.path).with_hint("try again");
  }
}

void TreeMerge::remove_now(const Removal& removal) {
  const auto directory = parent_in(m_live, removal.path);
  const auto name = name_in(removal.path);
  const auto status = maybe_status_at(directory.get(), name);
  if (!status) {
    throw Error(ErrorCode::stale, "'{}' is gone already", removal.path);
  }
  if (S_ISDIR(status->st_mode)) {
    if (::unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) != 0) {
      throw Error::from_errno(errno, fmt::format("remove the directory '{}'", removal.path));
    }
    m_steps.push_back({Did::removed_directory, removal.path, *status});
  } else {
    const auto number = m_steps.size();
    rename_with(directory.get(), name, m_attic, std::to_string(number), RENAME_NOREPLACE, removal.path);
    m_steps.push_back({Did::removed_file, removal.path, *status, number});
  }
  ++m_counts.removed;
}

void TreeMerge::prune_above(std::string path) {
  for (path = parent_of(path); !path.empty(); path = parent_of(path)) {
    const auto directory = maybe_open_beneath(m_live, joined(parent_of(path), "."), k_open_directory);
    const auto status = directory ? maybe_status_at(directory->get(), name_in(path)) : std::nullopt;
    if (!status || ::unlinkat(directory->get(), name_in(path).c_str(), AT_REMOVEDIR) != 0) {
      if (status && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT) {
        throw Error::from_errno(errno, fmt::format("remove the directory '{}'", path));
      }
      return;
    }
    m_steps.push_back({Did::removed_directory, path, *status});
  }
}

void TreeMerge::put(
    int prepared, int live, const std::string& name, const std::string& path, const struct stat& status) {
  const auto there = maybe_status_at(live, name);
  if (!there) {
    rename_with(prepared, name, live, name, RENAME_NOREPLACE, path);
    m_steps.push_back({Did::placed, path});
    ++m_counts.added;
    return;
  }
  if (S_ISDIR(there->st_mode)) {
    if (!S_ISDIR(status.st_mode)) {
      throw Error(ErrorCode::bad_state, "'{}' is a directory and would be replaced by a file", path)
          .with_hint("remove it first");
    }
    const Fd below_prepared = open_directory_at(prepared, name);
    const Fd below_live = open_directory_at(live, name);
    merge(below_prepared.get(), below_live.get(), path);
    return;
  }
  if (same_entry(prepared, status, live, *there, name)) {
    ++m_counts.unchanged;
    return;
  }
  rename_with(prepared, name, live, name, RENAME_EXCHANGE, path);
  m_steps.push_back({Did::exchanged, path});
  ++m_counts.replaced;
}

void TreeMerge::merge(int prepared, int live, const std::string& path) {
  for (const auto& name : names_in(prepared)) {
    if (const auto status = maybe_status_at(prepared, name)) {
      put(prepared, live, name, joined(path, name), *status);
    }
  }
}

MergeCounts TreeMerge::commit() {
  for (const auto& expectation : m_expectations) {
    check(expectation);
  }
  try {
    for (const auto& removal : m_removals) {
      remove_now(removal);
    }
    merge(m_prepared, m_live, "");
    for (const auto& removal : m_removals) {
      if (removal.prune == Prune::yes) {
        prune_above(removal.path);
      }
    }
  } catch (const Error&) {
    undo();
    throw;
  }
  return m_counts;
}

void TreeMerge::undo() {
  std::string left;
  for (auto step = m_steps.rbegin(); step != m_steps.rend(); ++step) {
    try {
      undo(*step);
    } catch (const Error& error) {
      left += fmt::format("{}'{}' ({})", left.empty() ? "" : ", ", step->path, error.what());
    }
  }
  m_steps.clear();
  if (!left.empty()) {
    throw Error(ErrorCode::internal, "a change failed, and of it could not be taken back: {}", left);
  }
}

void TreeMerge::undo(const Step& step) {
  const auto live = parent_in(m_live, step.path);
  const auto name = name_in(step.path);
  switch (step.did) {
  case Did::placed:
    rename_with(live.get(), name, parent_in(m_prepared, step.path).get(), name, RENAME_NOREPLACE, step.path);
    return;
  case Did::exchanged:
    rename_with(live.get(), name, parent_in(m_prepared, step.path).get(), name, RENAME_EXCHANGE, step.path);
    return;
  case Did::removed_file:
    rename_with(m_attic, std::to_string(step.number), live.get(), name, RENAME_NOREPLACE, step.path);
    return;
  case Did::removed_directory:
    if (::mkdirat(live.get(), name.c_str(), 0700) != 0
        || ::fchownat(live.get(), name.c_str(), step.status.st_uid, step.status.st_gid, AT_SYMLINK_NOFOLLOW)
               != 0
        || ::fchmodat(live.get(), name.c_str(), step.status.st_mode & 07777, 0) != 0) {
      throw Error::from_errno(errno, fmt::format("make '{}' again", step.path));
    }
    return;
  }
}

} // namespace pyro::os

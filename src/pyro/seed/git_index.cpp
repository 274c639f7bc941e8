#include "git_index.hpp"

#include "git_index_parse.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>

#include <algorithm>

namespace pyro::seed {

namespace {

constexpr std::size_t k_max_index_bytes = 1ULL << 30;

void check_order(const std::vector<GitIndexEntry>& entries) {
  const auto wrong = std::adjacent_find(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.path > b.path || (a.path == b.path && !b.in_merge);
  });
  if (wrong != entries.end()) {
    throw_damaged_git_index("its entries are not sorted, or one is there twice");
  }
}

std::uint32_t checked(std::uint32_t position, const std::vector<GitIndexEntry>& shared) {
  if (position >= shared.size()) {
    throw_damaged_git_index("it changes what its shared part does not have");
  }
  return position;
}

/// The entries of a split index: those of its shared part, changed as it says.
GitIndexBytes merged(GitIndexBytes split, GitIndexBytes shared) {
  const auto link = std::move(*split.link);
  std::size_t next = 0;
  for (const auto position : link.replaced) {
    auto& target = shared.entries[checked(position, shared.entries)];
    if (next == split.entries.size() || !split.entries[next].path.empty()) {
      throw_damaged_git_index("it replaces an entry with nothing");
    }
    target.mode = split.entries[next].mode;
    target.object = split.entries[next].object;
    target.is_file = split.entries[next].is_file;
    ++next;
  }
  for (const auto position : link.deleted) {
    shared.entries[checked(position, shared.entries)].is_file = false;
  }
  GitIndexBytes whole;
  whole.storage = std::move(split.storage);
  whole.storage.insert(whole.storage.end(), shared.storage.begin(), shared.storage.end());
  // What was added is stronger than an entry of the same path: it comes first and stays first.
  whole.entries.assign(split.entries.begin() + static_cast<std::ptrdiff_t>(next), split.entries.end());
  whole.entries.insert(whole.entries.end(), shared.entries.begin(), shared.entries.end());
  std::stable_sort(whole.entries.begin(), whole.entries.end(), [](const auto& a, const auto& b) {
    return a.path < b.path;
  });
  const auto weaker =
      std::unique(whole.entries.begin(), whole.entries.end(), [](const auto& a, const auto& b) {
        return a.path == b.path;
      });
  whole.entries.erase(weaker, whole.entries.end());
  return whole;
}

GitIndexBytes parsed_shared_part(std::string bytes, std::size_t object_name_bytes) {
  auto shared = parse_git_index(std::move(bytes), object_name_bytes);
  if (shared.link) {
    throw_damaged_git_index("its shared part is split as well");
  }
  check_order(shared.entries);
  return shared;
}

GitIndexBytes
shared_part(const GitCheckout& checkout, const std::string& name, std::size_t object_name_bytes) {
  const auto path = checkout.git_dir + "/sharedindex." + name;
  auto bytes = os::maybe_read_file(path, k_max_index_bytes);
  if (!bytes) {
    throw Error(ErrorCode::input_missing, "the index is split, and its shared part {} is not there", path)
        .with_hint("`git update-index --no-split-index` writes it as one; seed.git: all goes without");
  }
  return parsed_shared_part(std::move(*bytes), object_name_bytes);
}

} // namespace

GitIndex GitIndex::of(GitIndexBytes bytes) {
  check_order(bytes.entries);
  GitIndex index;
  index.m_storage = std::move(bytes.storage);
  index.m_files.reserve(bytes.entries.size());
  for (const auto& entry : bytes.entries) {
    if (entry.path.empty()) {
      throw_damaged_git_index("an entry has no path");
    }
    const bool repeated = !index.m_files.empty() && index.m_files.back().path == entry.path;
    if (entry.is_file && !repeated) {
      index.m_files.push_back({entry.path, entry.mode, entry.object});
    }
  }
  return index;
}

GitIndex GitIndex::parse(std::string bytes, std::size_t object_name_bytes) {
  auto parsed = parse_git_index(std::move(bytes), object_name_bytes);
  if (parsed.link) {
    throw_damaged_git_index("it is split");
  }
  return of(std::move(parsed));
}

GitIndex GitIndex::parse_split(std::string bytes, std::string shared, std::size_t object_name_bytes) {
  auto parsed = parse_git_index(std::move(bytes), object_name_bytes);
  if (!parsed.link) {
    return of(std::move(parsed));
  }
  return of(merged(std::move(parsed), parsed_shared_part(std::move(shared), object_name_bytes)));
}

GitIndex GitIndex::read(const GitCheckout& checkout) {
  auto bytes = os::maybe_read_file(checkout.git_dir + "/index", k_max_index_bytes);
  if (!bytes) {
    return {};
  }
  const auto name_bytes = object_name_bytes(checkout);
  try {
    auto parsed = parse_git_index(std::move(*bytes), name_bytes);
    if (parsed.link) {
      auto shared = shared_part(checkout, parsed.link->shared, name_bytes);
      parsed = merged(std::move(parsed), std::move(shared));
    }
    return of(std::move(parsed));
  } catch (Error& error) {
    error.add_context("while reading " + checkout.git_dir + "/index");
    throw;
  }
}

const TrackedFile* GitIndex::find(std::string_view path) const {
  const auto found = std::lower_bound(
      m_files.begin(), m_files.end(), path,
      [](const TrackedFile& file, std::string_view wanted) { return file.path < wanted; });
  return found != m_files.end() && found->path == path ? &*found : nullptr;
}

GitIndex::Range GitIndex::below(std::string_view directory) const {
  if (directory.empty()) {
    return {0, m_files.size()};
  }
  std::string low = std::string(directory) + "/";
  std::string high = std::string(directory) + "0"; // '0' follows '/'
  auto less = [](const TrackedFile& file, const std::string& bound) {
    return file.path < bound;
  };
  auto first = std::lower_bound(m_files.begin(), m_files.end(), low, less);
  auto last = std::lower_bound(first, m_files.end(), high, less);
  return {
      static_cast<std::size_t>(first - m_files.begin()), static_cast<std::size_t>(last - m_files.begin())};
}

bool GitIndex::is_unlisted(std::string_view directory) const {
  auto less = [](const TrackedFile& file, const std::string& bound) {
    return file.path < bound;
  };
  for (std::size_t end = directory.find('/');; end = directory.find('/', end + 1)) {
    const auto wanted = std::string(directory.substr(0, end)) + "/";
    const auto found = std::lower_bound(m_files.begin(), m_files.end(), wanted, less);
    if (found != m_files.end() && found->path == wanted) {
      return true;
    }
    if (end == std::string_view::npos) {
      return false;
    }
  }
}

} // namespace pyro::seed

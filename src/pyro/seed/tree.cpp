#include "tree.hpp"

#include "walk.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/inside.hpp>

#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <unistd.h>

namespace pyro::seed {

namespace {

constexpr std::size_t k_path_block = 1 << 20;
constexpr std::string_view k_digest_version = "pyro seed tree 1";

/// Not resolved again: whoever may change the checkout could have put a symlink there meanwhile.
os::Fd open_source(const std::string& source) {
  try {
    return os::open_found(source, O_RDONLY | O_DIRECTORY);
  } catch (const Error& error) {
    switch (error.error_number()) {
    case ENOENT:
      throw Error(ErrorCode::input_missing, "seed {} does not exist", source);
    case ENOTDIR:
      throw Error(ErrorCode::input_missing, "seed {} is not a directory", source);
    default:
      throw;
    }
  }
}

/// Beside the stat cache, or where there is none.
std::string spool_directory(const SeedRequest& request) {
  const auto slash = request.stat_cache.rfind('/');
  return slash == std::string::npos ? std::filesystem::temp_directory_path().string()
                                    : request.stat_cache.substr(0, slash);
}

} // namespace

SeedTree::SeedTree(SeedRequest request)
    : m_request(std::move(request)), m_root_fd(open_source(m_request.source)),
      m_scan_start_ns(file_clock_ns()), m_selector(m_request), m_spool(spool_directory(m_request)) {
  if (!m_request.stat_cache.empty()) {
    m_cache = StatCache::open(m_request.stat_cache);
  }
}

void SeedTree::walk() {
  m_root = std::make_unique<SeedDirectory>();
  m_root->rules = m_selector.root_rules();
  if (m_cache) {
    m_root->cached = m_cache->directory(0);
  }
  SeedWalker(*this).run();
  prune(*m_root);
  sort_warnings();
}

void SeedTree::sort_warnings() {
  std::sort(m_warnings.begin(), m_warnings.end(), [](const SeedWarning& a, const SeedWarning& b) {
    return path_before(a.path, b.path);
  });
}

/// Directories count only where they hold something, or where they really are empty and git is not asked.
bool SeedTree::prune(SeedDirectory& directory) {
  for (auto& name : directory.names) {
    if (name.child == nullptr) {
      continue;
    }
    if (prune(*name.child)) {
      name.set(stat_flags::k_chosen);
      name.mode = name.child->mode;
      name.stat = name.child->stat;
      directory.holds_anything = true;
    }
  }
  bool vanished = directory.stat == StatKey{};
  // git knows no empty directories, but needs those of its own.
  const bool is_gits =
      m_selector.in_checkout() && !(m_selector.takes_history() && is_in_dot_git(directory.path));
  return directory.holds_anything || (directory.was_empty && !vanished && !is_gits);
}

void SeedTree::flatten(const SeedDirectory& directory) {
  for (const auto& name : directory.names) {
    if (!name.has(stat_flags::k_chosen)) {
      continue;
    }
    auto prefix = directory.path.empty() ? 0 : directory.path.size() + 1;
    auto size = prefix + name.name.size();
    if (m_path_room < size) { // paths are never longer than PATH_MAX, since the walk opened them
      m_paths.push_back(std::make_unique<char[]>(k_path_block));
      m_path_room = k_path_block;
    }
    char* text = m_paths.back().get() + (k_path_block - m_path_room);
    if (prefix > 0) {
      std::copy(directory.path.begin(), directory.path.end(), text);
      text[prefix - 1] = '/';
    }
    std::copy(name.name.begin(), name.name.end(), text + prefix);
    m_path_room -= size;
    SeedEntry entry;
    entry.path = {text, size};
    entry.mode = name.mode;
    entry.mtime_ns = name.stat.mtime_ns;
    entry.ctime_ns = name.stat.ctime_ns;
    entry.has_xattrs = name.has(stat_flags::k_xattrs);
    if (name.child != nullptr) {
      entry.type = SeedType::directory;
    } else if (name.type == DT_LNK) {
      entry.type = SeedType::symlink;
      entry.link_target = name.link_target;
    } else {
      entry.type = SeedType::file;
      entry.size = name.stat.size;
      entry.has_digest = name.has(stat_flags::k_digest);
      entry.digest = name.digest;
    }
    m_entries.push_back(entry);
    m_names_of_entries.push_back(const_cast<SeedName*>(&name));
    if (name.child != nullptr) {
      flatten(*name.child);
    }
  }
}

const std::vector<SeedEntry>& SeedTree::entries() {
  if (m_flat) {
    return m_entries;
  }
  m_flat = true;
  flatten(*m_root);
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::size_t>> linked;
  for (std::size_t i = 0; i < m_entries.size(); ++i) {
    const SeedName& name = *m_names_of_entries[i];
    if (name.type == DT_REG && name.links > 1) {
      linked[{name.stat.device, name.stat.inode}].push_back(i);
    }
  }
  std::map<std::size_t, std::vector<std::size_t>> by_first; // numbered in the order of the paths
  for (auto& [inode, members] : linked) {
    if (members.size() > 1) {
      by_first.emplace(members.front(), std::move(members));
    }
  }
  std::uint32_t group = 0;
  for (const auto& [first, members] : by_first) {
    ++group;
    for (auto index : members) {
      m_entries[index].link_group = group;
    }
  }
  return m_entries;
}

void SeedTree::set_digest(std::size_t index, const ContentDigest& digest) {
  m_entries.at(index).digest = digest;
  m_entries.at(index).has_digest = true;
  SeedName& name = *m_names_of_entries.at(index);
  name.digest = digest;
  name.set(stat_flags::k_digest);
}

void SeedTree::note_xattrs(std::size_t index, int fd) {
  if (::flistxattr(fd, nullptr, 0) > 0) { // rare, so which ones is found out by the copy
    m_entries.at(index).has_xattrs = true;
    m_names_of_entries.at(index)->set(stat_flags::k_xattrs);
  }
}

std::vector<std::size_t> SeedTree::unread_indexes() {
  std::vector<std::size_t> unread;
  const auto& all = entries();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].type == SeedType::file && !all[i].has_digest) {
      unread.push_back(i);
    }
  }
  return unread;
}

bool SeedTree::has_unread() {
  std::vector<const SeedDirectory*> stack{m_root.get()};
  while (!stack.empty()) {
    const auto* directory = stack.back();
    stack.pop_back();
    for (const auto& name : directory->names) {
      if (name.has(stat_flags::k_chosen) && name.type == DT_REG && !name.has(stat_flags::k_digest)) {
        return true;
      }
    }
    for (const auto& child : directory->children) {
      stack.push_back(child.get());
    }
  }
  return false;
}

const ContentDigest& SeedTree::digest_of(SeedDirectory& directory) {
  if (directory.has_digest) {
    return directory.digest;
  }
  directory.has_digest = true;
  bool same = directory.same_as_cached;
  std::size_t index = 0;
  auto cached_names =
      directory.cached != nullptr ? m_cache->names(*directory.cached) : std::span<const CachedName>{};
  for (auto& name : directory.names) {
    if (name.type == DT_DIR) {
      if (name.child != nullptr) {
        name.digest = digest_of(*name.child);
      }
      same = same && cached_names[index].flags == name.flags && cached_names[index].mode == name.mode
             && cached_names[index].digest == name.digest;
    } else if (same) { // one that vanished is not chosen any more
      same = ((cached_names[index].flags ^ name.flags) & stat_flags::k_chosen) == 0;
    }
    if (same && name.type != DT_DIR && name.has(stat_flags::k_chosen)) {
      same = cached_names[index].stat == name.stat && cached_names[index].digest == name.digest;
    }
    ++index;
  }
  if (same) {
    directory.digest = directory.cached->digest;
    return directory.digest;
  }
  Sha256 sum;
  sum.field(k_digest_version);
  for (const auto& name : directory.names) {
    if (!name.has(stat_flags::k_chosen)) {
      continue;
    }
    sum.field(name.name);
    const char fixed[3] = {
        static_cast<char>(name.type), static_cast<char>(name.mode >> 8), static_cast<char>(name.mode & 0xff)};
    sum.update(std::string_view(fixed, sizeof fixed));
    if (name.type == DT_LNK) {
      sum.field(name.link_target);
    } else {
      if (name.type == DT_REG && !name.has(stat_flags::k_digest)) {
        throw Error(
            ErrorCode::internal, "seed file '{}' in '{}' has not been read", name.name, directory.path);
      }
      sum.update(std::as_bytes(std::span(name.digest)));
    }
  }
  directory.digest = sum.finish_bytes();
  directory.same_as_cached = false; // for needs_saving()
  return directory.digest;
}

HexDigest SeedTree::tree_digest() {
  return to_hex(digest_of(*m_root));
}

bool SeedTree::needs_saving(const SeedDirectory& directory) const {
  const auto* cached = directory.cached;
  if (cached == nullptr || !directory.same_as_cached || cached->stat != directory.stat
      || ((cached->flags & stat_flags::k_settled) != 0) != directory.listing_settled) {
    return true;
  }
  return std::any_of(directory.children.begin(), directory.children.end(), [&](const auto& child) {
    return needs_saving(*child);
  });
}

void SeedTree::save_stat_cache() {
  if (m_request.stat_cache.empty() || has_unread()) {
    return;
  }
  digest_of(*m_root);
  if (!needs_saving(*m_root)) {
    return;
  }
  // Breadth first: the names of a directory lie together, those of its subdirectories later.
  StatCacheBuilder builder;
  std::vector<const SeedDirectory*> order{m_root.get()};
  builder.add_directory({});
  for (std::size_t i = 0; i < order.size(); ++i) {
    const SeedDirectory& directory = *order[i];
    CachedDirectory record;
    record.stat = directory.stat;
    record.first = builder.name_count();
    record.count = static_cast<std::uint32_t>(directory.names.size());
    record.flags = stat_flags::k_digest | (directory.listing_settled ? stat_flags::k_settled : 0U);
    record.digest = directory.digest;
    builder.directory(static_cast<std::uint32_t>(i)) = record;
    for (const auto& name : directory.names) {
      CachedName cached;
      cached.stat = name.stat;
      cached.mode = name.mode;
      cached.type = name.type;
      cached.flags = name.flags;
      cached.digest = name.digest;
      if (name.child != nullptr) {
        cached.extra = builder.add_directory({});
        order.push_back(name.child);
      } else if (!name.link_target.empty()) {
        cached.extra = builder.add_text(name.link_target);
        cached.extra_size = static_cast<std::uint32_t>(name.link_target.size());
      }
      builder.add_name(cached, name.name);
    }
  }
  save_spare(m_request.stat_cache, [&] { builder.save(m_request.stat_cache); });
}

} // namespace pyro::seed

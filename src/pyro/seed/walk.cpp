#include "walk.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/os/tree_walk.hpp>

#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::seed {

namespace {

constexpr std::size_t k_listing_buffer = 128 << 10;
constexpr std::size_t k_helpers_from = 8; // waiting directories that make a second thread worthwhile

struct ListedName {
  std::size_t offset;
  std::size_t size;
  std::uint8_t type;
};

struct LinuxDirent {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t size;
  std::uint8_t type;
  char name[1];
};

std::uint8_t type_of_mode(mode_t mode) {
  return static_cast<std::uint8_t>(IFTODT(mode));
}

const char* why_left_out(std::uint8_t type) {
  return type == DT_SOCK      ? "a socket is left out"
         : type == DT_FIFO    ? "a FIFO is left out"
         : type == DT_UNKNOWN ? "it vanished while the seed was read"
                              : "a device is left out";
}

std::string path_of(const SeedDirectory& directory, const SeedName& name) {
  return directory.path.empty() ? std::string(name.name) : fmt::format("{}/{}", directory.path, name.name);
}

} // namespace

SeedWalker::SeedWalker(SeedTree& tree) : m_tree(tree) {
}

void SeedWalker::run() {
  m_waiting.push_back(m_tree.m_root.get());
  work();
  for (auto& helper : m_helpers) {
    helper.join();
  }
  if (m_failure) {
    std::rethrow_exception(m_failure);
  }
}

void SeedWalker::spawn_helpers() {
  while (m_helpers.size() + 1 < m_tree.m_request.threads) {
    m_helpers.emplace_back([this] { work(); });
  }
}

void SeedWalker::work() {
  std::unique_lock lock(m_mutex);
  for (;;) {
    m_changed.wait(lock, [&] { return !m_waiting.empty() || m_busy == 0 || m_failure; });
    if (m_failure || m_waiting.empty()) {
      m_changed.notify_all();
      return;
    }
    SeedDirectory* directory = m_waiting.back();
    m_waiting.pop_back();
    ++m_busy;
    lock.unlock();
    std::exception_ptr failure;
    try {
      check_interruption(); // asked for in the thread of the command, and its helpers end with it
      process(*directory);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --m_busy;
    if (failure && !m_failure) {
      m_failure = failure;
    }
    for (auto child = directory->children.rbegin(); child != directory->children.rend(); ++child) {
      m_waiting.push_back(child->get());
    }
    if (m_helpers.empty() && m_waiting.size() >= k_helpers_from) {
      try {
        spawn_helpers();
      } catch (const std::system_error&) { // no more threads here: this one does it all
      }
    }
    if (directory->children.size() > 1 || m_busy == 0 || m_failure) {
      m_changed.notify_all();
    }
  }
}

void SeedWalker::process(SeedDirectory& directory) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const char* path = directory.path.empty() ? "." : directory.path.c_str();
  int raw = -1;
  do {
    raw = static_cast<int>(::syscall(SYS_openat2, m_tree.root_fd(), path, &how, sizeof how));
  } while (raw < 0 && (errno == EINTR || errno == EAGAIN));
  os::Fd fd(raw);
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) { // vanished since its parent was read
      directory.names.clear();
      directory.stat = {};
      return;
    }
    throw Error::from_errno(
        errno, fmt::format("read seed directory {}/{}", m_tree.request().source, directory.path));
  }
  auto stat = seed_stat_of(fd.get(), directory.path);
  directory.stat = stat.key;
  directory.mode = seed_mode_of(stat.mode);
  directory.listing_settled = is_settled(directory.stat, m_tree.m_scan_start_ns);
  if (!list_from_cache(directory)) {
    list(directory, fd.get());
  }
  directory.was_empty = directory.names.empty();
  choose(directory, fd.get());
  directory.rules = {};
}

bool SeedWalker::list_from_cache(SeedDirectory& directory) {
  const auto* cached = directory.cached;
  if (cached == nullptr || (cached->flags & stat_flags::k_settled) == 0 || cached->stat != directory.stat) {
    return false;
  }
  auto names = m_tree.m_cache->names(*cached);
  if (names.size() != cached->count) {
    return false;
  }
  directory.names.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    directory.names[i].name = m_tree.m_cache->name(names[i]);
    directory.names[i].type = names[i].type;
  }
  return true;
}

void SeedWalker::list(SeedDirectory& directory, int fd) {
  thread_local std::vector<char> buffer(k_listing_buffer);
  std::vector<ListedName> listed;
  for (;;) {
    auto got = ::syscall(SYS_getdents64, fd, buffer.data(), buffer.size());
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw Error::from_errno(
          errno, fmt::format("read seed directory {}/{}", m_tree.request().source, directory.path));
    }
    if (got == 0) {
      break;
    }
    for (long at = 0; at < got;) {
      const char* base = buffer.data() + at;
      std::uint16_t size = 0;
      std::memcpy(&size, base + offsetof(LinuxDirent, size), sizeof size);
      const char* name = base + offsetof(LinuxDirent, name);
      auto length = std::strlen(name);
      if (!(name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')))) {
        listed.push_back(
            {directory.text.size(), length, static_cast<std::uint8_t>(base[offsetof(LinuxDirent, type)])});
        directory.text.append(name, length + 1); // with its NUL
      }
      at += size;
    }
  }
  directory.names.resize(listed.size());
  std::string_view text = directory.text;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    directory.names[i].name = text.substr(listed[i].offset, listed[i].size);
    directory.names[i].type = listed[i].type;
  }
  std::sort(directory.names.begin(), directory.names.end(), [](const SeedName& a, const SeedName& b) {
    return a.name < b.name;
  });
}

void SeedWalker::choose(SeedDirectory& directory, int fd) {
  auto has = [&](std::string_view wanted) {
    auto found = std::lower_bound(
        directory.names.begin(), directory.names.end(), wanted,
        [](const SeedName& name, std::string_view text) { return name.name < text; });
    return found != directory.names.end() && found->name == wanted;
  };
  directory.rules = m_tree.m_selector.enter(
      directory.rules, fd, directory.path, has(".gitignore"), has(".pyroignore"), has(".git"));
  DirectorySelection selection(m_tree.m_selector, directory.rules, directory.path);

  std::span<const CachedName> cached_names;
  if (directory.cached != nullptr) {
    cached_names = m_tree.m_cache->names(*directory.cached);
  }
  std::size_t next = 0;
  bool same = directory.cached != nullptr && (directory.cached->flags & stat_flags::k_digest) != 0
              && cached_names.size() == directory.names.size();
  for (auto& name : directory.names) {
    while (next < cached_names.size() && m_tree.m_cache->name(cached_names[next]) < name.name) {
      ++next;
    }
    const CachedName* cached = nullptr;
    if (next < cached_names.size() && m_tree.m_cache->name(cached_names[next]) == name.name) {
      cached = &cached_names[next];
    }
    std::optional<SeedStat> status;
    if (name.type == DT_UNKNOWN) {
      status = stat_of(directory, name, fd);
      name.type = status ? type_of_mode(status->mode) : static_cast<std::uint8_t>(DT_UNKNOWN);
    }
    auto verdict = selection.judge(name.name, name.type == DT_DIR);
    if (verdict.taken) {
      if (name.type == DT_DIR) {
        add_child(directory, name, verdict, cached);
      } else if (look_at(directory, name, fd, cached)) {
        name.set(stat_flags::k_chosen);
      }
    }
    directory.holds_anything = directory.holds_anything || name.has(stat_flags::k_chosen);
    same = same && cached != nullptr && cached->type == name.type
           && (name.type == DT_DIR || (cached->flags == name.flags && cached->mode == name.mode));
  }
  directory.same_as_cached = same;
}

std::optional<SeedStat> SeedWalker::stat_of(const SeedDirectory& directory, const SeedName& name, int fd) {
  try {
    return seed_stat(fd, name.name.data());
  } catch (const Error&) { // seldom, and only then is a path needed
    return naming_whole(
        m_tree.request().source, path_of(directory, name), [&] { return seed_stat(fd, name.name.data()); });
  }
}

void SeedWalker::add_child(
    SeedDirectory& directory, SeedName& name, const DirectorySelection::Verdict& verdict,
    const CachedName* cached) {
  auto child = std::make_unique<SeedDirectory>();
  child->path.reserve(directory.path.size() + 1 + name.name.size());
  child->path = directory.path;
  if (!child->path.empty()) {
    child->path += '/';
  }
  child->path += name.name;
  child->rules = directory.rules;
  child->rules.tracked = verdict.tracked;
  child->rules.only_tracked = verdict.only_tracked;
  if (cached != nullptr && cached->type == DT_DIR && cached->extra != k_no_index) {
    child->cached = m_tree.m_cache->directory(cached->extra);
  }
  name.child = child.get();
  directory.children.push_back(std::move(child));
}

bool SeedWalker::look_at(SeedDirectory& directory, SeedName& name, int fd, const CachedName* cached) {
  if (name.type != DT_REG && name.type != DT_LNK) {
    warn(directory, name, why_left_out(name.type));
    return false;
  }
  auto status = stat_of(directory, name, fd);
  if (!status) {
    return false;
  }
  name.type = type_of_mode(status->mode);
  if (name.type != DT_REG && name.type != DT_LNK) {
    warn(directory, name, why_left_out(name.type));
    return false;
  }
  const FileId id{status->key.device, status->key.inode};
  const auto& outputs = m_tree.request().own_outputs;
  if (std::find(outputs.begin(), outputs.end(), id) != outputs.end()) {
    warn(directory, name, "pyro itself writes to it: left out");
    return false;
  }
  name.stat = status->key;
  name.links = status->links;
  name.mode = seed_mode_of(status->mode);
  if (is_settled(name.stat, m_tree.m_scan_start_ns)) {
    name.set(stat_flags::k_settled);
  }
  bool known = cached != nullptr && cached->type == name.type && (cached->flags & stat_flags::k_settled) != 0
               && cached->stat == name.stat;
  if (name.type == DT_LNK) {
    if (known) {
      name.link_target = m_tree.m_cache->text(cached->extra, cached->extra_size);
    }
    if (name.link_target.empty()) {
      directory.targets.reserve(directory.names.size()); // views must not move
      directory.targets.push_back(os::read_link_at(fd, std::string(name.name)));
      name.link_target = directory.targets.back();
    }
    name.set(stat_flags::k_digest);
  } else if (known && (cached->flags & stat_flags::k_digest) != 0) {
    name.digest = cached->digest;
    name.set(static_cast<std::uint8_t>(stat_flags::k_digest | (cached->flags & stat_flags::k_xattrs)));
  }
  return true;
}

void SeedWalker::warn(const SeedDirectory& directory, const SeedName& name, const char* reason) {
  std::lock_guard lock(m_mutex);
  m_tree.m_warnings.push_back({path_of(directory, name), reason});
}

} // namespace pyro::seed

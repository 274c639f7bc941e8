#include "tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_walk.hpp>

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::environment {

namespace {

/// How many ids exist inside.
std::uint64_t id_count(const std::vector<os::IdRange>& ranges) {
  std::uint64_t count = 0;
  for (const auto& range : ranges) {
    count = std::max<std::uint64_t>(count, std::uint64_t{range.inside} + range.count);
  }
  return count;
}

class PlanWriter {
public:
  explicit PlanWriter(const std::string& tree)
      : m_root(os::open_directory(tree)), m_uids(id_count(os::IdSpace::current().uids())),
        m_gids(id_count(os::IdSpace::current().gids())) {}

  void write(const std::string& path, const PlannedEntry& entry) {
    switch (entry.kind) {
    case PlannedEntry::Kind::directory:
    case PlannedEntry::Kind::opaque_directory:
      make_directory(path, entry);
      break;
    case PlannedEntry::Kind::copied_file:
    case PlannedEntry::Kind::written_file:
      make_file(path, entry);
      break;
    case PlannedEntry::Kind::symlink:
      check(::symlinkat(entry.text.c_str(), m_root.get(), path.c_str()), "link", path);
      own(path, entry);
      set_time(path, entry);
      break;
    case PlannedEntry::Kind::whiteout:
      check(::mknodat(m_root.get(), path.c_str(), S_IFCHR, ::makedev(0, 0)), "create whiteout", path);
      break;
    }
  }

  void set_time(const std::string& path, const PlannedEntry& entry) {
    if (entry.mtime.tv_sec == 0) {
      return;
    }
    const std::array<timespec, 2> times{entry.mtime, entry.mtime};
    check(::utimensat(m_root.get(), name_of(path), times.data(), AT_SYMLINK_NOFOLLOW), "set times of", path);
  }

private:
  static const char* name_of(const std::string& path) { return path.empty() ? "." : path.c_str(); }

  static void check(int result, const char* attempt, const std::string& path) {
    if (result < 0) {
      throw Error::from_errno(errno, fmt::format("{} /{} in a new layer", attempt, path));
    }
  }

  uid_t inside_uid(const PlannedEntry& entry) const { return entry.uid < m_uids ? entry.uid : 0; }

  gid_t inside_gid(const PlannedEntry& entry) const { return entry.gid < m_gids ? entry.gid : 0; }

  void own(const std::string& path, const PlannedEntry& entry) {
    check(
        ::fchownat(m_root.get(), name_of(path), inside_uid(entry), inside_gid(entry), AT_SYMLINK_NOFOLLOW),
        "set the owner of", path);
  }

  void make_directory(const std::string& path, const PlannedEntry& entry) {
    if (!path.empty()) {
      check(::mkdirat(m_root.get(), path.c_str(), 0700), "create directory", path);
    }
    own(path, entry);
    check(::fchmodat(m_root.get(), name_of(path), entry.mode & 07777, 0), "set the mode of", path);
    if (entry.kind == PlannedEntry::Kind::opaque_directory) {
      const auto fd = os::open_directory_at(m_root.get(), path);
      check(::fsetxattr(fd.get(), "user.overlay.opaque", "y", 1, 0), "mark as opaque", path);
    }
  }

  void make_file(const std::string& path, const PlannedEntry& entry) {
    std::optional<os::Fd> source;
    if (entry.kind == PlannedEntry::Kind::copied_file) {
      source = os::maybe_open(entry.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

      struct stat status {};

      if (!source || ::fstat(source->get(), &status) < 0 || !S_ISREG(status.st_mode)
          || (status.st_mode & S_IROTH) == 0) {
        return;
      }
    }
    const auto target = os::open_at(m_root.get(), path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (source) {
      os::copy_content(source->get(), target.get());
    } else {
      os::write_all(target.get(), entry.text);
    }
    check(::fchown(target.get(), inside_uid(entry), inside_gid(entry)), "set the owner of", path);
    check(::fchmod(target.get(), entry.mode & 07777), "set the mode of", path);
    set_time(path, entry);
  }

  os::Fd m_root;
  std::uint64_t m_uids;
  std::uint64_t m_gids;
};

bool is_public_directory(const struct stat& status) {
  constexpr mode_t k_list = S_IROTH | S_IXOTH;
  return (status.st_mode & k_list) == k_list;
}

} // namespace

PlannedEntry planned_directory(mode_t mode) {
  return {PlannedEntry::Kind::directory, mode};
}

PlannedEntry planned_file(std::string content, mode_t mode) {
  return {PlannedEntry::Kind::written_file, mode, 0, 0, {}, std::move(content)};
}

PlannedEntry planned_symlink(std::string target) {
  return {PlannedEntry::Kind::symlink, 0777, 0, 0, {}, std::move(target)};
}

PlannedEntry planned_like(PlannedEntry::Kind kind, const struct stat& status, std::string text) {
  return {kind, status.st_mode & 07777, status.st_uid, status.st_gid, status.st_mtim, std::move(text)};
}

std::uint64_t plan_public_copy(
    PlannedTree& plan, const std::string& from, const std::string& path,
    const std::function<bool(const std::string& path)>& wanted) {
  struct stat top {};

  if (::lstat(from.c_str(), &top) < 0) {
    return 0;
  }
  std::uint64_t bytes = 0;
  const auto add_file = [&](const struct stat& status, const std::string& at, std::string source) {
    if ((status.st_mode & S_IROTH) != 0) {
      plan[at] = planned_like(PlannedEntry::Kind::copied_file, status, std::move(source));
      bytes += static_cast<std::uint64_t>(status.st_size);
    }
  };
  if (S_ISREG(top.st_mode)) {
    add_file(top, path, from);
  }
  if (!S_ISDIR(top.st_mode)) {
    return bytes;
  }
  plan[path] = planned_like(PlannedEntry::Kind::directory, top);
  if (!is_public_directory(top)) {
    return bytes;
  }
  os::TreeVisitor visitor;
  visitor.enter = [&](const os::TreeEntry& entry) {
    const auto at = path + "/" + entry.path;
    if (wanted && !wanted(at)) {
      return os::Visit::skip;
    }
    if (entry.is_directory()) {
      plan[at] = planned_like(PlannedEntry::Kind::directory, entry.status);
      return is_public_directory(entry.status) ? os::Visit::go_on : os::Visit::skip;
    }
    if (entry.is_symlink()) {
      plan[at] = planned_like(
          PlannedEntry::Kind::symlink, entry.status, os::read_link_at(entry.directory, entry.name));
    } else if (entry.is_file()) {
      add_file(entry.status, at, from + "/" + entry.path);
    }
    return os::Visit::go_on;
  };
  os::walk_tree(from, visitor);
  return bytes;
}

void write_planned_tree(const PlannedTree& plan, const std::string& tree) {
  os::make_directories(tree);
  os::IdSpace::current().run([&] {
    PlanWriter writer(tree);
    for (const auto& [path, entry] : plan) {
      writer.write(path, entry);
    }
    for (auto entry = plan.rbegin(); entry != plan.rend(); ++entry) { // the content changed the times
      if (entry->second.kind == PlannedEntry::Kind::directory
          || entry->second.kind == PlannedEntry::Kind::opaque_directory) {
        writer.set_time(entry->first, entry->second);
      }
    }
    return Json();
  });
}

void put_file(int tree, const std::string& path, std::string_view content, Existing existing, mode_t mode) {
  const std::filesystem::path whole(path);
  const auto parent = os::maybe_open_beneath(tree, whole.parent_path().string(), O_RDONLY | O_DIRECTORY);
  const auto name = whole.filename().string();
  if (!parent) {
    return;
  }
  if (os::maybe_status_at(parent->get(), name)) {
    if (existing == Existing::keep || (::unlinkat(parent->get(), name.c_str(), 0) < 0 && errno == EISDIR)) {
      return;
    }
  }
  const auto file = os::open_at(parent->get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  os::write_all(file.get(), content);
  if (::fchmod(file.get(), mode) < 0) {
    throw Error::from_errno(errno, fmt::format("chmod {}", path));
  }
}

void complete_root(int tree) {
  for (const auto& [name, mode] : k_mount_points) {
    if (::mkdirat(tree, name, 0700) == 0) {
      if (::fchmodat(tree, name, mode, 0) < 0) {
        throw Error::from_errno(errno, fmt::format("chmod {}", name));
      }
    } else if (errno != EEXIST) {
      throw Error::from_errno(errno, fmt::format("create directory {}", name));
    }
  }
  put_file(tree, "etc/hosts", k_hosts_file, Existing::keep);
  put_file(tree, "etc/resolv.conf", resolver_configuration(), Existing::keep);
}

std::string resolver_configuration(const std::string& host_root) {
  constexpr std::size_t k_limit = 1 << 16;
  auto text = os::maybe_read_file(host_root + "/etc/resolv.conf", k_limit).value_or("");
  if (text.find("127.0.0.53")
      != std::string::npos) { // systemd-resolved's stub answers only on the host itself
    text = os::maybe_read_file(host_root + "/run/systemd/resolve/resolv.conf", k_limit).value_or(text);
  }
  return text;
}

} // namespace pyro::environment

#include "file_receiver.hpp"

#include "located.hpp"
#include "users.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/tree_merge.hpp>
#include <pyro/os/tree_walk.hpp>
#include <pyro/os/tree_writer.hpp>

#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace pyro::agent {

namespace {

using protocol::FileRecord;

constexpr std::string_view k_change = "change";

/// The directory for all changes. What else the sandbox has put in its place (a symlink, say, that would make
/// us clean up where it leads) is not ours and is taken away.
os::Fd open_staging(const std::string& staging) {
  const auto slash = staging.rfind('/');
  const auto top = os::open_directory(slash == 0 ? "/" : staging.substr(0, slash));
  const auto name = staging.substr(slash + 1);
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (::mkdirat(top.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
      throw Error::from_errno(errno, "create " + staging);
    }
    auto directory = os::maybe_open_beneath(top.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (directory) {
      return std::move(*directory);
    }
    if (::unlinkat(top.get(), name.c_str(), 0) != 0 && errno != ENOENT && errno != EISDIR) {
      throw Error::from_errno(errno, fmt::format("remove {}, which is no directory,", staging));
    }
  }
  throw Error(ErrorCode::bad_state, "{} of the sandbox is no directory", staging)
      .with_hint("pyro prepares changes of files there; remove what lies there");
}

/// A directory below `staging` for one change, gone with all that is left in it at the end; so is `staging`
/// itself where nobody else uses it. A change whose process was killed leaves one behind, which is not
/// locked.
class StagingArea {
public:
  explicit StagingArea(const std::string& staging) : m_staging(staging), m_area(open_staging(staging)) {
    remove_abandoned();
    m_directory.emplace(m_staging, std::string(k_change));
    m_lock = os::open_directory(m_directory->path());
    ::flock(m_lock.get(), LOCK_EX);
    prepared = make("prepared");
    attic = make("attic");
  }

  ~StagingArea() {
    m_directory.reset();
    ::rmdir(m_staging.c_str());
  }

  StagingArea(const StagingArea&) = delete;
  StagingArea& operator=(const StagingArea&) = delete;

  os::Fd prepared;
  os::Fd attic;

private:
  os::Fd make(const std::string& name) const {
    if (::mkdirat(m_lock.get(), name.c_str(), 0700) != 0) {
      throw Error::from_errno(errno, "create " + m_directory->path() + "/" + name);
    }
    return os::open_directory_at(m_lock.get(), name);
  }

  /// Only what has a name of ours: an image may have a directory of this name for purposes of its own.
  void remove_abandoned() const {
    for (const auto& name : os::names_in(m_area.get())) {
      const auto directory = name.starts_with(fmt::format("{}-", k_change))
                                 ? os::maybe_open_beneath(m_area.get(), name, O_RDONLY | O_DIRECTORY)
                                 : std::nullopt;
      if (directory && ::flock(directory->get(), LOCK_EX | LOCK_NB) == 0) {
        os::remove_tree(m_staging + "/" + name);
      }
    }
  }

  std::string m_staging;
  os::Fd m_area;
  std::optional<os::TempDir> m_directory;
  os::Fd m_lock;
};

/// Where the change is prepared: on the file system of what is changed, and no part of it.
std::string staging_of(const protocol::FileChangeRequest& request) {
  const auto workspace = located("/workspace");
  return is_workspace_elsewhere() ? workspace.substr(0, workspace.rfind('/')) + request.staging
                                  : request.staging;
}

/// "/workspace" as a directory, with no symlink on the way.
os::Fd open_root(const std::string& path) {
  if (is_workspace_elsewhere()) {
    return os::open_directory(located(path));
  }
  const auto top = os::open_directory("/");
  const auto first = path.find_first_not_of('/');
  auto directory = first == std::string::npos
                       ? std::nullopt
                       : os::maybe_open_beneath(top.get(), path.substr(first), O_RDONLY | O_DIRECTORY);
  if (!directory) {
    throw Error(ErrorCode::bad_state, "{} is no directory of the workspace", path);
  }
  return std::move(*directory);
}

class Receiver {
public:
  Receiver(const protocol::FileChangeRequest& request, int input)
      : m_input(input), m_live(open_root(request.root)), m_staging(staging_of(request)),
        m_owner(resolve_user(request.user, UserDatabase::read())),
        m_writer(m_staging.prepared.get(), policy()),
        m_merge(m_live.get(), m_staging.prepared.get(), m_staging.attic.get()) {}

  protocol::FileChangeResult run() {
    for (;;) {
      const auto record = next();
      if (record.kind == FileRecord::Kind::commit) {
        break;
      }
      take(record);
    }
    m_writer.finish();
    const auto counts = m_merge.commit();
    return {counts.added, counts.replaced, counts.removed, counts.unchanged, m_bytes};
  }

private:
  static os::TreePolicy policy() {
    os::TreePolicy policy;
    policy.owners = os::Owners::from_entry;
    return policy;
  }

  std::string read_exactly(std::size_t size) const {
    std::string bytes(size, '\0');
    for (std::size_t filled = 0; filled < size;) {
      const auto count = os::read_some(m_input, std::span(bytes).subspan(filled));
      if (count.value_or(0) == 0) {
        throw Error(ErrorCode::interrupted, "the change ended before it was complete; nothing was changed");
      }
      filled += *count;
    }
    return bytes;
  }

  FileRecord next() const {
    const auto text = read_exactly(protocol::record_length(read_exactly(4)));
    return protocol::record_from_json(parse_json(text, "a file record"));
  }

  os::EntryMeta meta_of(const FileRecord& record) const {
    os::EntryMeta meta;
    meta.mode = record.mode;
    const bool may_give_away =
        ::geteuid() == 0; // not where we are an ordinary user's process (backend "host")
    meta.uid = may_give_away ? record.uid.value_or(m_owner.uid) : m_owner.uid;
    meta.gid = may_give_away ? record.gid.value_or(m_owner.gid) : m_owner.gid;
    if (record.mtime_ns) {
      constexpr std::int64_t k_second = 1'000'000'000;
      auto seconds = *record.mtime_ns / k_second;
      auto rest = *record.mtime_ns % k_second;
      seconds -= rest < 0 ? 1 : 0;
      rest += rest < 0 ? k_second : 0;
      meta.mtime = timespec{static_cast<time_t>(seconds), static_cast<long>(rest)};
    }
    meta.xattrs.assign(record.xattrs.begin(), record.xattrs.end());
    return meta;
  }

  /// Directories that no record made belong to whom the other entries belong to.
  void make_parents(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      if (m_directories.insert(path.substr(0, slash)).second) {
        os::EntryMeta meta;
        meta.mode = 0755;
        meta.uid = m_owner.uid;
        meta.gid = m_owner.gid;
        m_writer.add_directory(path.substr(0, slash), meta);
      }
    }
  }

  void fill(int file, std::uint64_t size) {
    std::array<char, 64 << 10> buffer;
    while (size > 0) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.size()));
      const auto count = os::read_some(m_input, std::span(buffer).first(wanted));
      if (count.value_or(0) == 0) {
        throw Error(ErrorCode::interrupted, "the change ended before it was complete; nothing was changed");
      }
      os::write_all(file, {buffer.data(), *count});
      size -= *count;
      m_bytes += *count;
    }
  }

  void take(const FileRecord& record) {
    using Kind = FileRecord::Kind;
    const auto path = os::normal_member_path(record.path, {});
    if (path.empty()) {
      return; // the root itself is there, and stays as it is
    }
    switch (record.kind) {
    case Kind::remove:
      m_merge.remove(path, record.prune ? os::TreeMerge::Prune::yes : os::TreeMerge::Prune::no);
      return;
    case Kind::expect:
      m_merge.expect(
          path, record.absent ? std::nullopt
                              : std::optional(os::TreeMerge::Look{record.size, record.mtime_ns.value_or(0)}));
      return;
    default:
      make_parents(path);
    }
    if (record.kind == Kind::directory) {
      m_directories.insert(path);
      m_writer.add_directory(path, meta_of(record));
    } else if (record.kind == Kind::symlink) {
      m_writer.add_symlink(path, record.target, meta_of(record));
    } else if (record.kind == Kind::hardlink) {
      m_writer.add_hardlink(path, os::normal_member_path(record.target, {}));
    } else {
      m_writer.add_file(path, meta_of(record), [&](int file) { fill(file, record.size); });
    }
  }

  int m_input;
  os::Fd m_live;
  StagingArea m_staging;
  UserIdentity m_owner;
  os::TreeWriter m_writer;
  os::TreeMerge m_merge;
  std::set<std::string> m_directories;
  std::uint64_t m_bytes = 0;
};

} // namespace

protocol::FileChangeResult receive_file_change(const protocol::FileChangeRequest& request, int input) {
  return Receiver(request, input).run();
}

} // namespace pyro::agent

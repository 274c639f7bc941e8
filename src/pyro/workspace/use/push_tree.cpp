#include "push_tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/os/archive_reader.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/regular_file.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/os/tree_walk.hpp>

#include <fcntl.h>
#include <filesystem>
#include <map>

namespace pyro::workspace {

namespace {

using protocol::FileRecord;

void send_content(FileRecord record, int fd, GuestChange& change) {
  for (const auto& [name, value] : os::extended_attributes_of(fd)) {
    if (os::may_keep_xattr(name, {})) {
      record.xattrs[name] = value;
    }
  }
  change.send_file(record, fd);
}

class Push {
public:
  Push(std::string destination, GuestChange& change)
      : m_destination(std::move(destination)), m_change(change) {}

  Pushed run(int root) {
    if (!m_destination.empty()) {
      FileRecord top;
      top.kind = FileRecord::Kind::directory;
      top.path = m_destination;
      top.mode = 0755;
      m_change.send(top);
    }
    os::walk_tree(root, {[this](const os::TreeEntry& entry) { return visit(entry); }, {}});
    return m_pushed;
  }

private:
  os::Visit visit(const os::TreeEntry& entry) {
    check_interruption();
    auto record =
        record_of(m_destination.empty() ? entry.path : m_destination + "/" + entry.path, entry.status);
    if (entry.is_directory()) {
      m_change.send(record);
    } else if (entry.is_symlink()) {
      record.target = os::read_link_at(entry.directory, entry.name);
      m_change.send(record);
    } else if (entry.is_file()) {
      file(entry, record);
    } else {
      ++m_pushed.left_out;
      return os::Visit::go_on;
    }
    ++m_pushed.entries;
    return os::Visit::go_on;
  }

  void file(const os::TreeEntry& entry, FileRecord& record) {
    const std::pair identity{entry.status.st_dev, entry.status.st_ino};
    if (entry.status.st_nlink > 1) {
      const auto [first, is_new] = m_links.try_emplace(identity, record.path);
      if (!is_new) {
        record.kind = FileRecord::Kind::hardlink;
        record.target = first->second;
        record.size = 0;
        m_change.send(record);
        return;
      }
    }
    const auto opened = os::maybe_open_beneath(entry.directory, entry.name, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    struct stat now {};

    if (!opened || ::fstat(opened->get(), &now) != 0 || !S_ISREG(now.st_mode)) {
      throw Error(ErrorCode::stale, "{} changed while it was read", entry.path);
    }
    record.size = static_cast<std::uint64_t>(now.st_size);
    send_content(std::move(record), opened->get(), m_change);
  }

  std::string m_destination;
  GuestChange& m_change;
  std::map<std::pair<dev_t, ino_t>, std::string> m_links;
  Pushed m_pushed;
};

} // namespace

PushSource push_source_of(const std::string& path) {
  PushSource source;
  std::error_code missing;
  source.path = std::filesystem::canonical(path, missing).string();
  if (missing) {
    throw Error(ErrorCode::input_missing, "source_path '{}' does not exist", path);
  }
  source.is_archive = !os::is_directory(source.path);
  if (source.is_archive && !os::has_archive_name(source.path)) {
    throw Error(
        ErrorCode::invalid_argument, "source_path '{}' is neither a directory nor named like an archive",
        path)
        .with_hint("archives end in .tar, .tar.gz, .tgz, .tar.zst, .tar.xz or .tar.bz2");
  }
  return source;
}

Pushed push_tree(
    const Context& context, const PushSource& source, const std::string& destination, GuestChange& change) {
  if (!source.is_archive) {
    return Push(destination, change).run(os::open_directory(source.path).get());
  }
  const store::Staging staging(context.base);
  os::make_directories(staging.tree());
  const auto unpacked = os::open_directory(staging.tree());
  // Whole before a byte is sent: an archive that lies about its end has done nothing by then.
  os::extract_archive(source.path, unpacked.get(), {});
  os::crash_point("push.unpacked");
  return Push(destination, change).run(unpacked.get());
}

std::uint64_t push_file(const std::string& path, const std::string& destination, GuestChange& change) {
  const auto file = os::open_regular(path);

  struct stat status {};

  if (::fstat(file.get(), &status) != 0) {
    throw Error::from_errno(errno, "look at " + path);
  }
  const auto record = record_of(destination, status);
  send_content(record, file.get(), change);
  return record.size;
}

} // namespace pyro::workspace

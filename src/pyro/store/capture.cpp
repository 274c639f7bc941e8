#include "capture.hpp"

#include "capture_memory.hpp"
#include "content_compare.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>

#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace pyro::store {

namespace {

bool is_kept_type(const struct stat& status) {
  const mode_t type = status.st_mode & S_IFMT;
  return type != S_IFSOCK && type != S_IFBLK && (type != S_IFCHR || os::is_whiteout(status));
}

void strip_overlay_bookkeeping(const os::TreeEntry& entry) {
  const os::Fd fd = os::open_at(entry.directory, entry.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  std::string names(64 << 10, '\0');
  const ssize_t size = flistxattr(fd.get(), names.data(), names.size());
  for (ssize_t at = 0; at < size;) {
    const std::string name = names.c_str() + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    if (os::is_overlay_bookkeeping(name) && fremovexattr(fd.get(), name.c_str()) != 0 && errno != ENODATA) {
      throw Error::from_errno(errno, fmt::format("remove {} from {}", name, entry.path));
    }
  }
}

class Capture {
public:
  Capture(const std::string& target, const CaptureOptions& options) : m_target(target), m_options(options) {
    for (const std::string& path : options.drop) {
      std::string clean;
      for (const std::string& component : path_components(path)) {
        clean = joined(clean, component);
      }
      m_drop.insert(clean);
    }
  }

  CaptureReport copy(const std::vector<UpperPart>& parts) {
    CaptureMemory memory(m_options.memory, m_options.written_back);
    for (const UpperPart& part : parts) {
      make_way_for(part);
      os::CopyOptions options;
      options.wanted = [this, &part](const os::TreeEntry& entry) {
        return is_wanted(joined(part.at, entry.path));
      };
      options.same_file = [&memory, &part](const os::TreeEntry& entry) {
        return memory.same_file(joined(part.at, entry.path), entry);
      };
      const os::Fd upper = os::open_directory(part.upper);
      memory.begin_part(upper.get());
      const os::CopyReport report = os::copy_tree(upper.get(), joined(m_target, part.at), options);
      m_report.entries += report.entries;
      m_report.linked += report.linked;
      m_report.copied += report.copied + report.reflinked;
    }
    memory.save();
    return m_report;
  }

  CaptureReport move(const std::vector<UpperPart>& parts) {
    for (const UpperPart& part : parts) {
      make_way_for(part);
      const std::string target = joined(m_target, part.at);
      if (::rename(part.upper.c_str(), target.c_str()) != 0) {
        throw Error::from_errno(errno, fmt::format("move {} to {}", part.upper, target));
      }
    }
    const os::Fd root = os::open_directory(m_target);
    os::walk_tree(
        root.get(), os::TreeVisitor{[this](const os::TreeEntry& entry) { return clean(entry); }, {}});
    if (m_options.below) {
      leave_out_unchanged(root.get());
    }
    return m_report;
  }

private:
  bool is_wanted(const std::string& path) {
    const bool wanted = !m_drop.contains(path);
    m_report.dropped += wanted ? 0 : 1;
    return wanted;
  }

  /// The root's tree holds an empty directory where another part is mounted: that part takes its place.
  void make_way_for(const UpperPart& part) {
    if (part.at.empty()) {
      return;
    }
    const std::string place = joined(m_target, part.at);
    const auto slash = place.rfind('/');
    os::make_directories(place.substr(0, slash), 0755);
    if (os::exists(place)) {
      os::remove_tree(place);
    }
  }

  os::Visit clean(const os::TreeEntry& entry) {
    if (!is_kept_type(entry.status) || m_drop.contains(entry.path)) {
      remove(entry);
      return os::Visit::skip;
    }
    ++m_report.entries;
    if (entry.is_directory() || entry.is_file()) {
      strip_overlay_bookkeeping(entry);
    }
    return os::Visit::go_on;
  }

  void remove(const os::TreeEntry& entry) {
    ++m_report.dropped;
    if (entry.is_directory()) {
      os::remove_tree(joined(m_target, entry.path));
    } else if (unlinkat(entry.directory, entry.name.c_str(), 0) != 0) {
      throw Error::from_errno(errno, "remove " + entry.path);
    }
  }

  /// overlayfs copies a whole file up for a change that may have been taken back (renamed and renamed back).
  void leave_out_unchanged(int root) {
    const LayeredView below(*m_options.below);
    const auto enter = [this, &below](const os::TreeEntry& entry) {
      if (entry.is_directory()) {
        // Nothing of below shows through an opaque directory: all of its content is needed.
        return os::is_opaque(os::open_directory_at(entry.directory, entry.name).get()) ? os::Visit::skip
                                                                                       : os::Visit::go_on;
      }
      if ((entry.is_file() || entry.is_symlink()) && entry.status.st_nlink == 1
          && is_same(entry, below.lookup(entry.path))) {
        remove(entry);
        --m_report.entries;
      }
      return os::Visit::go_on;
    };
    os::walk_tree(root, os::TreeVisitor{enter, [this, &below](const os::TreeEntry& entry) {
                                          leave_out_empty(entry, below);
                                        }});
  }

  void leave_out_empty(const os::TreeEntry& entry, const LayeredView& below) {
    const os::Fd directory = os::open_directory_at(entry.directory, entry.name);
    if (os::is_opaque(directory.get()) || !os::names_in(directory.get()).empty()) {
      return;
    }
    const auto found = below.lookup(entry.path);
    if (found && found->is_directory() && same_metadata(found->status, entry.status)
        && os::extended_attributes_of(directory.get()).empty()
        && unlinkat(entry.directory, entry.name.c_str(), AT_REMOVEDIR) == 0) {
      ++m_report.dropped;
      --m_report.entries;
    }
  }

  bool is_same(const os::TreeEntry& entry, const std::optional<Found>& found) const {
    if (!found || !same_metadata(found->status, entry.status)
        || found->status.st_mtim.tv_sec != entry.status.st_mtim.tv_sec
        || found->status.st_mtim.tv_nsec != entry.status.st_mtim.tv_nsec) {
      return false;
    }
    const Found here{m_target, entry.path, entry.status};
    return same_content(*found, here)
           && (entry.is_symlink()
               || os::extended_attributes_of(found->open().get())
                      == os::extended_attributes_of(here.open().get()));
  }

  std::string m_target;
  const CaptureOptions& m_options;
  std::set<std::string> m_drop;
  CaptureReport m_report;
};

} // namespace

std::string part_folder(const std::string& at) {
  if (at.empty()) {
    return "root";
  }
  std::string folder = at == "root" ? "host_root" : at;
  std::replace(folder.begin(), folder.end(), '/', '_');
  return folder;
}

std::vector<UpperPart>
parts_of_generation(const std::string& generation, const std::vector<HostDirectory>& host_directories) {
  std::vector<UpperPart> parts{{generation + "/root/upper", ""}};
  for (const HostDirectory& host : host_directories) {
    if (!host.at.empty()) {
      parts.push_back({generation + "/" + part_folder(host.at) + "/upper", host.at});
    }
  }
  return parts;
}

Stack with_uppers(Stack stack, const std::vector<UpperPart>& parts) {
  for (const UpperPart& part : parts) {
    stack.trees.push_back(StackTree{part.upper, part.at});
  }
  return stack;
}

CaptureReport capture_generation(
    const std::vector<UpperPart>& parts, const Staging& staging, const CaptureOptions& options) {
  if (parts.empty() || !parts.front().at.empty()) {
    throw Error(ErrorCode::internal, "the first part of a writable generation must be the root's");
  }
  Capture capture(staging.tree(), options);
  try {
    return options.mode == CaptureMode::move ? capture.move(parts) : capture.copy(parts);
  } catch (Error& error) {
    throw error.add_context("while capturing the writable layer");
  }
}

void remember_capture(const std::string& memory, const std::string& published_tree) {
  CaptureMemory::set_tree(memory, published_tree);
}

} // namespace pyro::store

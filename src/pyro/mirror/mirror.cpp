#include "mirror.hpp"

#include "fetch.hpp"
#include "plan.hpp"
#include "tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/tree_usage.hpp>
#include <pyro/os/tree_walk.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>

namespace pyro::mirror {

namespace {

using protocol::UpperEntry;

class MirrorRefresh {
public:
  MirrorRefresh(backend::ControlClient& client, const std::string& generation, const MirrorOptions& options)
      : m_client(client), m_options(options), m_directory(mirror_directory(generation)),
        m_index_path(m_directory + "/index"), m_changing_path(m_directory + "/changing"),
        m_tree(generation, m_directory + "/staging") {}

  MirrorReport run() {
    auto list = fetch_list();
    auto known = load_mirror_index(m_index_path);
    const bool is_known = known && known->identity == list.result.identity && known->boot_id == os::boot_id();
    if (!is_known) {
      known = MirrorIndex{};
    }
    m_limits = m_options.limits;
    check_parts(list.records);
    // A refresh that was killed half way may have left what neither list speaks of.
    const bool is_repair = !is_known || os::exists(m_changing_path);
    m_plan = plan_mirror(*known, list.records, m_limits, is_repair ? still_there() : StillThere{});
    m_report.unchanged = m_plan.unchanged;
    m_report.changed = m_plan.changed.size();
    m_report.removed = m_plan.removed.size();
    if (is_repair || !m_plan.changed.empty() || !m_plan.removed.empty()) {
      os::write_file_atomically(m_changing_path, "", 0600, os::Durable::no);
      os::crash_point("mirror.changing");
      if (is_repair) {
        remove_unknown(list.records);
      }
      apply(list);
      os::crash_point("mirror.changed");
    }
    save(std::move(list));
    ::unlink(m_changing_path.c_str());
    os::remove_tree(m_directory + "/staging");
    return m_report;
  }

private:
  /// Directories that move while they are listed make a list that is wrong.
  UpperList fetch_list() {
    constexpr int k_attempts = 5;
    for (int attempt = 1;; ++attempt) {
      try {
        return fetch_upper_list(m_client, m_options);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::stale || attempt == k_attempts) {
          throw;
        }
      }
    }
  }

  bool is_part(const std::string& name) const {
    return std::find(m_options.parts.begin(), m_options.parts.end(), name) != m_options.parts.end();
  }

  /// Beside <part>/upper nothing of the generation is the guest's.
  void check_parts(std::string_view list) {
    protocol::UpperListReader reader(list, m_limits);
    while (const auto entry = reader.next()) {
      const bool is_fine = entry->depth == 0 || entry->depth > 2
                           || (entry->kind == UpperEntry::Kind::directory
                               && (entry->depth == 1 ? is_part(entry->name) : entry->name == "upper"));
      if (!is_fine) {
        throw Error(ErrorCode::protocol, "the writable layer has no part '{}'", reader.path());
      }
      if (entry->kind == UpperEntry::Kind::file) {
        m_listed_bytes += std::min(entry->size, m_options.held_bytes + 1);
      }
    }
  }

  /// What is known to be as listed is no larger than that; only where the list says more (files with holes,
  /// or lies) it is worth a walk.
  void check_held() const {
    if (m_listed_bytes <= m_options.held_bytes) {
      return;
    }
    std::uint64_t held = 0;
    for (const auto& part : m_options.parts) {
      if (const auto directory = os::maybe_open_beneath(m_tree.root(), part, O_RDONLY | O_DIRECTORY)) {
        held += os::usage_of_tree(directory->get()).bytes;
      }
    }
    if (held > m_options.held_bytes) {
      throw Error(
          ErrorCode::failed, "the writable layer has given more than the {} bytes that it has room for",
          m_options.held_bytes);
    }
  }

  /// Only a regular file with one name can be known for sure; the rest costs nothing to be made again.
  StillThere still_there() {
    return [this](const std::string& path, const UpperEntry& entry, const MirrorMark& mark) {
      return entry.kind == UpperEntry::Kind::file && entry.links == 1 && m_tree.mark_of(path) == mark;
    };
  }

  void remove_unknown(std::string_view list) {
    std::unordered_set<std::string> listed;
    protocol::UpperListReader reader(list, m_limits);
    while (reader.next()) {
      listed.insert(reader.path());
    }
    for (const auto& change : m_plan.changed) {
      listed.insert(change.moved_from);
    }
    const auto enter = [&](const os::TreeEntry& entry) {
      const bool is_topmost = entry.path.find('/') == std::string::npos;
      if (is_topmost && !is_part(entry.name)) {
        return os::Visit::skip; // the generation's own
      }
      if (listed.contains(entry.path) || (entry.is_directory() && holds_moved(entry.path))) {
        return os::Visit::go_on;
      }
      m_tree.remove(entry.path);
      return os::Visit::skip;
    };
    os::walk_tree(m_tree.root(), os::TreeVisitor{enter, {}});
  }

  bool holds_moved(const std::string& directory) const {
    return std::any_of(m_plan.changed.begin(), m_plan.changed.end(), [&](const MirrorChange& change) {
      return change.moved_from.starts_with(directory + "/");
    });
  }

  void apply(const UpperList& list) {
    std::unordered_map<std::size_t, std::string> aside;
    for (const auto& change : m_plan.changed) {
      if (!change.moved_from.empty()) {
        aside.emplace(change.ordinal, m_tree.set_aside(change.moved_from));
        ++m_report.moved;
      }
    }
    for (const auto& path : m_plan.removed) {
      m_tree.remove(path);
    }
    for (const auto& change : m_plan.changed) {
      const auto staged = aside.find(change.ordinal);
      if (staged != aside.end()) {
        m_tree.put(staged->second, change.path);
        m_whole.push_back(&change);
      } else {
        make(change);
      }
    }
    os::crash_point("mirror.made");
    check_held();
    fetch();
    os::crash_point("mirror.fetched");
    for (const auto* link : m_links) {
      link_or_drop(*link);
    }
    m_tree.finish(list.records, m_limits);
    set_marks(list.result.began_ns);
  }

  void make(const MirrorChange& change) {
    const auto& entry = change.entry;
    switch (entry.kind) {
    case UpperEntry::Kind::directory:
      m_tree.put_directory(change.path, entry);
      m_whole.push_back(&change);
      break;
    case UpperEntry::Kind::file:
      if (entry.links > 1 && !m_first_names.try_emplace(entry.inode, &change).second) {
        m_links.push_back(&change);
      } else {
        m_wanted.push_back(&change);
      }
      break;
    case UpperEntry::Kind::other:
      m_tree.remove(change.path);
      ++m_report.skipped;
      m_whole.push_back(&change);
      break;
    default:
      m_tree.put_special(change.path, entry);
      m_whole.push_back(&change);
    }
  }

  void fetch() {
    if (m_wanted.empty()) {
      return;
    }
    std::vector<std::string> paths;
    for (const auto* change : m_wanted) {
      paths.push_back(change->path);
    }
    std::size_t next = 0;
    os::Fd file;
    std::string staged;
    std::uint64_t size = 0;
    bool is_same = false;
    protocol::UpperContentDecoder::Sink sink;
    sink.file = [&](const protocol::UpperFile& found) {
      const auto& change = *m_wanted[next];
      if (!found.is_there) {
        m_tree.remove(change.path);
        ++next;
        return;
      }
      if (found.size > m_options.file_bytes) {
        throw Error(
            ErrorCode::failed, "the file {} is larger than {} bytes", change.path, m_options.file_bytes);
      }
      is_same = found.inode == change.entry.inode && found.ctime_ns == change.entry.ctime_ns
                && found.size == change.entry.size;
      size = 0;
      file = m_tree.create(staged);
    };
    sink.data = [&](std::string_view bytes) {
      count(bytes.size());
      write_at(file.get(), bytes, size);
      size += bytes.size();
    };
    sink.hole = [&](std::uint64_t length) {
      size += length;
    };
    sink.end = [&](protocol::UpperChanged changed) {
      const auto& change = *m_wanted[next++];
      if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
        throw Error::from_errno(errno, "set the size of " + change.path);
      }
      m_tree.dress(file.get(), change.entry);
      m_tree.put(staged, change.path);
      ++m_report.fetched;
      if (is_same && changed == protocol::UpperChanged::no) {
        m_whole.push_back(&change);
      }
    };
    fetch_upper_files(m_client, m_options, paths, std::move(sink));
  }

  void count(std::size_t bytes) {
    m_report.fetched_bytes += bytes;
    if (m_report.fetched_bytes > m_options.fetched_bytes) {
      throw Error(
          ErrorCode::failed, "the writable layer has more than {} bytes to fetch", m_options.fetched_bytes);
    }
  }

  static void write_at(int file, std::string_view bytes, std::uint64_t at) {
    while (!bytes.empty()) {
      const auto written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (written < 0 && errno != EINTR) {
        throw Error::from_errno(errno, "write a file of the mirror");
      }
      const auto taken = static_cast<std::size_t>(std::max<ssize_t>(written, 0));
      bytes.remove_prefix(taken);
      at += taken;
    }
  }

  void link_or_drop(const MirrorChange& link) {
    const auto& first = *m_first_names.at(link.entry.inode);
    if (!m_tree.mark_of(first.path)) {
      m_tree.remove(link.path); // its content was gone when it was asked for
      return;
    }
    m_tree.put_link(first.path, link.path);
    m_whole.push_back(&link);
  }

  /// A file changed in the same tick of the guest's clock in which the list was begun may change again
  /// without looking any different.
  void set_marks(std::int64_t began_ns) {
    std::unordered_set<const MirrorChange*> whole(m_whole.begin(), m_whole.end());
    for (const auto& change : m_plan.changed) {
      const auto first =
          change.entry.links > 1 ? m_first_names.find(change.entry.inode) : m_first_names.end();
      const bool is_whole = whole.contains(&change)
                            && (change.entry.kind != UpperEntry::Kind::file || first == m_first_names.end()
                                || whole.contains(first->second));
      auto& mark = m_plan.marks[change.ordinal];
      if (change.entry.kind == UpperEntry::Kind::file) {
        mark = m_tree.mark_of(change.path).value_or(MirrorMark{});
      }
      mark.in_doubt = !is_whole || change.entry.ctime_ns >= began_ns;
      m_report.in_doubt += mark.in_doubt ? 1 : 0;
    }
  }

  void save(UpperList list) {
    save_mirror_index(
        m_index_path,
        {std::move(list.result.identity), os::boot_id(), std::move(list.records), std::move(m_plan.marks)});
  }

  backend::ControlClient& m_client;
  const MirrorOptions& m_options;
  std::string m_directory;
  std::string m_index_path;
  std::string m_changing_path;
  MirrorTree m_tree;
  protocol::UpperLimits m_limits;
  std::uint64_t m_listed_bytes = 0;
  MirrorPlan m_plan;
  MirrorReport m_report;
  std::vector<const MirrorChange*> m_wanted;
  std::vector<const MirrorChange*> m_links; // other names of files that are wanted
  std::vector<const MirrorChange*> m_whole; // those that are there as the list has them
  std::unordered_map<std::uint64_t, const MirrorChange*> m_first_names;
};

} // namespace

std::string mirror_directory(const std::string& generation) {
  return generation + "/.mirror";
}

Json to_json(const MirrorReport& report) {
  return {
      {"unchanged", report.unchanged}, {"changed", report.changed}, {"removed", report.removed},
      {"fetched", report.fetched},     {"moved", report.moved},     {"fetched_bytes", report.fetched_bytes},
      {"skipped", report.skipped},     {"lost", report.lost},       {"in_doubt", report.in_doubt}};
}

MirrorReport mirror_report_from_json(const Json& value) {
  const auto count = [&value](const char* key) {
    return static_cast<std::uint64_t>(get_int(value, key));
  };
  MirrorReport report;
  report.unchanged = count("unchanged");
  report.changed = count("changed");
  report.removed = count("removed");
  report.fetched = count("fetched");
  report.fetched_bytes = count("fetched_bytes");
  report.moved = count("moved");
  report.skipped = count("skipped");
  report.lost = count("lost");
  report.in_doubt = count("in_doubt");
  return report;
}

MirrorReport
refresh_mirror(backend::ControlClient& client, const std::string& generation, const MirrorOptions& options) {
  constexpr auto k_patience = std::chrono::minutes(10);
  try {
    os::make_directories(mirror_directory(generation));
    const os::ExclusiveLock lock(mirror_directory(generation) + "/lock", "mirror", k_patience);
    return MirrorRefresh(client, generation, options).run();
  } catch (Error& error) {
    throw error.add_context("while mirroring the writable layer");
  }
}

} // namespace pyro::mirror

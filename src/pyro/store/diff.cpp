#include "diff.hpp"

#include "content_compare.hpp"
#include "text_patch.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/text.hpp>

#include <set>

namespace pyro::store {

namespace {

using Side = std::optional<LayeredDirectory>;

/// No program can name a longer path at once, and entries with such paths could take any amount of memory.
constexpr std::size_t k_longest_path = 4096;

/// All patches of one document together; they go through memory several times.
constexpr std::size_t k_longest_patches = 64 << 20;

bool same_source(const LayeredDirectory::Source& one, const LayeredDirectory::Source& other) {
  return one.root == other.root && one.path == other.path;
}

bool takes_part(const LayeredDirectory::Source& source, const Side& side) {
  return side && std::any_of(side->sources().begin(), side->sources().end(), [&](const auto& other) {
           return same_source(source, other);
         });
}

/// Names that may differ: those in a directory that takes part on one side only. What both sides have in
/// common gives the same answer on both.
std::set<std::string> suspects(const Side& before, const Side& after) {
  std::set<std::string> names;
  const auto add = [&names](const Side& side, const Side& other) {
    if (!side) {
      return;
    }
    for (const LayeredDirectory::Source& source : side->sources()) {
      if (!takes_part(source, other)) {
        const std::vector<std::string> more = os::names_in(source.fd->get());
        names.insert(more.begin(), more.end());
      }
    }
    for (const std::string& name : side->part_names()) {
      names.insert(name);
    }
  };
  add(before, after);
  add(after, before);
  return names;
}

/// `part`: what is mounted there.
std::optional<Found> looked_up(const Side& side, const Side& part, const std::string& name) {
  if (part) {
    return part->self();
  }
  return side ? side->lookup(name) : std::nullopt;
}

Side entered(
    const Side& side, const std::string& name, const std::optional<Found>& found,
    const LayeredDirectory* other = nullptr) {
  return side && found && found->is_directory() ? side->enter(name, other) : std::nullopt;
}

ArtifactType type_of(const Found& found) {
  return found.is_directory() ? ArtifactType::directory
         : found.is_symlink() ? ArtifactType::symlink
                              : ArtifactType::file;
}

class Comparison {
public:
  explicit Comparison(const DiffOptions& options) : m_options(options) {}

  void compare_directories(const Side& before, const Side& after, const std::string& path) {
    for (const std::string& name : suspects(before, after)) {
      compare_entry(before, after, name, joined(path, name));
    }
  }

  std::vector<DiffEntry> take() {
    std::sort(m_entries.begin(), m_entries.end(), [](const DiffEntry& one, const DiffEntry& other) {
      return one.path < other.path;
    });
    return std::move(m_entries);
  }

private:
  void
  compare_entry(const Side& before, const Side& after, const std::string& name, const std::string& path) {
    auto old_part = before ? before->part(name) : std::nullopt;
    auto new_part = after ? after->part(name) : std::nullopt;
    const auto old_entry = looked_up(before, old_part, name);
    const auto new_entry = looked_up(after, new_part, name);
    if ((!old_entry && !new_entry) || is_ignored(path, new_entry ? *new_entry : *old_entry)) {
      return;
    }
    const Side old_directory = old_part ? std::move(old_part) : entered(before, name, old_entry);
    const Side new_directory =
        new_part ? std::move(new_part)
                 : entered(after, name, new_entry, old_directory ? &*old_directory : nullptr);
    report(old_entry, new_entry, old_directory, new_directory, path);
    if (path.size() > k_longest_path) {
      throw Error(
          ErrorCode::bad_state, "there are paths longer than {} bytes below {}", k_longest_path,
          path.substr(0, 100))
          .with_hint("such a tree has no patch; remove it, or reset the workspace");
    }
    if (old_directory || new_directory) {
      compare_directories(old_directory, new_directory, path);
    }
  }

  void report(
      const std::optional<Found>& before, const std::optional<Found>& after, const Side& old_directory,
      const Side& new_directory, const std::string& path) {
    if (!before || !after) {
      const Side& directory = after ? new_directory : old_directory;
      if (!directory || directory->empty()) { // otherwise its content tells of it
        add(path, after ? DiffStatus::added : DiffStatus::deleted, before, after);
      }
    } else if ((before->status.st_mode & S_IFMT) != (after->status.st_mode & S_IFMT)) {
      add(path, DiffStatus::type_changed, before, after);
    } else if (!same_metadata(before->status, after->status) || !same_content(*before, *after)) {
      add(path, DiffStatus::modified, before, after);
    }
  }

  bool is_ignored(const std::string& path, const Found& found) const {
    return m_options.ignored && m_options.ignored(path, found.is_directory());
  }

  void
  add(const std::string& path, DiffStatus status, const std::optional<Found>& before,
      const std::optional<Found>& after) {
    m_entries.push_back(DiffEntry{path, status, type_of(after ? *after : *before), before, after, "", true});
  }

  const DiffOptions& m_options;
  std::vector<DiffEntry> m_entries;
};

void count(DiffSummary& summary, const DiffEntry& entry, bool has_patch) {
  ++summary.total;
  ++(entry.status == DiffStatus::added      ? summary.added
     : entry.status == DiffStatus::modified ? summary.modified
     : entry.status == DiffStatus::deleted  ? summary.deleted
                                            : summary.type_changed);
  ++(has_patch ? summary.text_patched : summary.non_text);
}

struct LineCounts {
  std::int64_t added = 0;
  std::int64_t deleted = 0;
};

/// Of a patch of one file: what its hunks add and take away.
LineCounts count_lines(std::string_view patch) {
  LineCounts counts;
  bool in_hunk = false;
  for (std::size_t at = 0; at < patch.size();) {
    const auto end = std::min(patch.find('\n', at), patch.size());
    const char first = patch[at];
    in_hunk = in_hunk || first == '@';
    counts.added += in_hunk && first == '+' ? 1 : 0;
    counts.deleted += in_hunk && first == '-' ? 1 : 0;
    at = end + 1;
  }
  return counts;
}

/// The patches of all entries as one that `git apply` takes.
class WholePatch {
public:
  void add(const DiffEntry& entry, const std::optional<std::string>& text) {
    if (entry.status == DiffStatus::type_changed && entry.artifact_type == ArtifactType::directory) {
      const auto removal = removal_patch(entry);
      m_patch += removal.value_or("");
      if (!removal) {
        m_blocked.push_back(entry.path + "/"); // it cannot be taken away, so nothing can be made below it
      }
    } else if (std::none_of(m_blocked.begin(), m_blocked.end(), [&](const std::string& directory) {
                 return entry.path.starts_with(directory);
               })) {
      m_patch += text.value_or("");
    }
  }

  std::string take() { return std::move(m_patch); }

private:
  std::string m_patch;
  std::vector<std::string> m_blocked;
};

} // namespace

std::string_view name_of(DiffStatus status) {
  switch (status) {
  case DiffStatus::added:
    return "added";
  case DiffStatus::modified:
    return "modified";
  case DiffStatus::deleted:
    return "deleted";
  case DiffStatus::type_changed:
    return "type_changed";
  }
  return "";
}

std::string_view name_of(ArtifactType type) {
  switch (type) {
  case ArtifactType::file:
    return "file";
  case ArtifactType::directory:
    return "directory";
  case ArtifactType::symlink:
    return "symlink";
  }
  return "";
}

std::vector<DiffEntry> compute_diff(const Stack& before, const Stack& after, const DiffOptions& options) {
  Comparison comparison(options);
  comparison.compare_directories(
      LayeredView(before).directory(options.root), LayeredView(after).directory(options.root), "");
  return comparison.take();
}

Json diff_document(const std::vector<DiffEntry>& entries, Patches patches) {
  DiffSummary summary;
  Json list = Json::array();
  WholePatch patch;
  std::size_t size = 0;
  for (const DiffEntry& entry : entries) {
    const bool is_wanted = patches == Patches::yes && size <= k_longest_patches;
    const auto text = is_wanted ? text_patch(entry) : std::nullopt;
    size += text ? text->size() : 0;
    count(summary, entry, text.has_value());
    if (patches == Patches::yes && entry.in_patch) {
      patch.add(entry, text);
    }
    const Found& shown = entry.after ? *entry.after : *entry.before;
    list.push_back(
        {{"path", is_utf8(entry.path) ? entry.path : git_quoted(entry.path)},
         {"status", name_of(entry.status)},
         {"artifact_type", name_of(entry.artifact_type)},
         {"size", shown.is_file() ? Json(shown.status.st_size) : Json()},
         {"text_patch", text ? Json(*text) : Json()}});
    if (text) {
      const auto lines = count_lines(*text);
      list.back()["lines_added"] = lines.added;
      list.back()["lines_deleted"] = lines.deleted;
    }
  }
  Json document{
      {"changed", !entries.empty()},
      {"summary",
       {{"total", summary.total},
        {"added", summary.added},
        {"modified", summary.modified},
        {"deleted", summary.deleted},
        {"type_changed", summary.type_changed}}},
      {"entries", std::move(list)}};
  if (patches == Patches::yes) {
    document["summary"]["text_patched"] = summary.text_patched;
    document["summary"]["non_text"] = summary.non_text;
    document["patch"] = patch.take();
  }
  return document;
}

} // namespace pyro::store

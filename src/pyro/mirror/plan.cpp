#include "plan.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>

namespace pyro::mirror {

namespace {

using protocol::UpperEntry;
using protocol::UpperListReader;

/// The next entry of a list, looked at before it is taken.
class Head {
public:
  Head(std::string_view list, const protocol::UpperLimits& limits) : m_reader(list, limits) {
    if (!list.empty()) {
      m_entry = m_reader.next();
    }
  }

  bool has() const { return m_entry.has_value(); }

  UpperEntry& entry() { return *m_entry; }

  const std::string& path() const { return m_reader.path(); }

  std::size_t ordinal() const { return static_cast<std::size_t>(m_reader.count()) - 1; }

  void take() { m_entry = m_reader.next(); }

private:
  UpperListReader m_reader;
  std::optional<UpperEntry> m_entry;
};

constexpr protocol::UpperLimits k_unlimited{
    std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint32_t>::max(),
    std::numeric_limits<std::uint64_t>::max()};

struct Gone {
  std::string path;
  UpperEntry entry;
  MirrorMark mark;
};

class Comparison {
public:
  Comparison(
      const MirrorIndex& known, std::string_view fresh, const protocol::UpperLimits& limits,
      const StillThere& still_there)
      : m_known(known), m_list(fresh), m_limits(limits), m_still_there(still_there),
        m_old(known.list, k_unlimited), m_new(fresh, limits) {}

  MirrorPlan run() {
    while (m_old.has() || m_new.has()) {
      const auto order = compare();
      if (order < 0) {
        remove_old();
      } else if (order > 0) {
        add_new();
      } else {
        match();
      }
    }
    find_moved();
    complete_links();
    return std::move(m_plan);
  }

private:
  /// Both are always about to tell of the same directory or, where it is deeper, of one that only that list
  /// has.
  int compare() {
    if (!m_old.has() || !m_new.has()) {
      return m_old.has() ? -1 : 1;
    }
    const auto& old = m_old.entry();
    const auto& fresh = m_new.entry();
    if (old.depth != fresh.depth) {
      return old.depth > fresh.depth ? -1 : 1;
    }
    return old.name.compare(fresh.name);
  }

  void remove_old() {
    const auto depth = m_old.entry().depth;
    const bool is_topmost = !m_gone_depth || depth <= *m_gone_depth;
    if (is_topmost) {
      m_plan.removed.push_back(m_old.path());
      m_gone_depth = depth;
    }
    const auto& mark = m_known.marks.at(m_old.ordinal());
    if (m_old.entry().kind == UpperEntry::Kind::file && m_old.entry().links == 1 && !mark.in_doubt) {
      m_gone.emplace(m_old.entry().inode, Gone{m_old.path(), m_old.entry(), mark});
    }
    m_old.take();
  }

  void add_new() {
    m_gone_depth.reset();
    change();
    m_new.take();
  }

  void change() {
    m_plan.marks.emplace_back();
    m_plan.changed.push_back({m_new.path(), std::move(m_new.entry()), m_new.ordinal(), {}});
  }

  void match() {
    m_gone_depth.reset();
    const auto& mark = m_known.marks.at(m_old.ordinal());
    const bool is_same = !mark.in_doubt && m_old.entry() == m_new.entry()
                         && (!m_still_there || m_still_there(m_new.path(), m_new.entry(), mark));
    if (is_same) {
      m_plan.marks.push_back(mark);
      ++m_plan.unchanged;
    } else {
      change();
    }
    m_old.take();
    m_new.take();
  }

  /// Renaming a directory leaves what is in it as it was.
  void find_moved() {
    if (m_gone.empty()) {
      return;
    }
    for (auto& change : m_plan.changed) {
      const auto found = m_gone.find(change.entry.inode);
      if (found == m_gone.end()) {
        continue;
      }
      auto there = found->second.entry;
      there.depth = change.entry.depth;
      there.name = change.entry.name;
      if (there == change.entry
          && (!m_still_there || m_still_there(found->second.path, there, found->second.mark))) {
        change.moved_from = found->second.path;
        m_gone.erase(found);
      }
    }
  }

  /// A file of which one name is new is made anew with all its names, also those that look as before.
  void complete_links() {
    std::unordered_set<std::uint64_t> inodes;
    std::unordered_set<std::size_t> ordinals;
    for (const auto& change : m_plan.changed) {
      if (has_names(change.entry)) {
        inodes.insert(change.entry.inode);
        ordinals.insert(change.ordinal);
      }
    }
    if (inodes.empty()) {
      return;
    }
    UpperListReader reader(m_list, m_limits);
    while (auto entry = reader.next()) {
      const auto ordinal = static_cast<std::size_t>(reader.count()) - 1;
      if (has_names(*entry) && inodes.contains(entry->inode) && !ordinals.contains(ordinal)) {
        m_plan.changed.push_back({reader.path(), std::move(*entry), ordinal, {}});
        m_plan.marks[ordinal] = {};
        --m_plan.unchanged;
      }
    }
    std::sort(m_plan.changed.begin(), m_plan.changed.end(), [](const auto& one, const auto& other) {
      return one.ordinal < other.ordinal;
    });
  }

  static bool has_names(const UpperEntry& entry) {
    return entry.kind == UpperEntry::Kind::file && entry.links > 1;
  }

  const MirrorIndex& m_known;
  std::string_view m_list;
  const protocol::UpperLimits& m_limits;
  const StillThere& m_still_there;
  Head m_old;
  Head m_new;
  MirrorPlan m_plan;
  std::optional<std::uint32_t> m_gone_depth; // of the topmost entry that is being removed
  std::unordered_map<std::uint64_t, Gone> m_gone;
};

} // namespace

MirrorPlan plan_mirror(
    const MirrorIndex& known, std::string_view fresh, const protocol::UpperLimits& limits,
    const StillThere& still_there) {
  return Comparison(known, fresh, limits, still_there).run();
}

} // namespace pyro::mirror

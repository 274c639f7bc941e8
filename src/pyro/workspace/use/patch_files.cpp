#include "patch_files.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/os/tree_merge.hpp>
#include <pyro/store/patch_apply.hpp>
#include <pyro/store/text_patch.hpp>
#include <pyro/workspace/context/inside_path.hpp>

#include <map>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_max_total = 256 << 20;

struct State {
  std::optional<std::string> content;
  bool executable = false;
};

class Patching {
public:
  explicit Patching(const store::LayeredView& view) : m_view(view) {}

  void apply(const store::FilePatch& patch) {
    State result;
    if (patch.before) {
      const auto& source = must_have(*patch.before);
      result = source;
    }
    const auto& path = patch.after ? *patch.after : *patch.before;
    result.content = store::apply_hunks(result.content.value_or(""), patch.hunks, path);
    result.executable = patch.executable.value_or(result.executable);
    if ((m_total += result.content->size()) > k_max_total) {
      throw Error(ErrorCode::invalid_argument, "the patch makes more than 256 MiB of files");
    }
    if (patch.before && patch.after != patch.before && !patch.keeps_source) {
      state(*patch.before).content.reset();
    }
    if (!patch.after) {
      if (!result.content->empty()) {
        does_not_apply(path, "lines would be left in a file that it deletes");
      }
      return;
    }
    auto& target = state(*patch.after);
    if (patch.after != patch.before && target.content) {
      does_not_apply(*patch.after, "it exists already");
    }
    target = std::move(result);
  }

  std::vector<PatchedFile> take() {
    for (const auto& [path, now] : m_states) {
      if (now.content) {
        check_parents(path);
      }
    }
    std::vector<PatchedFile> files;
    for (auto& [path, now] : m_states) {
      auto& was = m_before.at(path);
      const bool is_same =
          was.state.content == now.content && (!now.content || was.state.executable == now.executable);
      if (!is_same) {
        files.push_back({path, was.status, std::move(now.content), now.executable});
      }
    }
    return files;
  }

private:
  struct Before {
    State state;
    std::optional<struct stat> status;
  };

  [[noreturn]] static void does_not_apply(const std::string& path, std::string_view why) {
    throw Error(ErrorCode::bad_state, "patch does not apply: {}: {}", path, why)
        .with_hint("nothing was changed");
  }

  /// Every name above must be a directory, or nothing, once all of the patch is done.
  void check_parents(const std::string& path) const {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto parent = path.substr(0, slash);
      const auto known = m_states.find(parent);
      const auto found = known == m_states.end() ? find_inside(m_view, parent) : std::nullopt;
      if ((known != m_states.end() && known->second.content) || (found && !found->is_directory())) {
        does_not_apply(path, parent + " is no directory");
      }
    }
  }

  State& must_have(const std::string& path) {
    auto& result = state(path);
    if (!result.content) {
      does_not_apply(path, "it does not exist");
    }
    return result;
  }

  State& state(const std::string& written) {
    const auto path = real_path_inside(m_view, path_inside(written, "a path of the patch"), LastLink::keep);
    if (const auto known = m_states.find(path); known != m_states.end()) {
      return known->second;
    }
    Before before;
    if (const auto found = find_inside(m_view, path)) {
      if (!found->is_file()) {
        does_not_apply(written, found->is_symlink() ? "it is a symlink" : "it is no regular file");
      }
      const auto file = found->open();
      before.state.content = os::read_all(file.get(), store::k_text_patch_limit);
      before.state.executable = (found->status.st_mode & 0100) != 0;
      before.status = found->status;
    }
    m_before.emplace(path, before);
    return m_states.emplace(path, before.state).first->second;
  }

  const store::LayeredView& m_view;
  std::map<std::string, State> m_states;
  std::map<std::string, Before> m_before;
  std::size_t m_total = 0;
};

/// As git does: the execute bits follow the read bits.
std::uint32_t mode_of(const PatchedFile& file) {
  const std::uint32_t mode = file.before ? file.before->st_mode & 0777 : 0644;
  return file.executable ? mode | ((mode & 0444) >> 2) : mode & ~0111U;
}

} // namespace

std::vector<PatchedFile>
work_out_patch(const store::LayeredView& view, const std::vector<store::FilePatch>& patches) {
  Patching work(view);
  for (const auto& patch : patches) {
    work.apply(patch);
  }
  return work.take();
}

void send_patch(const std::vector<PatchedFile>& files, GuestChange& change) {
  using Kind = protocol::FileRecord::Kind;
  for (const auto& file : files) {
    protocol::FileRecord expected;
    expected.kind = Kind::expect;
    expected.path = file.path;
    expected.absent = !file.before;
    if (file.before) {
      expected.size = static_cast<std::uint64_t>(file.before->st_size);
      expected.mtime_ns = os::mtime_ns_of(*file.before);
    }
    change.send(expected);
    protocol::FileRecord record;
    record.path = file.path;
    if (!file.content) {
      record.kind = Kind::remove;
      record.prune = true;
      change.send(record);
      continue;
    }
    record.mode = mode_of(file);
    if (file.before) {
      record.uid = file.before->st_uid;
      record.gid = file.before->st_gid;
    }
    change.send_file(record, *file.content);
  }
}

Json describe_patch(const std::vector<PatchedFile>& files) {
  int added = 0;
  int modified = 0;
  int deleted = 0;
  Json entries = Json::array();
  for (const auto& file : files) {
    ++(!file.before ? added : file.content ? modified : deleted);
    entries.push_back(
        {{"path", is_utf8(file.path) ? file.path : store::git_quoted(file.path)},
         {"status", !file.before   ? "added"
                    : file.content ? "modified"
                                   : "deleted"}});
  }
  return {
      {"changed", !files.empty()},
      {"summary", {{"total", files.size()}, {"added", added}, {"modified", modified}, {"deleted", deleted}}},
      {"entries", std::move(entries)}};
}

} // namespace pyro::workspace

#include "capture_files.hpp"

#include "capture_packages.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/store/content_compare.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

constexpr std::uint64_t k_largest_file = 32 << 10;
constexpr std::size_t k_longest_script = 96 << 10; // a command line takes 128 KiB
constexpr std::size_t k_base64_line = 76;

/// Does a block of a YAML file carry it unchanged?
bool is_plain_text(std::string_view content) {
  const bool has_controls = std::any_of(content.begin(), content.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
  });
  // C1 controls, the line and paragraph separators, the byte order mark
  const bool has_odd_ones = content.find("\xc2\x80") < content.find("\xc2\xa0")
                            || content.find("\xe2\x80\xa8") != std::string_view::npos
                            || content.find("\xe2\x80\xa9") != std::string_view::npos
                            || content.find("\xef\xbb\xbf") != std::string_view::npos
                            || content.find("\xc2\x85") != std::string_view::npos;
  return is_utf8(content) && !has_controls && !has_odd_ones;
}

/// A line that the content does not have.
std::string end_mark_for(const std::string& content) {
  std::string mark = "PYRO_END";
  for (int i = 2; content.find(mark) != std::string::npos; ++i) {
    mark = fmt::format("PYRO_END_{}", i);
  }
  return mark;
}

std::string write_command(const std::string& path, const std::string& content) {
  const auto word = shell_word("/" + path);
  if (content.empty()) {
    return fmt::format(": > {}\n", word);
  }
  if (is_plain_text(content)) {
    const auto mark = end_mark_for(content);
    return content.ends_with('\n')
               ? fmt::format("cat > {} <<'{}'\n{}{}\n", word, mark, content, mark)
               : fmt::format("printf %s \"$(cat <<'{}'\n{}\n{}\n)\" > {}\n", mark, content, mark, word);
  }
  const auto encoded = base64_encode(content);
  std::string lines;
  for (std::size_t at = 0; at < encoded.size(); at += k_base64_line) {
    lines += encoded.substr(at, k_base64_line) + "\n";
  }
  return fmt::format("base64 -d > {} <<'PYRO_END'\n{}PYRO_END\n", word, lines);
}

mode_t mode_of(const store::Found& found) {
  return found.status.st_mode & 07777;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

} // namespace

void FileScript::set_mode_and_owner(
    const std::string& path, const store::Found& found, const store::Found* before) {
  const auto word = shell_word("/" + path);
  const auto uid = before ? before->status.st_uid : 0;
  const auto gid = before ? before->status.st_gid : 0;
  if (found.status.st_uid != uid || found.status.st_gid != gid) {
    m_text += fmt::format(
        "chown {}{}:{} {}\n", found.is_symlink() ? "-h " : "", found.status.st_uid, found.status.st_gid,
        word);
  }
  if (!found.is_symlink()) { // after the owner, which takes special bits away
    m_text += fmt::format("chmod {:04o} {}\n", mode_of(found), word);
  }
}

/// Of directories with files in them the diff does not speak.
void FileScript::make_directories_above(const std::string& path) {
  const auto parent = parent_of(path);
  if (parent.empty() || m_made.contains(parent)) {
    return;
  }
  const auto there = m_seen.before.lookup(parent);
  if (there && there->is_directory()) {
    return;
  }
  make_directories_above(parent);
  const auto found = m_seen.after.lookup(parent);
  m_text += fmt::format("mkdir -p {}\n", shell_word("/" + parent));
  if (found) {
    set_mode_and_owner(parent, *found, nullptr);
  }
  m_made.insert(parent);
}

/// With the directories that went with it: the diff speaks of their files only.
void FileScript::remove(const std::string& path) {
  auto gone = path;
  for (auto parent = parent_of(gone); !parent.empty() && !m_seen.after.lookup(parent);
       parent = parent_of(parent)) {
    gone = parent;
  }
  if (m_removed.insert(gone).second) {
    m_text += fmt::format("rm -rf {}\n", shell_word("/" + gone));
  }
}

std::string FileScript::add_file(const std::string& path, const store::Found& found) {
  if (static_cast<std::uint64_t>(found.status.st_size) > k_largest_file) {
    return "it is larger than 32 KiB: put it into the checkout and give it to a step as an input";
  }
  m_text += write_command(path, os::read_all(found.open().get(), k_largest_file + 1));
  return "";
}

std::string FileScript::add_entry(const Change& change, const store::Found& found) {
  const auto& path = change.path;
  const auto* before = change.entry.before && change.entry.status == store::DiffStatus::modified
                           ? &*change.entry.before
                           : nullptr;
  if (change.entry.status == store::DiffStatus::type_changed) {
    m_text += fmt::format("rm -rf {}\n", shell_word("/" + path));
  }
  make_directories_above(path);
  if (found.is_directory()) {
    m_text += before ? "" : fmt::format("mkdir -p {}\n", shell_word("/" + path));
    m_made.insert(path);
  } else if (found.is_symlink()) {
    m_text += fmt::format("ln -sfn {} {}\n", shell_word(found.link_target()), shell_word("/" + path));
  } else if (!before || !store::same_content(*before, found)) {
    if (auto problem = add_file(path, found); !problem.empty()) {
      return problem;
    }
  }
  const bool same_mode = before && mode_of(*before) == mode_of(found);
  if (!same_mode || before->status.st_uid != found.status.st_uid
      || before->status.st_gid != found.status.st_gid) {
    set_mode_and_owner(path, found, before);
  }
  return "";
}

std::string FileScript::add(const Change& change) {
  const auto before = m_text;
  const auto made = m_made;
  std::string problem;
  if (!is_plain_text(change.path) || change.path.find('\n') != std::string::npos) {
    problem = "its name cannot be written in a pyro.yaml";
  } else if (!change.entry.after) {
    remove(change.path);
  } else if (const auto& found = *change.entry.after;
             !found.is_file() && !found.is_directory() && !found.is_symlink()) {
    problem = "it is a device, socket or FIFO";
  } else {
    problem = add_entry(change, found);
  }
  if (problem.empty() && m_text.size() > k_longest_script) {
    problem = "with it the step would be longer than 96 KiB";
  }
  if (!problem.empty()) {
    m_text = before;
    m_made = made;
  }
  return problem;
}

} // namespace pyro::workspace

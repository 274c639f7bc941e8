#include "git_inside.hpp"

#include "select.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/regular_file.hpp>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>

namespace pyro::seed {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_most_text = 64 << 10;
constexpr std::string_view k_dot_git = ".git";
constexpr std::string_view k_alternates = ".git/objects/info/alternates";

bool takes_dot_git(const SeedRequest& request, const GitCheckout& checkout) {
  const SeedSelector selector(request);
  const auto top = os::open_file(request.source, O_RDONLY | O_DIRECTORY);
  const auto rules = selector.enter(selector.root_rules(), top.get(), "", false, true, true);
  const bool is_directory = checkout.git_dir == request.source + "/.git";
  return DirectorySelection(selector, rules, "").judge(k_dot_git, is_directory).taken;
}

bool is_named(std::string_view path, std::string_view name) {
  return path == name || path.ends_with("/" + std::string(name));
}

/// Does a path that is written in `directory` of the seed still lead into the seed when that lies elsewhere?
bool leads_out(const std::string& directory, std::string_view written) {
  const fs::path path(written);
  const auto target = (fs::path(directory) / path).lexically_normal();
  return path.is_absolute() || target.empty() || *target.begin() == "..";
}

/// Empty where it is more than git would take, or something else by now.
std::string content_of(int top, const SeedEntry& entry) {
  try {
    const auto file = os::maybe_open_regular_beneath(top, std::string(entry.path));
    return file ? os::read_all(file->get(), k_most_text) : "";
  } catch (const Error&) {
    return "";
  }
}

/// Empty: git finds what it needs. What is written there is not quoted: it is somebody else's text.
std::string why_broken(int top, const SeedEntry& entry) {
  const auto directory = fs::path(entry.path).parent_path().string();
  if (is_named(entry.path, k_dot_git) && entry.type == SeedType::symlink) {
    return leads_out(directory, entry.link_target) ? "a link that leads out of the seed" : "";
  }
  if (entry.type != SeedType::file) {
    return "";
  }
  if (is_named(entry.path, k_dot_git)) {
    constexpr std::string_view k_key = "gitdir: ";
    const auto text = content_of(top, entry);
    const auto line = std::string_view(text).substr(0, text.find_first_of("\r\n"));
    return line.starts_with(k_key) && leads_out(directory, line.substr(k_key.size()))
               ? "a linked worktree or submodule, whose repository lies outside of the seed"
               : "";
  }
  if (is_named(entry.path, k_alternates)) {
    const auto text = content_of(top, entry);
    const auto objects = fs::path(directory).parent_path().string();
    for (const auto line : lines_of(text)) {
      if (!line.empty() && line.front() != '#' && leads_out(objects, line)) {
        return "a list of repositories outside of the seed that objects are borrowed from";
      }
    }
  }
  return "";
}

} // namespace

bool is_tracked_by_seeded_git(const SeedRequest& request, const std::string& path) {
  if (request.git != GitMode::all && request.history == GitHistory::left_out) {
    return false;
  }
  try {
    const auto checkout = checkout_at(request.source);
    if (!checkout || !takes_dot_git(request, *checkout)) {
      return false;
    }
    const auto index = GitIndex::read(*checkout);
    const auto& files = index.files();
    return std::any_of(
        files.begin(), files.end(), [&](const TrackedFile& file) { return file.path == path; });
  } catch (const Error&) {
    return false; // nothing that we can read: the seed is taken as it is, and our file is no part of it
  }
}

std::vector<SeedWarning> broken_git_in(const SeedScan& scan) {
  std::vector<SeedWarning> found;
  const auto top = os::open_file(scan.source(), O_RDONLY | O_DIRECTORY);
  for (const auto& entry : scan.entries()) {
    if (!is_named(entry.path, k_dot_git) && !is_named(entry.path, k_alternates)) {
      continue;
    }
    if (auto why = why_broken(top.get(), entry); !why.empty()) {
      found.push_back({std::string(entry.path), std::move(why)});
    }
  }
  return found;
}

} // namespace pyro::seed

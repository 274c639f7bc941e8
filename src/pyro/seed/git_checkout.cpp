#include "git_checkout.hpp"

#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <algorithm>
#include <filesystem>

namespace pyro::seed {

namespace {

constexpr std::size_t k_max_link = 8192;
constexpr std::size_t k_max_config = 1 << 20;

std::string resolved(const std::string& base, const std::string& path) {
  return path.starts_with('/') ? path : (std::filesystem::path(base) / path).lexically_normal().string();
}

std::string first_line(std::string text) {
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

/// The .git of a worktree or submodule is a file that says where the real one is.
std::optional<std::string> linked_git_dir(const std::string& directory) {
  auto text = os::maybe_read_file(directory + "/.git", k_max_link);
  constexpr std::string_view k_key = "gitdir: ";
  if (!text || !text->starts_with(k_key)) {
    return std::nullopt;
  }
  return resolved(directory, first_line(text->substr(k_key.size())));
}

} // namespace

std::optional<GitCheckout> checkout_at(const std::string& directory) {
  const std::string dot_git = directory + "/.git";
  GitCheckout checkout;
  checkout.top = directory;
  if (os::is_directory(dot_git)) {
    checkout.git_dir = dot_git;
  } else if (auto linked = linked_git_dir(directory)) {
    checkout.git_dir = *linked;
  } else {
    return std::nullopt;
  }
  if (!os::exists(checkout.git_dir + "/HEAD")) {
    return std::nullopt;
  }
  checkout.common_dir = checkout.git_dir;
  if (auto common = os::maybe_read_file(checkout.git_dir + "/commondir", k_max_link)) {
    checkout.common_dir = resolved(checkout.git_dir, first_line(*common));
  }
  return checkout;
}

std::optional<GitCheckout> find_checkout(const std::string& directory) {
  for (std::filesystem::path path(directory);; path = path.parent_path()) {
    if (auto checkout = checkout_at(path.string())) {
      return checkout;
    }
    if (path == path.parent_path()) {
      return std::nullopt;
    }
  }
}

std::size_t object_name_bytes(const GitCheckout& checkout) {
  constexpr std::size_t k_sha1_bytes = 20;
  constexpr std::size_t k_sha256_bytes = 32;
  const auto config =
      lower_case(os::maybe_read_file(checkout.common_dir + "/config", k_max_config).value_or(""));
  for (const auto line : lines_of(config)) {
    if (line.find("objectformat") != std::string_view::npos
        && line.find("sha256") != std::string_view::npos) {
      return k_sha256_bytes;
    }
  }
  return k_sha1_bytes;
}

} // namespace pyro::seed

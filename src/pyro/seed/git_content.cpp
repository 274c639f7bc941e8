#include "git_content.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/git_blob.hpp>

#include <filesystem>

namespace pyro::seed {

std::optional<GitContent> GitContent::of(const std::string& source) {
  try {
    const auto checkout = find_checkout(source);
    if (!checkout) {
      return std::nullopt;
    }
    const auto below = std::filesystem::path(source).lexically_relative(checkout->top).string();
    return GitContent(GitIndex::read(*checkout), below == "." ? "" : below, object_name_bytes(*checkout));
  } catch (const Error&) {
    return std::nullopt; // the seed's scan says what is wrong with it, where that matters
  }
}

std::string GitContent::whole(std::string_view path) const {
  return m_below_top.empty() ? std::string(path) : m_below_top + "/" + std::string(path);
}

bool GitContent::tracks(std::string_view path) const {
  return m_index.find(whole(path)) != nullptr;
}

bool GitContent::has(std::string_view path, std::string_view content) const {
  constexpr std::size_t k_sha1_bytes = 20;
  const auto* file = m_index.find(whole(path));
  return file != nullptr
         && file->object
                == git_blob_name(content, m_name_bytes == k_sha1_bytes ? GitHash::sha1 : GitHash::sha256);
}

} // namespace pyro::seed

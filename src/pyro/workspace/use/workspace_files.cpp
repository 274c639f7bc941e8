#include "workspace_files.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/text.hpp>
#include <pyro/store/text_patch.hpp>
#include <pyro/workspace/context/inside_path.hpp>

#include <sys/stat.h>

#include <array>

namespace pyro::workspace {

namespace {

std::string shown(const std::string& path) {
  const auto whole = path.empty() ? "/workspace" : "/workspace/" + path;
  return is_utf8(whole) ? whole : store::git_quoted(whole);
}

std::string_view type_of(const store::Found& found) {
  return found.is_directory() ? "directory"
         : found.is_symlink() ? "symlink"
         : found.is_file()    ? "file"
                              : "other";
}

/// Deeper than any path that a program can name: a list of such paths has no bound.
constexpr std::size_t k_longest_path = 4096;

class Listing {
public:
  explicit Listing(bool recursive) : m_recursive(recursive) {}

  void add(const store::Found& found, const std::string& path) {
    Json link;
    if (found.is_symlink()) {
      const auto target = found.link_target();
      link = is_utf8(target) ? target : store::git_quoted(target);
    }
    entries.push_back(
        {{"path", shown(path)},
         {"artifact_type", type_of(found)},
         {"size_bytes", found.is_file() ? Json(found.status.st_size) : Json()},
         {"link_target", link}});
  }

  void below(const store::LayeredDirectory& directory, const std::string& path) {
    for (const auto& name : directory.names()) {
      const auto found = directory.lookup(name);
      if (!found) {
        continue;
      }
      if (entries.size() >= k_max_listed) {
        truncated = true;
        return;
      }
      add(*found, joined(path, name));
      const auto next = m_recursive && found->is_directory() ? directory.enter(name) : std::nullopt;
      if (next && path.size() < k_longest_path) {
        below(*next, joined(path, name));
      } else if (next) {
        truncated = true;
      }
    }
  }

  Json entries = Json::array();
  bool truncated = false;

private:
  bool m_recursive;
};

store::Found must_find(const store::LayeredView& view, const std::string& path) {
  const auto found = find_inside(view, path);
  if (!found) {
    throw Error(ErrorCode::invalid_argument, "workspace path does not exist: {}", shown(path));
  }
  return *found;
}

/// Bytes of the first `count` characters of UTF-8.
std::size_t bytes_of_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && count-- == 0) {
      break;
    }
  }
  return at;
}

/// Without a character at the end of which only the beginning is there.
std::string_view whole_characters(std::string_view text) {
  for (std::size_t cut = 0; cut < 4 && cut <= text.size(); ++cut) {
    auto shorter = text.substr(0, text.size() - cut);
    if (is_utf8(shorter)) {
      return shorter;
    }
  }
  return text;
}

} // namespace

Json list_files(const store::LayeredView& view, const std::string& path, bool recursive) {
  const auto real = real_path_inside(view, path, LastLink::follow);
  const auto found = must_find(view, real);
  Listing listing(recursive);
  if (found.is_directory()) {
    listing.below(*view.directory(joined("workspace", real)), real);
  } else {
    listing.add(found, real);
  }
  return {
      {"path", shown(real)},
      {"recursive", recursive},
      {"entries", std::move(listing.entries)},
      {"truncated", listing.truncated}};
}

Json read_file_bytes(const store::LayeredView& view, const std::string& path, std::size_t limit) {
  const auto real = real_path_inside(view, path, LastLink::follow);
  const auto found = must_find(view, real);
  if (!found.is_file()) {
    throw Error(
        ErrorCode::invalid_argument, "{} is a {}, not a regular file", shown(real),
        found.is_directory() ? "directory" : "special file");
  }
  const auto file = found.open();

  struct stat status {};

  if (::fstat(file.get(), &status) != 0) {
    throw Error::from_errno(errno, "look at " + shown(real));
  }
  std::string bytes;
  std::array<char, 64 << 10> buffer;
  while (bytes.size() < limit) {
    const auto wanted = std::min(buffer.size(), limit - bytes.size());
    const auto count = os::read_some(file.get(), std::span(buffer).first(wanted)).value_or(0);
    if (count == 0) {
      break;
    }
    bytes.append(buffer.data(), count);
  }
  return {
      {"path", shown(real)},
      {"size_bytes", status.st_size},
      {"bytes_read", bytes.size()},
      {"content", base64_encode(bytes)}};
}

Json text_or_base64(const std::string& bytes, std::uint64_t size, std::int64_t max_chars) {
  const auto count = static_cast<std::size_t>(max_chars);
  const bool is_cut = bytes.size() < size;
  const auto text = is_cut ? whole_characters(bytes) : std::string_view(bytes);
  if (is_utf8(text)) {
    const auto end = bytes_of_characters(text, count);
    return {{"content", text.substr(0, end)}, {"encoding", "utf-8"}, {"truncated", end < size}};
  }
  const auto part = std::string_view(bytes).substr(0, count);
  return {{"content", base64_encode(part)}, {"encoding", "base64"}, {"truncated", part.size() < size}};
}

} // namespace pyro::workspace

#include "workspace_files.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/text.hpp>
#include <pyro/store/text_patch.hpp>
#include <pyro/workspace/context/inside_path.hpp>

#include <sys/stat.h>

#include <array>
#include <span>
#include <unistd.h>
#include <vector>

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

/// The names on the way to what was listed last, below the directory that is listed.
using Way = std::span<const std::string>;

std::vector<std::string> way_of(const std::string& cursor) {
  if (cursor.empty()) {
    return {};
  }
  try {
    return fields_of(base64_decode(cursor), '/');
  } catch (const Error&) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no cursor", escape_controls(cursor))
        .with_hint("it is next_cursor of a list of files");
  }
}

class Listing {
public:
  explicit Listing(const ListRequest& request) : m_request(request) {}

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

  /// What comes behind `listed`, in the order of names.
  void below(const store::LayeredDirectory& directory, const std::string& path, Way listed) {
    for (const auto& name : directory.names()) {
      const bool is_listed = !listed.empty() && name <= listed.front();
      const bool may_hold_more = is_listed && name == listed.front() && m_request.recursive;
      const auto found = is_listed && !may_hold_more ? std::nullopt : directory.lookup(name);
      if (!found) {
        continue;
      }
      if (entries.size() >= m_request.limit) {
        truncated = true;
        is_full = true;
        return;
      }
      if (!is_listed) {
        add(*found, joined(path, name));
        last = joined(path, name);
      }
      const auto next = m_request.recursive && found->is_directory() ? directory.enter(name) : std::nullopt;
      if (next && path.size() < k_longest_path) {
        below(*next, joined(path, name), may_hold_more ? listed.subspan(1) : Way());
      } else if (next) {
        truncated = true;
      }
    }
  }

  Json entries = Json::array();
  bool truncated = false;
  bool is_full = false; // it ends before the end
  std::string last;     // the path that was listed last

private:
  const ListRequest& m_request;
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

Json list_files(const store::LayeredView& view, const std::string& path, const ListRequest& request) {
  const auto way = way_of(request.cursor);
  const auto real = real_path_inside(view, path, LastLink::follow);
  const auto found = must_find(view, real);
  Listing listing(request);
  if (found.is_directory()) {
    listing.below(*view.directory(joined("workspace", real)), real, way);
  } else {
    listing.add(found, real);
  }
  Json next;
  if (listing.is_full) {
    next = listing.last.empty() ? request.cursor
                                : base64_encode(listing.last.substr(real.empty() ? 0 : real.size() + 1));
  }
  return {
      {"path", shown(real)},
      {"recursive", request.recursive},
      {"entries", std::move(listing.entries)},
      {"truncated", listing.truncated},
      {"next_cursor", std::move(next)}};
}

Json read_file_bytes(
    const store::LayeredView& view, const std::string& path, std::uint64_t offset, std::size_t limit) {
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
  if (::lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    throw Error::from_errno(errno, "go to the cursor in " + shown(real));
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

ContentPart text_or_base64(const std::string& bytes, std::uint64_t rest, std::int64_t max_chars) {
  const auto count = static_cast<std::size_t>(max_chars);
  const bool is_cut = bytes.size() < rest;
  const auto text = is_cut ? whole_characters(bytes) : std::string_view(bytes);
  if (is_utf8(text)) {
    const auto end = bytes_of_characters(text, count);
    return {std::string(text.substr(0, end)), "utf-8", end};
  }
  const auto part = std::string_view(bytes).substr(0, count);
  return {base64_encode(part), "base64", part.size()};
}

} // namespace pyro::workspace

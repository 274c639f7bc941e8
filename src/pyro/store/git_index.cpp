#include "git_index.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace pyro::store {

namespace {

constexpr std::size_t k_max_index_bytes = 1ULL << 30;
constexpr std::size_t k_header_bytes = 12;
constexpr std::size_t k_sha1_bytes = 20;
constexpr std::size_t k_fixed_bytes = 40 + k_sha1_bytes + 2; // stat fields, object name, flags
constexpr std::size_t k_max_path = 4096;
constexpr std::uint16_t k_extended_flag = 0x4000;
constexpr std::uint16_t k_stage_mask = 0x3000;
constexpr std::uint16_t k_name_mask = 0x0fff;
constexpr std::uint16_t k_intent_to_add = 0x2000;
constexpr std::uint32_t k_directory_mode = 040000; // of a sparse index

[[noreturn]] void damaged(std::string_view what) {
  throw Error(ErrorCode::protocol, "git index is damaged: {}", what);
}

/// Bounded big-endian reading.
class Reader {
public:
  explicit Reader(std::string_view bytes) : m_bytes(bytes) {}

  std::string_view take(std::size_t count) {
    if (count > m_bytes.size() - m_at) {
      damaged("it ends too early");
    }
    auto result = m_bytes.substr(m_at, count);
    m_at += count;
    return result;
  }

  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (char c : take(bytes)) {
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }

  std::string_view until_nul() {
    auto end = m_bytes.find('\0', m_at);
    if (end == std::string_view::npos || end - m_at > k_max_path) {
      damaged("a path has no end");
    }
    auto result = m_bytes.substr(m_at, end - m_at);
    m_at = end + 1;
    return result;
  }

  /// The offset encoding of version 4.
  std::size_t variable() {
    auto byte = number(1);
    std::size_t value = byte & 127;
    while (byte & 128) {
      if (value > k_max_path) {
        damaged("a path prefix is out of range");
      }
      byte = number(1);
      value = ((value + 1) << 7) | (byte & 127);
    }
    return value;
  }

  std::size_t at() const { return m_at; }

  std::size_t left() const { return m_bytes.size() - m_at; }

private:
  std::string_view m_bytes;
  std::size_t m_at = 0;
};

/// Paths of version 4 in one growing block; offsets first, since the block moves.
struct PathRef {
  std::size_t offset;
  std::size_t size;
};

std::string resolved(const std::string& base, std::string path) {
  return path.starts_with('/') ? path : (std::filesystem::path(base) / path).lexically_normal().string();
}

std::string first_line(std::string text) {
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

/// The .git of a worktree or submodule is a file that says where the real one is.
std::optional<std::string> linked_git_dir(const std::string& directory) {
  auto text = os::maybe_read_file(directory + "/.git", k_max_path * 2);
  constexpr std::string_view k_key = "gitdir: ";
  if (!text || !text->starts_with(k_key)) {
    return std::nullopt;
  }
  return resolved(directory, first_line(text->substr(k_key.size())));
}

/// Does the checkout name its objects with SHA-256? Its index has longer entries then.
bool has_other_object_format(const GitCheckout& checkout) {
  auto config = os::maybe_read_file(checkout.common_dir + "/config", 1 << 20);
  if (!config) {
    return false;
  }
  std::transform(config->begin(), config->end(), config->begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return config->find("objectformat") != std::string::npos;
}

GitIndex ask_git(const GitCheckout& checkout) {
  if (!os::find_program("git")) {
    throw Error(ErrorCode::unavailable, "the git index of {} needs git to be read", checkout.top)
        .with_hint("install git, or set seed.git: all");
  }
  os::Command command;
  // The checkout's own configuration must not start programs here.
  command.argv = {"git",
                  "-c",
                  "core.fsmonitor=false",
                  "-c",
                  "core.hooksPath=/dev/null",
                  "-C",
                  checkout.top,
                  "ls-files",
                  "-z",
                  "--stage"};
  auto captured = os::run(std::move(command), {}, std::chrono::minutes(2), k_max_index_bytes);
  if (!captured.outcome.ok()) {
    throw Error(ErrorCode::failed, "git ls-files in {} failed: {}", checkout.top, first_line(captured.err));
  }
  return GitIndex::from_ls_files(std::move(captured.out));
}

} // namespace

std::optional<GitCheckout> checkout_at(const std::string& directory) {
  std::string dot_git = directory + "/.git";
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
  if (auto common = os::maybe_read_file(checkout.git_dir + "/commondir", k_max_path * 2)) {
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

std::optional<GitIndex> GitIndex::parse(std::string bytes) {
  auto owned = std::make_shared<const std::string>(std::move(bytes));
  auto arena = std::make_shared<std::string>();
  Reader reader(*owned);
  if (reader.take(4) != "DIRC") {
    damaged("it does not start with DIRC");
  }
  auto version = reader.number(4);
  if (version < 2 || version > 4) {
    return std::nullopt;
  }
  auto count = reader.number(4);
  if (count > reader.left() / (k_fixed_bytes + 1)) {
    damaged("it claims more entries than it can hold");
  }
  GitIndex index;
  index.m_files.reserve(count);
  std::vector<PathRef> refs;
  std::string previous;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto start = reader.at();
    reader.take(24);
    auto mode = reader.number(4);
    reader.take(12 + k_sha1_bytes);
    auto flags = static_cast<std::uint16_t>(reader.number(2));
    std::uint16_t extended = 0;
    if (flags & k_extended_flag) {
      if (version < 3) {
        damaged("an entry has flags of a later version");
      }
      extended = static_cast<std::uint16_t>(reader.number(2));
    }
    if (mode == k_directory_mode) {
      return std::nullopt; // a sparse index names whole directories
    }
    std::string_view path;
    if (version == 4) {
      auto strip = reader.variable();
      if (strip > previous.size()) {
        damaged("a path prefix is out of range");
      }
      previous.erase(previous.size() - strip);
      previous += reader.until_nul();
      path = previous;
    } else {
      auto length = static_cast<std::size_t>(flags & k_name_mask);
      if (length < k_name_mask) {
        path = reader.take(length);
        if (reader.number(1) != 0) {
          damaged("a path has no end");
        }
      } else {
        path = reader.until_nul();
      }
      while ((reader.at() - start) % 8 != 0) { // padded with NULs to a multiple of eight
        reader.take(1);
      }
    }
    if (path.empty()) {
      return std::nullopt; // a split index replaces entries of the shared one this way
    }
    if (path.empty() || path.size() > k_max_path || path.find('\0') != std::string_view::npos) {
      damaged("an entry has no proper path");
    }
    bool repeated = (flags & k_stage_mask) != 0 && !index.m_files.empty()
                    && (version == 4 ? std::string_view(*arena).substr(refs.back().offset, refs.back().size)
                                     : index.m_files.back().path)
                           == path;
    if (repeated || (extended & k_intent_to_add && mode == 0)) {
      continue;
    }
    if (version == 4) {
      refs.push_back({arena->size(), path.size()});
      arena->append(path);
    }
    index.m_files.push_back({path, mode});
  }
  // Extensions whose name starts with a small letter change what the entries mean.
  while (reader.left() > k_sha1_bytes) {
    auto name = reader.take(4);
    if (name[0] < 'A' || name[0] > 'Z') {
      return std::nullopt;
    }
    reader.take(reader.number(4));
  }
  if (version == 4) {
    for (std::size_t i = 0; i < refs.size(); ++i) {
      index.m_files[i].path = std::string_view(*arena).substr(refs[i].offset, refs[i].size);
    }
  }
  const auto out_of_order =
      std::adjacent_find(index.m_files.begin(), index.m_files.end(), [](const auto& a, const auto& b) {
        return a.path >= b.path;
      });
  if (out_of_order != index.m_files.end()) {
    damaged("its entries are not sorted");
  }
  index.m_bytes = std::move(owned);
  index.m_arena = std::move(arena);
  return index;
}

GitIndex GitIndex::from_ls_files(std::string bytes) {
  GitIndex index;
  index.m_bytes = std::make_shared<const std::string>(std::move(bytes));
  std::string_view rest = *index.m_bytes;
  while (!rest.empty()) {
    auto end = rest.find('\0');
    auto line = rest.substr(0, end);
    auto space = line.find(' ');
    auto tab = line.find('\t');
    if (end == std::string_view::npos || space == std::string_view::npos || tab == std::string_view::npos) {
      throw Error(ErrorCode::protocol, "git ls-files answered something that is no list of files");
    }
    std::uint32_t mode = 0;
    for (char c : line.substr(0, space)) {
      mode = mode << 3 | static_cast<std::uint32_t>(c - '0');
    }
    auto path = line.substr(tab + 1);
    if (path.empty()) {
      damaged("an entry has no proper path");
    }
    index.m_files.push_back({path, mode});
    rest.remove_prefix(end + 1);
  }
  std::stable_sort(index.m_files.begin(), index.m_files.end(), [](const auto& a, const auto& b) {
    return a.path < b.path;
  });
  const auto repeated =
      std::unique(index.m_files.begin(), index.m_files.end(), [](const auto& a, const auto& b) {
        return a.path == b.path;
      });
  index.m_files.erase(repeated, index.m_files.end());
  return index;
}

GitIndex GitIndex::read(const GitCheckout& checkout) {
  auto bytes = os::maybe_read_file(checkout.git_dir + "/index", k_max_index_bytes);
  if (!bytes) {
    return {};
  }
  if (!has_other_object_format(checkout)) {
    try {
      if (auto index = parse(std::move(*bytes))) {
        return std::move(*index);
      }
    } catch (Error& error) {
      error.add_context("while reading " + checkout.git_dir + "/index");
      throw;
    }
  }
  return ask_git(checkout);
}

GitIndex::Range GitIndex::below(std::string_view directory) const {
  if (directory.empty()) {
    return {0, m_files.size()};
  }
  std::string low = std::string(directory) + "/";
  std::string high = std::string(directory) + "0"; // '0' follows '/'
  auto less = [](const TrackedFile& file, const std::string& bound) {
    return file.path < bound;
  };
  auto first = std::lower_bound(m_files.begin(), m_files.end(), low, less);
  auto last = std::lower_bound(first, m_files.end(), high, less);
  return {
      static_cast<std::size_t>(first - m_files.begin()), static_cast<std::size_t>(last - m_files.begin())};
}

} // namespace pyro::store

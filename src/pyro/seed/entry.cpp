#include "entry.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/path_text.hpp>

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace pyro::seed {

namespace {

constexpr std::string_view k_index_magic = "PYROSEED";
constexpr std::uint32_t k_index_version = 1;
constexpr std::uint32_t k_max_entries = 50'000'000;

struct IndexHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t count;
  char tree_digest[64];
  std::uint64_t check_sum; // of everything behind the header
};

struct Record {
  std::uint64_t size;
  std::int64_t mtime_ns;
  std::uint32_t path_size;
  std::uint32_t target_size;
  std::uint32_t link_group;
  std::uint16_t mode;
  std::uint8_t type;
  std::uint8_t flags;
  ContentDigest digest;
};

constexpr std::uint8_t k_has_digest = 1;
constexpr std::uint8_t k_has_xattrs = 2;

static_assert(std::is_trivially_copyable_v<IndexHeader> && sizeof(IndexHeader) == 88);
static_assert(std::is_trivially_copyable_v<Record> && sizeof(Record) == 64);

/// Slashes sort before everything else, which makes it component by component.
int rank_of(char c) {
  return c == '/' ? -1 : static_cast<unsigned char>(c);
}

bool is_proper_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.back() == '/'
      || path.find('\0') != std::string_view::npos) {
    return false;
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    auto end = std::min(path.find('/', begin), path.size());
    auto name = path.substr(begin, end - begin);
    if (name.empty() || name == "." || name == "..") {
      return false;
    }
    begin = end + 1;
  }
  return true;
}

bool same_content(const SeedEntry& left, const SeedEntry& right) {
  if (left.type != right.type || left.mode != right.mode) {
    return false;
  }
  switch (left.type) {
  case SeedType::directory:
    return true;
  case SeedType::symlink:
    return left.link_target == right.link_target;
  case SeedType::file:
    break;
  }
  if (!left.has_digest || !right.has_digest) {
    throw Error(ErrorCode::internal, "seed entry '{}' has no digest to compare", left.path);
  }
  return left.size == right.size && left.digest == right.digest;
}

template <typename T>
void append_raw(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

} // namespace

bool path_before(std::string_view left, std::string_view right) {
  auto [l, r] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
  if (r == right.end()) {
    return false;
  }
  return l == left.end() || rank_of(*l) < rank_of(*r);
}

const SeedEntry* SeedManifest::find(std::string_view path) const {
  auto found = std::lower_bound(
      entries.begin(), entries.end(), path,
      [](const SeedEntry& entry, std::string_view wanted) { return path_before(entry.path, wanted); });
  return found != entries.end() && found->path == path ? &*found : nullptr;
}

SeedDelta delta_of(const std::vector<SeedEntry>& before, const std::vector<SeedEntry>& after) {
  SeedDelta delta;
  std::string_view gone; // the last directory that is no longer one: what was below needs no mention
  auto old_entry = before.begin();
  auto new_entry = after.begin();
  while (old_entry != before.end() || new_entry != after.end()) {
    if (new_entry == after.end()
        || (old_entry != before.end() && path_before(old_entry->path, new_entry->path))) {
      if (gone.empty() || !is_below(old_entry->path, gone)) {
        delta.deleted.emplace_back(old_entry->path);
        gone = old_entry->path;
      }
      ++old_entry;
    } else if (old_entry == before.end() || path_before(new_entry->path, old_entry->path)) {
      delta.changed.emplace_back(new_entry->path);
      ++new_entry;
    } else {
      if (!same_content(*old_entry, *new_entry)) {
        delta.changed.emplace_back(new_entry->path);
        if (old_entry->type == SeedType::directory && new_entry->type != SeedType::directory) {
          gone = old_entry->path;
        }
      }
      ++old_entry;
      ++new_entry;
    }
  }
  return delta;
}

std::uint64_t check_sum_of(std::string_view bytes) {
  constexpr std::uint64_t k_prime = 0x9e3779b97f4a7c15;
  std::uint64_t lanes[4] = {1, 2, 3, bytes.size()};
  auto mix = [](std::uint64_t sum, std::uint64_t word) {
    sum = (sum ^ word) * k_prime;
    return sum ^ (sum >> 29);
  };
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    std::uint64_t words[4];
    std::memcpy(words, bytes.data() + at, sizeof words);
    for (int lane = 0; lane < 4; ++lane) {
      lanes[lane] = mix(lanes[lane], words[lane]);
    }
  }
  for (; at < bytes.size(); ++at) {
    lanes[0] = mix(lanes[0], static_cast<unsigned char>(bytes[at]));
  }
  return mix(mix(mix(lanes[0], lanes[1]), lanes[2]), lanes[3]);
}

std::string encode_manifest(const HexDigest& tree_digest, const std::vector<SeedEntry>& entries) {
  IndexHeader header{};
  std::memcpy(header.magic, k_index_magic.data(), sizeof header.magic);
  header.version = k_index_version;
  header.count = static_cast<std::uint32_t>(entries.size());
  if (tree_digest.size() != sizeof header.tree_digest) {
    throw Error(ErrorCode::internal, "'{}' is no tree digest", tree_digest);
  }
  std::memcpy(header.tree_digest, tree_digest.data(), sizeof header.tree_digest);
  std::string body;
  body.reserve(entries.size() * (sizeof(Record) + 48));
  for (const auto& entry : entries) {
    Record record{};
    record.size = entry.size;
    record.mtime_ns = entry.mtime_ns;
    record.path_size = static_cast<std::uint32_t>(entry.path.size());
    record.target_size = static_cast<std::uint32_t>(entry.link_target.size());
    record.link_group = entry.link_group;
    record.mode = entry.mode;
    record.type = static_cast<std::uint8_t>(entry.type);
    record.flags = static_cast<std::uint8_t>(
        (entry.has_digest ? k_has_digest : 0) | (entry.has_xattrs ? k_has_xattrs : 0));
    record.digest = entry.digest;
    append_raw(body, record);
    body += entry.path;
    body += entry.link_target;
  }
  header.check_sum = check_sum_of(body);
  std::string result;
  result.reserve(sizeof header + body.size());
  append_raw(result, header);
  return result + body;
}

SeedManifest decode_manifest(std::string bytes, std::string_view what) {
  auto damaged = [&](std::string_view reason) {
    return Error(ErrorCode::protocol, "seed manifest {} is damaged: {}", what, reason);
  };
  SeedManifest manifest;
  manifest.text = std::make_shared<const std::string>(std::move(bytes));
  std::string_view rest = *manifest.text;
  IndexHeader header;
  if (rest.size() < sizeof header) {
    throw damaged("too short");
  }
  std::memcpy(&header, rest.data(), sizeof header);
  rest.remove_prefix(sizeof header);
  if (std::string_view(header.magic, sizeof header.magic) != k_index_magic
      || header.version != k_index_version) {
    throw damaged("not a manifest of version 1");
  }
  if (header.count > k_max_entries || header.count > rest.size() / sizeof(Record)) {
    throw damaged("it claims more entries than it holds");
  }
  if (check_sum_of(rest) != header.check_sum) {
    throw damaged("its check sum is wrong");
  }
  manifest.tree_digest.assign(header.tree_digest, sizeof header.tree_digest);
  manifest.entries.reserve(header.count);
  for (std::uint32_t i = 0; i < header.count; ++i) {
    Record record;
    if (rest.size() < sizeof record) {
      throw damaged("it ends too early");
    }
    std::memcpy(&record, rest.data(), sizeof record);
    rest.remove_prefix(sizeof record);
    if (record.path_size > rest.size() || record.target_size > rest.size() - record.path_size) {
      throw damaged("it ends too early");
    }
    SeedEntry entry;
    entry.path = rest.substr(0, record.path_size);
    entry.link_target = rest.substr(record.path_size, record.target_size);
    rest.remove_prefix(record.path_size + record.target_size);
    if (!is_proper_path(entry.path) || record.type < 1 || record.type > 3 || record.mode > 07777
        || (i > 0 && !path_before(manifest.entries.back().path, entry.path))) {
      throw damaged("an entry makes no sense");
    }
    entry.type = static_cast<SeedType>(record.type);
    entry.has_digest = (record.flags & k_has_digest) != 0;
    entry.has_xattrs = (record.flags & k_has_xattrs) != 0;
    entry.mode = record.mode;
    entry.link_group = record.link_group;
    entry.size = record.size;
    entry.mtime_ns = record.mtime_ns;
    entry.digest = record.digest;
    manifest.entries.push_back(entry);
  }
  if (!rest.empty()) {
    throw damaged("something follows its end");
  }
  return manifest;
}

} // namespace pyro::seed

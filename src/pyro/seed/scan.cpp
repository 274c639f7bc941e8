#include "scan.hpp"

#include "input_pattern.hpp"
#include "tree.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>

namespace pyro::seed {

namespace {

constexpr int k_scan_attempts = 3;

const SeedEntry* find_entry(const std::vector<SeedEntry>& entries, std::string_view path) {
  auto found = std::lower_bound(
      entries.begin(), entries.end(), path,
      [](const SeedEntry& entry, std::string_view wanted) { return path_before(entry.path, wanted); });
  return found != entries.end() && found->path == path ? &*found : nullptr;
}

void read_all_of(SeedTree& tree, const std::vector<std::size_t>& indexes) {
  run_parallel(indexes.size(), tree.request().threads, [&](std::size_t i) { tree.read_digest(indexes[i]); });
}

SeedScan scan_once(const SeedRequest& request) {
  auto tree = std::make_unique<SeedTree>(request);
  tree->walk();
  if (request.hashing == Hashing::all && tree->has_unread()) {
    read_all_of(*tree, tree->unread_indexes());
    tree->drop_vanished();
    tree->sort_warnings();
  }
  tree->save_stat_cache();
  return SeedScan(std::move(tree));
}

} // namespace

GitMode git_mode_of(std::string_view text) {
  if (text == "tracked") {
    return GitMode::tracked;
  }
  if (text == "tracked+untracked") {
    return GitMode::tracked_untracked;
  }
  if (text == "all") {
    return GitMode::all;
  }
  throw Error(
      ErrorCode::invalid_argument, "seed.git must be tracked, tracked+untracked or all, not '{}'", text);
}

SeedScan::SeedScan(std::unique_ptr<SeedTree> tree) : m_tree(std::move(tree)) {
}

SeedScan::~SeedScan() = default;
SeedScan::SeedScan(SeedScan&&) noexcept = default;
SeedScan& SeedScan::operator=(SeedScan&&) noexcept = default;

const std::string& SeedScan::source() const {
  return m_tree->request().source;
}

const std::vector<SeedEntry>& SeedScan::entries() const {
  return m_tree->entries();
}

const SeedEntry* SeedScan::find(std::string_view path) const {
  return find_entry(entries(), path);
}

const std::vector<SeedWarning>& SeedScan::warnings() const {
  return m_tree->warnings();
}

std::uint64_t SeedScan::file_count() const {
  const auto& all = entries();
  return static_cast<std::uint64_t>(std::count_if(
      all.begin(), all.end(), [](const SeedEntry& entry) { return entry.type == SeedType::file; }));
}

std::uint64_t SeedScan::total_bytes() const {
  std::uint64_t total = 0;
  for (const auto& entry : entries()) {
    total += entry.size;
  }
  return total;
}

std::uint64_t SeedScan::unread_files() const {
  return m_tree->has_unread() ? m_tree->unread_indexes().size() : 0;
}

std::uint64_t SeedScan::unread_bytes() const {
  std::uint64_t total = 0;
  for (auto index : m_tree->unread_indexes()) {
    total += entries()[index].size;
  }
  return total;
}

bool SeedScan::complete() const {
  return !m_tree->has_unread();
}

HexDigest SeedScan::tree_digest() const {
  return m_tree->tree_digest();
}

void SeedScan::complete_digests() {
  read_all_of(*m_tree, m_tree->unread_indexes());
  m_tree->drop_vanished();
  m_tree->save_stat_cache();
}

void SeedScan::complete_digests_of(const std::function<bool(std::size_t index)>& wanted) {
  auto indexes = m_tree->unread_indexes();
  std::erase_if(indexes, [&](std::size_t index) { return !wanted(index); });
  read_all_of(*m_tree, indexes);
  if (m_tree->drop_vanished()) {
    throw Error(ErrorCode::stale, "seed changed while it was read: {}", m_tree->warnings().back().path)
        .with_hint("run it again when nothing writes to the seed");
  }
}

void SeedScan::set_digest(std::size_t index, const ContentDigest& digest) {
  m_tree->set_digest(index, digest);
}

void SeedScan::save_stat_cache() {
  m_tree->save_stat_cache();
}

std::string SeedScan::manifest() const {
  return encode_manifest(tree_digest(), entries());
}

SeedScan scan_seed(const SeedRequest& request) {
  for (int attempt = 1;; ++attempt) {
    try {
      return scan_once(request);
    } catch (const Error& error) {
      // Somebody writes to the seed just now; most often that is over in a moment.
      if (error.code() != ErrorCode::stale || attempt == k_scan_attempts) {
        throw;
      }
    }
  }
}

SeedInputs digest_of_inputs(SeedScan& scan, const std::vector<std::string>& patterns) {
  const auto& entries = scan.entries();
  std::vector<bool> wanted(entries.size());
  for (const auto& written : patterns) {
    const InputPattern pattern(written);
    bool any = false;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (pattern.covers(entries[i].path)) {
        wanted[i] = true;
        any = true;
      }
    }
    if (!any) {
      throw Error(
          ErrorCode::input_missing, "input '{}' matches nothing in the seed {}", written, scan.source())
          .with_hint(
              "inputs are paths or globs from the seed's root; files that git ignores are not in the seed");
    }
  }
  scan.complete_digests_of([&](std::size_t index) { return wanted[index]; });
  SeedInputs inputs;
  Sha256 sum;
  sum.field("pyro seed inputs 1");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!wanted[i]) {
      continue;
    }
    const auto& entry = entries[i];
    inputs.paths.emplace_back(entry.path);
    sum.field(entry.path);
    sum.field(fmt::format("{} {}", static_cast<int>(entry.type), entry.mode));
    if (entry.type == SeedType::symlink) {
      sum.field(entry.link_target);
    } else if (entry.type == SeedType::file) {
      sum.update(std::as_bytes(std::span(entry.digest)));
    }
  }
  inputs.digest = sum.finish();
  return inputs;
}

} // namespace pyro::seed

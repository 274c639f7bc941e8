// The stat fields that a seed's scan and copy compare, and the loop that spreads their work over threads.
#pragma once

#include "stat_cache.hpp"

#include <pyro/base/error.hpp>

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::seed {

struct SeedStat {
  StatKey key;
  std::uint32_t links = 1;
  mode_t mode = 0;
  std::uint64_t blocks = 0; // of 512 bytes
};

/// statx(2) without following symlinks or asking a server; nullopt: not there any more.
std::optional<SeedStat> seed_stat(int directory, const char* name);
SeedStat seed_stat_of(int fd, const std::string& path);

/// `read` of one file, whose name alone says little: where the system refuses, the whole path is told.
template <typename Read>
auto naming_whole(const std::string& source, std::string_view path, const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.error_number() == 0) {
      throw;
    }
    throw Error::from_errno(error.error_number(), fmt::format("read seed file {}/{}", source, path))
        .with_hint("make it readable, or leave it out with seed.exclude");
  }
}

/// The bits of a mode that a seed keeps.
std::uint16_t seed_mode_of(mode_t mode);

/// The clock that stamps files, as nanoseconds since the epoch.
std::int64_t file_clock_ns();

/// Times this old, seen from the start of the scan, cannot hide a later change of the same size.
bool is_settled(const StatKey& key, std::int64_t scan_start_ns);

/// Runs work(0) ... work(count-1) on some threads; the first exception stops it and is thrown.
void run_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work);

} // namespace pyro::seed

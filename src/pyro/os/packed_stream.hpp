// Compressed bytes by their digests: OCI names a layer twice, by the digest of its archive (DiffID) and by
// the digest of the archive as it is packed, so both are taken in the one pass that reads or writes it.
#pragma once

#include "archive_reader.hpp"

#include <pyro/base/sha256.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pyro::os {

enum class Compression { none, gzip, zstd };

/// "none", "gzip", "zstd"
std::string_view name_of(Compression compression);

/// Reads a descriptor from its position to its end: gzip, zstd or neither, found out from the first bytes.
/// Error(invalid_argument) for damaged input and for more than `max_ratio` unpacked bytes to one packed.
class UnpackedStream : public ByteSource {
public:
  struct Limits {
    std::uint64_t max_packed_bytes = 64ULL << 30;
    std::uint64_t max_unpacked_bytes = 128ULL << 30;
    std::uint64_t max_ratio = 1'100; // gzip reaches 1032
    std::uint64_t ratio_free_bytes = 64ULL << 20;
  };

  /// `name` is for messages.
  UnpackedStream(int fd, std::string name);
  UnpackedStream(int fd, std::string name, const Limits& limits);
  ~UnpackedStream() override;

  std::string_view next() override;
  std::uint64_t packed_bytes() const override;

  struct Digests {
    HexDigest packed;
    HexDigest unpacked;
  };

  /// Reads what is left, so that the digests are of everything. Once.
  Digests finish();

private:
  class Unpacking;
  std::unique_ptr<Unpacking> m_unpacking;
};

/// Writes to a descriptor, compressed. The same bytes give the same output: no time, no name is in it.
class PackedSink {
public:
  PackedSink(int fd, Compression compression, int level);
  ~PackedSink();
  PackedSink(const PackedSink&) = delete;
  PackedSink& operator=(const PackedSink&) = delete;

  void write(std::string_view bytes);

  struct Result {
    HexDigest packed;
    HexDigest unpacked;
    std::uint64_t packed_bytes = 0;
  };

  /// Everything is in the descriptor afterwards. Once.
  Result finish();

private:
  class Packing;
  std::unique_ptr<Packing> m_packing;
};

} // namespace pyro::os

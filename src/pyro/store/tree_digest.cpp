// digest_tree(): the identity of a layer.
#include "layers.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/os/tree_copy.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace pyro::store {

namespace {

/// A capability of version 3 also names the user namespace's root, which differs with the place it is read
/// from.
std::string normalised(const std::string& name, const std::string& value) {
  constexpr std::size_t k_version_2_size = 20;
  if (name != "security.capability" || value.size() <= k_version_2_size) {
    return value;
  }
  std::string result = value.substr(0, k_version_2_size);
  result[3] = 0; // the version; the flags below stay
  return result;
}

HexDigest content_digest(int file) {
  Sha256 hash;
  std::array<char, 256 << 10> buffer;
  while (const auto count = os::read_some(file, buffer)) {
    check_interruption();
    if (*count == 0) {
      break;
    }
    hash.update(std::string_view(buffer.data(), *count));
  }
  return hash.finish();
}

/// Files above this size may be mostly holes: a sandbox makes a file of terabytes in no time.
constexpr off_t k_giant = 1 << 30;

/// Of the bytes, wherever the holes are: blocks of zeros are only counted. It does not read holes.
class GiantDigest {
public:
  GiantDigest(int file, off_t size) : m_file(file), m_size(size) { m_hash.field("pyro giant 1"); }

  HexDigest run() {
    for (off_t at = 0; at < m_size;) {
      check_interruption();
      const off_t data = std::min(next_data(at), m_size);
      const off_t block = data - data % k_block;
      m_zeros += static_cast<std::uint64_t>(block - at);
      at = block;
      if (at < m_size) {
        at += add_block(at);
      }
    }
    end_zeros();
    return m_hash.finish();
  }

private:
  static constexpr off_t k_block = 256 << 10;

  off_t next_data(off_t at) const {
    const off_t data = ::lseek(m_file, at, SEEK_DATA);
    const int number = errno;
    return data >= 0 ? data : number == ENXIO ? m_size : at;
  }

  off_t add_block(off_t at) {
    const auto wanted = static_cast<std::size_t>(std::min<off_t>(k_block, m_size - at));
    m_block.assign(wanted, '\0'); // a file that shrinks meanwhile ends in zeros
    for (std::size_t filled = 0; filled < wanted;) {
      const auto count =
          ::pread(m_file, m_block.data() + filled, wanted - filled, at + static_cast<off_t>(filled));
      if (count < 0 && errno != EINTR) {
        throw Error::from_errno(errno, "read");
      }
      if (count == 0) {
        break;
      }
      filled += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    if (m_block.find_first_not_of('\0') == std::string::npos) {
      m_zeros += wanted;
    } else {
      end_zeros();
      m_hash.field(m_block);
    }
    return static_cast<off_t>(wanted);
  }

  void end_zeros() {
    if (m_zeros > 0) {
      m_hash.field("").field(std::to_string(m_zeros));
      m_zeros = 0;
    }
  }

  int m_file;
  off_t m_size;
  Sha256 m_hash;
  std::string m_block;
  std::uint64_t m_zeros = 0;
};

class TreeHash {
public:
  explicit TreeHash(const KnownContent& known) : m_known(known) { m_hash.field("pyro layer 1"); }

  TreeDigest run(const std::string& tree) {
    const os::Fd root = os::open_directory(tree);

    struct stat status {};

    if (fstat(root.get(), &status) != 0) {
      throw Error::from_errno(errno, "look at " + tree);
    }
    add_metadata("", status);
    add_attributes(root.get());
    os::walk_tree(
        root.get(), os::TreeVisitor{[this](const os::TreeEntry& entry) { return visit(entry); }, {}});
    m_result.digest = m_hash.finish();
    return m_result;
  }

private:
  os::Visit visit(const os::TreeEntry& entry) {
    ++m_result.entry_count;
    add_metadata(entry.path, entry.status);
    try {
      if (entry.is_directory()) {
        add_attributes(os::open_directory_at(entry.directory, entry.name).get());
      } else if (entry.is_symlink()) {
        m_hash.field(os::read_link_at(entry.directory, entry.name));
      } else if (entry.is_file()) {
        add_file(entry);
      } else {
        m_hash.field(std::to_string(entry.status.st_rdev));
      }
    } catch (Error& error) {
      throw error.add_context("while reading " + entry.path);
    }
    return os::Visit::go_on;
  }

  void add_metadata(const std::string& path, const struct stat& status) {
    m_hash.field(path);
    m_hash.field(fmt::format("{:o} {} {}", status.st_mode, status.st_uid, status.st_gid));
  }

  void add_attributes(int fd) {
    const os::ExtendedAttributes attributes = os::extended_attributes_of(fd);
    m_hash.field(std::to_string(attributes.size()));
    for (const auto& [name, value] : attributes) {
      m_hash.field(name).field(normalised(name, value));
    }
  }

  void add_file(const os::TreeEntry& entry) {
    if (entry.status.st_nlink < 2 || m_seen.emplace(entry.status.st_dev, entry.status.st_ino).second) {
      m_result.size_bytes += static_cast<std::uint64_t>(entry.status.st_size);
    }
    const os::Fd file = os::open_at(entry.directory, entry.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (entry.status.st_size > k_giant) {
      m_hash.field(GiantDigest(file.get(), entry.status.st_size).run());
    } else {
      const std::optional<HexDigest> known = m_known ? m_known(entry) : std::nullopt;
      m_hash.field(known ? *known : content_digest(file.get()));
    }
    add_attributes(file.get());
  }

  const KnownContent& m_known;
  Sha256 m_hash;
  TreeDigest m_result;
  std::set<std::pair<dev_t, ino_t>> m_seen;
};

} // namespace

TreeDigest digest_tree(const std::string& tree, const KnownContent& known) {
  return TreeHash(known).run(tree);
}

} // namespace pyro::store

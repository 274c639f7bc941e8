// Real trees for tests: made by hand or at random, and read back whole to compare with.
#pragma once

#include <pyro/os/directory.hpp>
#include <pyro/store/layout.hpp>

#include <map>
#include <random>
#include <string>

namespace pyro::store::test {

/// A directory of its own for each test.
class Scratch {
public:
  Scratch() : m_directory("/tmp", "pyro-store-test") {}

  const std::string& path() const { return m_directory.path(); }

  std::string operator/(const std::string& name) const { return path() + "/" + name; }

private:
  os::TempDir m_directory;
};

/// Parents are made; `text` replaces what is there.
void write(const std::string& path, const std::string& text, mode_t mode = 0644);
void make_directory(const std::string& path);
void make_symlink(const std::string& target, const std::string& path);
void make_whiteout(const std::string& path);
void make_opaque(const std::string& directory);
std::string read(const std::string& path);

/// A tree as plain data: what a full walk sees.
struct Node {
  mode_t mode = 0; // with type
  uid_t uid = 0;
  gid_t gid = 0;
  std::string content; // or link target

  bool operator==(const Node&) const = default;
};

using Tree = std::map<std::string, Node>;

/// Of a directory on disk (std::filesystem, nothing of pyro's).
Tree full_walk(const std::string& root);

/// Changes something below `root`, which may be a mounted overlay: writes, removals, renames, links, modes.
void mutate(const std::string& root, std::mt19937& random, int changes);

} // namespace pyro::store::test

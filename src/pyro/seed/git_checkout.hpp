// Where git keeps what it knows of a checkout. Everything there is read as data, as whoever wrote the
// checkout left it: git itself is never started, since its configuration can name programs to run.
#pragma once

#include <optional>
#include <string>

namespace pyro::seed {

/// Worktrees and submodules have a .git file that points elsewhere.
struct GitCheckout {
  std::string top;        // absolute path of the working tree
  std::string git_dir;    // holds the index
  std::string common_dir; // holds info/exclude and config
};

/// The checkout that holds `directory` (itself or a parent); nullopt: none.
std::optional<GitCheckout> find_checkout(const std::string& directory);
/// The checkout whose top is exactly `directory`.
std::optional<GitCheckout> checkout_at(const std::string& directory);

/// The bytes of an object's name in this checkout: 20 (SHA-1) or 32 (SHA-256).
std::size_t object_name_bytes(const GitCheckout& checkout);

} // namespace pyro::seed

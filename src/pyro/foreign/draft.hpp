// A first pyro.yaml made of another tool's file: collected here by whoever reads that file, and written once.
// What could not be taken over is remembered with its place, never dropped in silence.
#pragma once

#include <pyro/base/error.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::foreign {

/// Something of the other file that has no counterpart here, or needs none.
struct Unmapped {
  Position place;
  std::string key; // "services.web.networks"
  std::string reason;
  bool is_needed = true; // false: it works without
};

/// What is read beside the file, below its directory: nullopt where it is not there or is no regular file.
using ReadBeside = std::function<std::optional<std::string>(const std::string& relative)>;

struct DraftService {
  std::string name;
  std::string comment;            // above it
  std::vector<std::string> lines; // its fields, without indentation
  bool is_commented = false;      // it has no command that is known: all of it is a comment
};

struct Draft {
  std::string source; // the file, as it is called
  std::string name;   // of the workspace; empty: the directory's
  std::string description;
  std::string isolation;
  std::string image = "debian:12";
  std::string image_comment;
  std::string user;
  std::string workdir;
  std::map<std::string, std::string> resources; // "memory" → "512MiB"
  std::map<std::string, std::string> env;
  std::vector<std::string> setup;   // lines of items, "- {npm: ci}"
  std::vector<std::string> prepare; // the same
  std::string seed_to;
  std::map<std::string, std::string> secrets; // name → "{file: …}"
  std::vector<DraftService> services;
  bool is_network_open = false;
  std::vector<Unmapped> unmapped;

  void lost(const Position& place, std::string key, std::string reason);
  void not_needed(const Position& place, std::string key, std::string reason);
};

/// A YAML scalar: as it is where that is safe, else in double quotes.
std::string quoted(const std::string& text);
/// ["a", "b"]
std::string quoted_list(const std::vector<std::string>& texts);

/// The commented file. It is valid: Error(failed) where it would not be, which is a bug or a hostile file.
std::string text_of(const Draft& draft);

} // namespace pyro::foreign

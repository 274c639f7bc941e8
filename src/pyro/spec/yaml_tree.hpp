// YAML text as a tree that keeps what yaml-cpp's own nodes lose: raw scalar text, style, place, duplicate
// keys. Only the event interface of yaml-cpp is used. What fields mean is not known here; see reader.hpp.
#pragma once

#include "parse.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::spec {

inline constexpr std::size_t k_max_file_bytes = 1 << 20;
inline constexpr std::size_t k_max_depth = 64;
inline constexpr std::size_t k_max_nodes = 10'000; // after expansion of aliases

enum class NodeKind { null, scalar, list, map };

enum class ScalarStyle { plain, quoted };

struct Entry;

struct Node {
  NodeKind kind = NodeKind::null;
  ScalarStyle style = ScalarStyle::plain;
  std::string text; // of a scalar, as in the source, quotes and escapes resolved
  Position place;
  std::vector<Node> items;           // of a list
  std::vector<Entry> entries;        // of a map, in order, keys unique
  std::string profile;               // set if this value came from a profile
  std::optional<Position> overrides; // what that profile replaced
  std::string variable;              // set if (a part of) its text is this variable's value
  std::optional<Position> variable_place;
  std::vector<std::string> variables; // all whose values are a part of it

  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);

  bool is_map() const { return kind == NodeKind::map; }

  bool is_list() const { return kind == NodeKind::list; }

  bool is_scalar() const { return kind == NodeKind::scalar; }
};

struct Entry {
  std::string key;
  Position key_place;
  Node value;
};

/// The words for messages: "a map", "a list", "a text", "nothing".
std::string_view words_for(NodeKind kind);

/// Reads one document. Errors are appended; the root is then whatever could be made of it (null if nothing).
Node parse_yaml(std::string_view text, const std::string& file, std::vector<Diagnostic>& diagnostics);

/// RFC 7396: maps merge deeply, everything else replaces, null deletes. Replaced values know profile and both
/// places.
void merge_patch(Node& target, const Node& patch, const std::string& profile);

} // namespace pyro::spec

// Reads one map of the tree by the table in schema.hpp: refuses unknown keys, reads each value by its field's
// type, and notes every place. Internal to spec/; the parts of the file are read in read_*.cpp.
#pragma once

#include "schema.hpp"
#include "yaml_tree.hpp"

#include <pyro/base/names.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::spec {

/// What all readers of one file share: the diagnostics so far and the places of the addresses.
class Context {
public:
  std::vector<Diagnostic> diagnostics;
  std::map<std::string, Position> positions;
  std::map<std::string, std::set<std::string>> variables; // by the addresses that they went into
  std::vector<HostVariable> host_variables;               // as they were asked for
  std::vector<Position> withheld;                         // of values that hold what the host did not tell

  /// Where the address stands, and what its value was made of.
  void note(const std::string& address, const Position& place, const Node& value);

  void note_withheld(const Node& node) { withheld.push_back(node.place); }

  void
  error(const Node& node, std::string code, std::string address, std::string message, std::string hint = {});
  void
  error_at(Position place, std::string code, std::string address, std::string message, std::string hint = {});
  void warning_at(
      Position place, std::string code, std::string address, std::string message, std::string hint = {});
  bool has_errors() const;
};

std::string join(std::string_view address, std::string_view key);

class MapReader {
public:
  /// Checks at once that the node is a map, that its keys are known and that the required ones are there.
  MapReader(Context& context, const Node& node, std::string address, std::string_view shape);

  const std::string& address() const { return m_address; }

  std::string address_of(std::string_view key) const { return join(m_address, key); }

  const Node& node() const { return m_node; }

  bool has(std::string_view key) const { return m_node.find(key) != nullptr; }

  /// The value of a key that is there and not empty; notes its place, reports an empty one.
  const Node* value(std::string_view key);

  void string(std::string_view key, std::string& out);
  void boolean(std::string_view key, bool& out);
  void integer(std::string_view key, int& out);
  void duration(std::string_view key, milliseconds& out);
  void duration(std::string_view key, std::optional<milliseconds>& out);
  void size(std::string_view key, std::uint64_t& out);
  void size(std::string_view key, std::optional<std::uint64_t>& out);

  void strings(std::string_view key, std::vector<std::string>& out) {
    each_text(key, out, [](const Node&, const std::string&, std::string&) {});
  }

  /// Names of other things, each once; the place of each is that of `KEY.NAME`. Sorted.
  void names(std::string_view key, std::vector<std::string>& out);
  void string_map(std::string_view key, StringMap& out);
  void env(std::string_view key, StringMap& out);
  void user(std::string_view key, std::string& out);
  void directory(std::string_view key, std::string& out);
  /// A directory that something is put at: neither the root nor one of the kernel's.
  void target(std::string_view key, std::string& out);
  void directories(std::string_view key, std::vector<std::string>& out);
  /// Relative paths inside the seed.
  void inputs(std::string_view key, std::vector<std::string>& out);
  /// As in .gitignore.
  void ignore_patterns(std::string_view key, std::vector<std::string>& out);
  void command(std::string_view key, Command& out);
  void egress(std::string_view key, Egress& out);

  /// The enumerators of E must stand in the order of the table's "enum a|b|c".
  template <typename E>
  void choice(std::string_view key, E& out) {
    if (const auto index = choice_index(key)) {
      out = static_cast<E>(*index);
    }
  }

  std::optional<std::size_t> choice_index(std::string_view key);

  /// The keys of which exactly one has to be there, in the order of the table.
  std::vector<std::string> ways() const;

  using EachEntry =
      std::function<void(const std::string& key, const Node& value, const std::string& address)>;
  /// The entries of a map of named things: names are checked, `x-*` left out.
  void each_named(std::string_view key, const EachEntry& visit);
  /// The items of a list.
  void each_item(std::string_view key, const std::function<void(const Node& item, std::size_t index)>& visit);

  void error(std::string_view key, std::string code, std::string message, std::string hint = {});

private:
  /// A list of texts, each of which `look` may refuse or change before it goes into `out`.
  using EachText = std::function<void(const Node& item, const std::string& address, std::string& text)>;
  void each_text(std::string_view key, std::vector<std::string>& out, const EachText& look);

  const Node* scalar(std::string_view key);
  std::vector<std::string> known_keys() const;
  /// Is there an unknown key that was meant to be this one?
  bool is_misspelt(std::string_view key) const;
  void check_keys();
  void unknown_key(const Entry& entry);

  Context& m_context;
  const Node& m_node;
  std::string m_address;
  const Shape& m_shape;
};

/// The number in a scalar's text, or a diagnostic: octal, hexadecimal, out of range, no number at all.
std::optional<int>
read_integer(Context& context, const Node& node, const std::string& address, int least, int most);

/// Text of a scalar; a diagnostic for anything else.
std::optional<std::string> read_text(Context& context, const Node& node, const std::string& address);

/// An absolute directory in normal form (no "//", "/./" or "/" at its end), or a diagnostic and "".
std::string
read_directory(Context& context, const Node& node, const std::string& address, const std::string& text);

/// "name" rules: letters, digits, '-' and '_', at most 63, starting with a letter or digit.
bool is_name(std::string_view text);

} // namespace pyro::spec

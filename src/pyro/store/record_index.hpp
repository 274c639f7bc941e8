// Which workspaces have a name, an identity or a file in their records, so that one of a thousand is found
// without reading them all. Only a hint: what it says is looked up in the records, and what it does not know
// is looked for in all of them. It lasts until the machine starts again (docs/decisions/0089).
#pragma once

#include "layout.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pyro::store {

class RecordIndex {
public:
  /// What a record is found by; nullopt: it cannot be read.
  using TextsOf = std::function<std::optional<std::vector<std::string>>(const std::string& id)>;

  explicit RecordIndex(const Base& base);

  /// Before a new record is written, or one in which they are others. False: they could not be, and the index
  /// is given up.
  bool add(const std::string& id, const std::vector<std::string>& texts) const noexcept;

  /// All whose record may have the text, or whose id begins with it. Workspaces that were made without the
  /// index are taken into it.
  std::vector<std::string> ids_with(const std::string& text, const TextsOf& texts_of) const;

  /// Of what ids_with() told this many were not there any more.
  void note_stale(std::size_t count) const noexcept;

private:
  std::vector<std::string> take_in(
      const std::vector<std::string>& ids, const std::string& text, const TextsOf& texts_of,
      bool& all_are_known) const;
  void give_up() const noexcept;

  std::string m_workspaces;
  std::string m_root;      // of the index of every start of the machine
  std::string m_directory; // of this one
};

} // namespace pyro::store

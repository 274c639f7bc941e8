// What was done in this state directory, when, and to which address: one line of JSON each, in files of which
// the last two are kept (a few MiB). For people and programs that look afterwards or follow; nothing depends
// on it, so what cannot be written is left out.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

class EventJournal {
public:
  explicit EventJournal(std::string directory) : m_directory(std::move(directory)) {}

  /// Adds "ts" (epoch seconds) and the line. Never throws.
  void add(Json event) const noexcept;

  struct Page {
    std::vector<Json> events;
    std::string cursor; // where the next page begins: "FILE:OFFSET"
  };

  /// From a cursor on; with an empty one the last `tail` that fit. Lines that are no events are passed over.
  /// A cursor into what is kept no more goes on with the oldest that is.
  Page read(const std::string& cursor, std::size_t tail, const std::string& workspace) const;

private:
  std::vector<std::uint64_t> files() const;
  std::string path_of(std::uint64_t number) const;
  void rotate(std::uint64_t number) const;

  std::string m_directory;
};

} // namespace pyro::workspace

// What was done in this state directory, when, and to which address: one line of JSON each, a few MiB of
// them. Operations write it, and the supervisors of sandboxes that do something by themselves. For people and
// programs that look afterwards or follow; nothing depends on it, so what cannot be written is left out. What
// a workspace asked of the network is in one of its own.
//
// Lines are appended to current.jsonl, one open and one write for each. Who finds it large gives it the next
// number (00000007.jsonl) and removes the numbers before; the next line begins a new one.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::events {

class Journal {
public:
  explicit Journal(std::string directory) : m_directory(std::move(directory)) {}

  /// Adds "ts" (epoch seconds) and the line. Never throws.
  void add(Json event) const noexcept;

  struct Page {
    std::vector<Json> events;
    std::string cursor; // where the next page begins
  };

  /// From a cursor on; with an empty one the last `tail` that fit. Lines that are no events are passed over.
  /// A cursor into what is kept no more goes on with the oldest that is.
  Page read(const std::string& cursor, std::size_t tail, const std::string& workspace) const;

private:
  struct Files;

  std::vector<std::uint64_t> numbers() const;
  Files open_files() const;
  std::string current() const;
  std::string path_of(std::uint64_t number) const;
  void rotate(int file) const;

  std::string m_directory;
};

} // namespace pyro::events

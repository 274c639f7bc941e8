// A program on a pseudo terminal, as a person sits at one.
#pragma once

#include "home.hpp"

#include <sys/types.h>

namespace pyro::testing {

/// 100 columns and 30 rows; killed at the end where it still runs.
class OnATerminal {
public:
  OnATerminal(
      const Arguments& argv, const std::map<std::string, std::string>& environment,
      const fs::path& directory = {});
  ~OnATerminal();

  OnATerminal(const OnATerminal&) = delete;
  OnATerminal& operator=(const OnATerminal&) = delete;

  void type(const std::string& text) const;
  void resize(unsigned short columns, unsigned short rows) const;

  /// Reads until the text shows up behind what was seen before; false after 20 s.
  bool see(const std::string& text);

  /// Does the terminal edit lines and echo, as one does that no program has in raw mode?
  bool is_cooked() const;

  /// Waits for its end. As a shell shows it; -1: it does not end.
  int status();

  void signal(int number) const;

  const std::string& seen() const { return m_seen; }

private:
  void read_some(int patience_ms);

  int m_master = -1;
  pid_t m_pid = -1;
  bool m_ended = false;
  std::string m_seen;
  std::size_t m_read = 0;
};

} // namespace pyro::testing

// Shells: terminals that live in the agent, whoever looks at them; and the requests under /shells.
#pragma once

#include "requests.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::protocol {

namespace path {
inline constexpr std::string_view k_shells_open = "/shells/open";
inline constexpr std::string_view k_shells_list = "/shells/list";
inline constexpr std::string_view k_shells_read = "/shells/read";
inline constexpr std::string_view k_shells_write = "/shells/write";
inline constexpr std::string_view k_shells_signal = "/shells/signal";
inline constexpr std::string_view k_shells_resize = "/shells/resize";
inline constexpr std::string_view k_shells_close = "/shells/close";
inline constexpr std::string_view k_shells_attach = "/shells/attach";
} // namespace path

/// Output that is kept of a shell; what is older is dropped. Input that may wait for a shell which does not
/// read, and in one write.
inline constexpr std::size_t k_shell_output = 512 << 10;
inline constexpr std::size_t k_shell_input = 128 << 10;

/// /shells/open → ShellStatus.
struct ShellOpen {
  std::string shell_id;
  std::vector<std::string> argv;
  std::string cwd;
  std::map<std::string, std::string> env;
  std::string user;
  TerminalSize size{120, 30};
};

/// Answer of open, list ({shells: [...]}), signal, resize and, as it was last, close.
struct ShellStatus {
  std::string shell_id;
  bool running = false;
  std::int64_t pid = 0;
  std::string cwd; // where it was opened
  TerminalSize size;
  double opened_at = 0;         // seconds since the epoch
  std::optional<int> exit_code; // 128 + signal for a signal
  std::uint64_t first = 0;      // position of the oldest output that is kept, and behind the newest
  std::uint64_t end = 0;
};

/// /shells/read → data_out, then {first, start, end, running}: the bytes are those from `start` on, which is
/// the cursor or, where that has been dropped, `first`. With `idle_ms` it answers when nothing has come for
/// so long, or the shell has ended, or after `limit_ms`.
struct ShellRead {
  std::string shell_id;
  std::uint64_t cursor = 0;
  std::int64_t max_bytes = 64 << 10;
  std::int64_t idle_ms = 0;
  std::int64_t limit_ms = 60'000;
};

struct ShellReadResult {
  std::uint64_t first = 0;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  bool running = false;
};

/// /shells/write → {}: once it is on its way. unavailable: the shell has not read what it was sent before.
struct ShellWrite {
  std::string shell_id;
  std::string data; // bytes; base64 in JSON
};

/// /shells/attach: data_out (the last `replay` bytes, then what comes), data_in, json {"resize": {cols,
/// rows}} and {"detach": true}. Result: {detached, status}. A client that takes nothing slows the shell down
/// for some seconds; then output passes it by, and json {"dropped_bytes": N} says how much.
struct ShellAttach {
  std::string shell_id;
  std::int64_t replay = 16 << 10;
  std::optional<TerminalSize> size; // of the client's window
};

Json to_json(const ShellOpen& value);
Json to_json(const ShellStatus& value);
Json to_json(const ShellRead& value);
Json to_json(const ShellReadResult& value);
Json to_json(const ShellWrite& value);
Json to_json(const ShellAttach& value);

ShellOpen shell_open_from_json(const Json& value);
ShellStatus shell_status_from_json(const Json& value);
ShellRead shell_read_from_json(const Json& value);
ShellReadResult shell_read_result_from_json(const Json& value);
ShellWrite shell_write_from_json(const Json& value);
ShellAttach shell_attach_from_json(const Json& value);
/// The `shells` of /shells/list.
std::vector<ShellStatus> shell_list_from_json(const Json& value);

} // namespace pyro::protocol

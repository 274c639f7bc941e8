// The one exception type of pyro: a code to act on, a message, the chain of what was being done, a hint.
// Text and JSON are made from it at the edge (CLI, MCP, SDK), never earlier.
#pragma once

#include <fmt/format.h>
#include <nlohmann/json_fwd.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro {

enum class ErrorCode {
  invalid_argument, // the caller's value, or an unknown id (Python: ValueError)
  usage,            // a command line that makes no sense
  invalid_file,     // pyro.yaml or another file does not say something valid
  input_missing,    // a declared input (seed, env_file, archive) is not there
  not_found,        // a named thing that does not exist
  already_exists,   // a named thing that is there already
  bad_state,        // the workspace is not in the state that this needs
  failed,           // a step, service or command failed
  not_ready,        // not ready before the deadline
  partial,          // some of it was done; run it again
  stale,            // what was planned no longer fits what is there
  locked,           // a lock was not obtained in time
  approval_needed,  // something would be lost and nobody agreed
  unavailable,      // the machine or a backend lacks a capability or tool
  permission,       // not allowed
  disk_full,        // no space or quota
  io,               // any other failure of the system
  protocol,         // the other side of a channel or file sent rubbish
  timeout,          // a time limit of the caller is over
  interrupted,      // SIGINT or SIGTERM
  internal,         // a bug in pyro
};

/// The stable, snake_case name used in JSON.
std::string_view name_of(ErrorCode code);

/// Process exit status for an error of this code (spec-v1.md B.3).
int exit_status_of(ErrorCode code);

/// A place in a file; line and column count from 1, 0 is unknown.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;

  bool operator==(const Position&) const = default;
};

/// "pyro.yaml:12:3", or just the file where the line is unknown.
std::string to_string(const Position& position);

class Error : public std::exception {
public:
  template <typename... Args>
  Error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args)
      : Error(code, fmt::format(format, std::forward<Args>(args)...), Verbatim{}) {}

  /// The failure of a system call: `what` is the attempt ("open /x"), `error_number` the errno captured
  /// first.
  static Error from_errno(int error_number, std::string_view what);

  ErrorCode code() const { return m_code; }

  const std::string& message() const { return m_message; }

  const std::string& hint() const { return m_hint; }

  const std::vector<std::string>& context() const { return m_context; }

  const std::vector<std::string>& output() const { return m_output; }

  const std::optional<Position>& position() const { return m_position; }

  int error_number() const { return m_errno; }

  /// What was being done, from the inside out: e.add_context("while starting service db").
  Error& add_context(std::string text);
  Error& with_hint(std::string text);
  Error& at(Position position);
  /// Last lines of the output of whatever failed, oldest first.
  Error& with_output(std::vector<std::string> lines);
  Error& with_code(ErrorCode code);

  /// One line: place, context from the outside in, message.
  const char* what() const noexcept override { return m_text.c_str(); }

private:
  struct Verbatim {};

  Error(ErrorCode code, std::string message, Verbatim);
  void render();

  ErrorCode m_code;
  int m_errno = 0;
  std::string m_message;
  std::string m_hint;
  std::vector<std::string> m_context;
  std::vector<std::string> m_output;
  std::optional<Position> m_position;
  std::string m_text;
};

/// {"code", "message", "context", "hint", "output", "position"}; absent parts are left out.
nlohmann::json to_json(const Error& error);

/// The same the other way: an error that travelled over a channel. Unknown codes become `failed`.
Error error_from_json(const nlohmann::json& value);

} // namespace pyro

#include "error.hpp"

#include "bounded_text.hpp"
#include "json_access.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace pyro {

namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  int exit_status;
};

constexpr std::array k_codes{
    CodeRow{ErrorCode::invalid_argument, "invalid_argument", 1},
    CodeRow{ErrorCode::usage, "usage", 64},
    CodeRow{ErrorCode::invalid_file, "invalid_file", 65},
    CodeRow{ErrorCode::input_missing, "input_missing", 66},
    CodeRow{ErrorCode::not_found, "not_found", 1},
    CodeRow{ErrorCode::already_exists, "already_exists", 1},
    CodeRow{ErrorCode::bad_state, "bad_state", 1},
    CodeRow{ErrorCode::failed, "failed", 1},
    CodeRow{ErrorCode::not_ready, "not_ready", 6},
    CodeRow{ErrorCode::partial, "partial", 3},
    CodeRow{ErrorCode::stale, "stale", 4},
    CodeRow{ErrorCode::locked, "locked", 5},
    CodeRow{ErrorCode::approval_needed, "approval_needed", 7},
    CodeRow{ErrorCode::unavailable, "unavailable", 10},
    CodeRow{ErrorCode::permission, "permission", 77},
    CodeRow{ErrorCode::disk_full, "disk_full", 1},
    CodeRow{ErrorCode::io, "io", 1},
    CodeRow{ErrorCode::protocol, "protocol", 1},
    CodeRow{ErrorCode::timeout, "timeout", 124},
    CodeRow{ErrorCode::interrupted, "interrupted", 130},
    CodeRow{ErrorCode::internal, "internal", 70},
};

const CodeRow& row_of(ErrorCode code) {
  for (const auto& row : k_codes) {
    if (row.code == code) {
      return row;
    }
  }
  return k_codes.back();
}

ErrorCode code_of_errno(int error_number) {
  switch (
      error_number) { // ENOENT is no not_found: that is what a caller has named, and a file of ours is not
  case EEXIST:
    return ErrorCode::already_exists;
  case EACCES:
  case EPERM:
    return ErrorCode::permission;
  case ENOSPC:
  case EDQUOT:
    return ErrorCode::disk_full;
  default:
    return ErrorCode::io;
  }
}

/// What a sandbox calls its files can be of any length, and an error is shown, sent and kept in records.
std::string bounded(std::string text) {
  constexpr std::size_t k_limit = 16 << 10;
  if (text.size() <= k_limit) {
    return text;
  }
  BoundedText shorter(k_limit);
  shorter.add(text);
  return shorter.text();
}

} // namespace

std::string_view name_of(ErrorCode code) {
  return row_of(code).name;
}

int exit_status_of(ErrorCode code) {
  return row_of(code).exit_status;
}

std::string to_string(const Position& position) {
  if (position.line == 0) {
    return position.file;
  }
  return fmt::format("{}:{}:{}", position.file, position.line, position.column);
}

Error::Error(ErrorCode code, std::string message, Verbatim)
    : m_code(code), m_message(bounded(std::move(message))) {
  render();
}

Error Error::from_errno(int error_number, std::string_view what) {
  std::array<char, 256> buffer{};
  const char* reason = strerror_r(error_number, buffer.data(), buffer.size());
  Error error(code_of_errno(error_number), fmt::format("{}: {}", what, reason), Verbatim{});
  error.m_errno = error_number;
  return error;
}

Error& Error::add_context(std::string text) {
  m_context.push_back(bounded(std::move(text)));
  render();
  return *this;
}

Error& Error::with_hint(std::string text) {
  m_hint = std::move(text);
  return *this;
}

Error& Error::at(Position position) {
  if (position.file.empty() && position.line == 0) {
    return *this; // no place is known
  }
  m_position = std::move(position);
  render();
  return *this;
}

Error& Error::with_output(std::vector<std::string> lines) {
  m_output = std::move(lines);
  return *this;
}

Error& Error::with_code(ErrorCode code) {
  m_code = code;
  return *this;
}

void Error::render() {
  m_text.clear();
  if (m_position) {
    m_text += to_string(*m_position) + ": ";
  }
  for (auto text = m_context.rbegin(); text != m_context.rend(); ++text) {
    m_text += *text + ": ";
  }
  m_text += m_message;
}

nlohmann::json to_json(const Error& error) {
  nlohmann::json value{{"code", name_of(error.code())}, {"message", error.message()}};
  if (!error.context().empty()) {
    value["context"] = error.context();
  }
  if (!error.hint().empty()) {
    value["hint"] = error.hint();
  }
  if (!error.output().empty()) {
    value["output"] = error.output();
  }
  if (error.position()) {
    value["position"] = {
        {"file", error.position()->file},
        {"line", error.position()->line},
        {"column", error.position()->column}};
  }
  return value;
}

Error error_from_json(const nlohmann::json& value) {
  const auto text_at = [&](const char* key) {
    return value.is_object() && value.contains(key) && value[key].is_string() ? value[key].get<std::string>()
                                                                              : std::string{};
  };
  const auto lines_at = [&](const char* key) {
    std::vector<std::string> lines;
    if (value.is_object() && value.contains(key) && value[key].is_array()) {
      for (const auto& line : value[key]) {
        if (line.is_string()) {
          lines.push_back(line.get<std::string>());
        }
      }
    }
    return lines;
  };
  const auto code_name = text_at("code");
  ErrorCode code = ErrorCode::failed;
  for (const auto& row : k_codes) {
    if (row.name == code_name) {
      code = row.code;
    }
  }
  Error error(code, "{}", text_at("message"));
  for (auto& text : lines_at("context")) {
    error.add_context(std::move(text));
  }
  error.with_hint(text_at("hint")).with_output(lines_at("output"));
  if (value.is_object() && value.contains("position") && value["position"].is_object()) {
    const auto& place = value["position"];
    error.at({place.value("file", std::string{}), place.value("line", 0), place.value("column", 0)});
  }
  return error;
}

} // namespace pyro

#include "stdio.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_text.hpp>

#include <array>
#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace pyro::mcp {

namespace {

constexpr int k_poll_ms = 100;
constexpr std::chrono::milliseconds k_farewell{800};

/// Lines of any length out of pieces of any size; what is longer than may be is passed over to its end.
class LineReader {
public:
  /// Calls back per line, with nullopt for one that was too long.
  void take(std::string_view bytes, const std::function<void(std::optional<std::string_view>)>& line) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      append(bytes.substr(0, end));
      if (end == std::string_view::npos) {
        return;
      }
      line(m_is_too_long ? std::nullopt : std::optional<std::string_view>(m_line));
      m_line.clear();
      m_is_too_long = false;
      bytes.remove_prefix(end + 1);
    }
  }

private:
  void append(std::string_view part) {
    if (m_is_too_long || m_line.size() + part.size() > k_longest_message) {
      m_is_too_long = true;
      m_line = {};
      return;
    }
    m_line += part;
  }

  std::string m_line;
  bool m_is_too_long = false;
};

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

void write_all(int output, std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(output, text.data(), text.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return; // nobody reads: the end of the input says the same
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void handle_line(
    Server& server, std::optional<std::string_view> line, const std::shared_ptr<Connection>& client) {
  if (!line) {
    client->send(error_message(
        nullptr, RpcError(k_invalid_request, "a message has at most 64 MiB: this one was passed over")));
    return;
  }
  if (is_blank(*line)) {
    return;
  }
  const auto document = maybe_parse_json(*line);
  if (!document) {
    client->send(error_message(nullptr, RpcError(k_parse_error, "the line is no JSON, or too deep")));
    return;
  }
  server.handle(*document, client);
}

} // namespace

bool serve_stdio(Server& server, int input, int output, const std::function<bool()>& interrupted) {
  const auto client = std::make_shared<Connection>(Outlet{[output](const Json& message) {
    write_all(output, to_line(message));
  }});
  LineReader reader;
  std::array<char, 65536> buffer{};
  while (!interrupted()) {
    pollfd watched{input, POLLIN, 0};
    const int ready = ::poll(&watched, 1, k_poll_ms);
    if (ready <= 0) {
      continue;
    }
    const auto count = ::read(input, buffer.data(), buffer.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
      continue;
    }
    if (count <= 0) {
      break;
    }
    reader.take({buffer.data(), static_cast<std::size_t>(count)}, [&](auto line) {
      handle_line(server, line, client);
    });
  }
  return server.stop(k_farewell);
}

} // namespace pyro::mcp

// One HTTP request on a connection of its own, byte by byte where a test wants it, and what came back of it.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::testing {

using HttpFields = std::map<std::string, std::string>; // names in lower case in replies

struct HttpReply {
  int status = 0; // 0: its head is not there
  HttpFields fields;
  std::string body;       // what is there of it
  bool is_closed = false; // nothing more comes

  Json json() const { return Json::parse(body, nullptr, false); }

  /// The data of each whole event of a text/event-stream.
  std::vector<Json> events() const;
};

std::ostream& operator<<(std::ostream& out, const HttpReply& reply);

class HttpWire {
public:
  /// To a port of the loopback interface, or a Unix socket.
  explicit HttpWire(int port);
  explicit HttpWire(const std::string& socket_path);

  void write(std::string_view bytes);

  /// Reads what is there, after waiting so long at most for anything. False: nothing came.
  bool read(int patience_ms);
  /// To the end of the connection.
  HttpReply reply();
  /// What is there by now.
  HttpReply so_far() const;

  int fd() const { return m_fd.get(); }

  void close() { m_fd.reset(); }

private:
  os::Fd m_fd;
  std::string m_raw;
  bool m_is_closed = false;
};

/// A whole request with "Connection: close".
std::string http_request(
    const std::string& method, const std::string& path, const HttpFields& fields, const std::string& body);

} // namespace pyro::testing

// An HTTP/1 connection in clear text between a client and a server, one request after the other: each head is
// looked at and may be changed, bodies pass as they come. Pure: bytes go in and out, nothing is sent or
// waited for.
#pragma once

#include "http_head.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pyro::gateway {

class HttpExchange {
public:
  struct Looks {
    /// What may go on of it, changed where need be. Throws Error(permission): the client is told 403; other
    /// errors: 502. Either is the end of the connection.
    std::function<void(RequestHead& head)> request;
    std::function<void(ResponseHead& head)> response;
  };

  explicit HttpExchange(Looks looks);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  /// The next bytes of each; "" is its end.
  void from_client(std::string_view bytes);
  void from_server(std::string_view bytes);

  /// What is to be sent; the caller takes off what it has sent.
  std::string& to_client();
  std::string& to_server();

  /// Are more bytes of it wanted now? What it sends meanwhile waits in its socket.
  bool wants_client() const;
  bool wants_server() const;

  /// Nothing more will come of it: what is left to be sent goes out, and that is the end.
  bool is_over() const;
  /// The client sees that it broke: an answer was not whole.
  bool is_broken() const;

private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

} // namespace pyro::gateway

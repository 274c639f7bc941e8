// An exchange on its connection: it sleeps in libmicrohttpd until there is something to send.
#pragma once

#include "exchange.hpp"

#include <chrono>
#include <microhttpd.h>

namespace pyro::http_server {

class LiveExchange : public Exchange {
public:
  LiveExchange(HttpRequest request, MHD_Connection* connection);

  /// Before the exchange begins.
  void append_to_body(std::string_view part) { m_request.body += part; }

  /// Sends what there is, or sleeps until there is something; from the server's thread.
  MHD_Result serve(const std::shared_ptr<LiveExchange>& self);

  /// A part of the stream; from the server's thread.
  ssize_t read(char* buffer, std::size_t size);

  /// The client has gone, or has to.
  void leave();

  /// libmicrohttpd's connection is not touched any more.
  void forget_connection();

  /// Writes the filler where nothing was written since then.
  void fill(std::chrono::steady_clock::time_point quiet_since);

private:
  void wake() override;
  void sleep();

  MHD_Connection* m_connection; // nullptr once the exchange is over
  bool m_is_asleep = false;
  std::chrono::steady_clock::time_point m_last_read = std::chrono::steady_clock::now();
};

MHD_Result send_whole(MHD_Connection* connection, const Answer& answer);

} // namespace pyro::http_server

// A request and its answer: frames and JSON over a stream. Client: open_call(). Server: Router. Both get a
// Call.
#pragma once

#include "message.hpp"
#include "session.hpp"

#include <map>
#include <memory>
#include <string>

namespace pyro::protocol {

/// All optional. The last call is one of on_result/on_failure (client) or, only without an answer yet,
/// on_gone (server).
struct CallEvents {
  /// A json frame after the first.
  std::function<void(const Json& message)> on_message;
  /// A piece of data_in/data_out/data_err. Give it back with Call::consume(bytes.size()) once it is dealt
  /// with; without this callback data is thrown away.
  std::function<void(FrameType type, std::string_view bytes)> on_data;
  /// Server: no more data_in (end_in frame, or the client's side of the stream has ended).
  std::function<void()> on_end_in;
  /// send() may go on.
  std::function<void()> on_writable;
  /// Client: the answer. Everything sent before it has been delivered.
  std::function<void(const Json& result)> on_result;
  /// Client: the Error sent as answer, or `unavailable` when the connection or the peer is gone.
  std::function<void(const Error& error)> on_failure;
  /// Client: the connection or the peer is gone before there was an answer; absent: on_failure hears it.
  std::function<void(const Error& error)> on_lost;
  /// Server: the client cancelled, is gone, or broke the rules; nobody waits for an answer.
  std::function<void()> on_gone;
};

/// One call, either side. Functions do nothing once it is over.
class Call : public std::enable_shared_from_this<Call> {
public:
  /// For Router and open_call only.
  Call(Role role, std::string path) : m_role(role), m_path(std::move(path)) {}

  const std::string& path() const { return m_path; }

  /// Replaces all callbacks. The server's handler calls it; data that comes before that is thrown away. After
  /// the end of the call they are let go at once: they often hold the call itself.
  void set_events(CallEvents events) {
    if (!m_over) {
      m_events = std::make_shared<CallEvents>(std::move(events));
    }
  }

  /// A json frame. False: stop sending until on_writable.
  bool send(const Json& message);
  /// Data, split into frames as needed. False: stop sending until on_writable.
  bool send(FrameType type, std::string_view bytes);

  /// Is the send queue over the high-water mark?
  bool is_full() const { return m_stream.queued() >= k_high_water; }

  /// Client: no more data_in.
  void end_in();

  /// Received data has been dealt with: the peer may send as much again.
  void consume(std::size_t count) { m_stream.consume(count); }

  /// Server: the answer; the call is over.
  void finish(const Json& result);
  void fail(const Error& error);
  /// Client: give up; the peer sees on_gone. No callback follows.
  void cancel();

  /// False after the answer, a cancel, or the loss of the connection.
  bool is_open() const { return !m_over; }

private:
  friend class Router;
  friend std::shared_ptr<Call> open_call(Session&, const std::string&, const Json&, CallEvents);
  using Starter = std::function<void(const Json& request)>;

  StreamEvents stream_events();
  void receive(std::string_view bytes);
  void on_frame(FrameType type, std::string_view payload);
  void on_end();
  void on_close(CloseReason reason);
  void answer(FrameType type, const std::string& text);
  void deliver_failure(const Error& error);
  void end_input();

  Role m_role;
  std::string m_path;
  Stream m_stream;
  std::shared_ptr<CallEvents> m_events = std::make_shared<CallEvents>();
  Starter m_starter; // server: runs on the first frame
  std::shared_ptr<FrameDecoder> m_decoder;
  std::size_t m_kept_bytes = 0; // of the bytes now being decoded, those left to consume() by the receiver
  bool m_over = false;
  bool m_input_ended = false;
};

/// Client: sends the request. Throws unavailable when the session is dead or full.
std::shared_ptr<Call>
open_call(Session& session, const std::string& path, const Json& request, CallEvents events);

/// Server: operations by path. Attach one to as many sessions as you like; it must outlive them.
class Router {
public:
  /// Runs when the request has come. It may answer at once or keep the call, set_events() and answer later.
  /// An Error thrown here becomes the answer.
  using Handler = std::function<void(const std::shared_ptr<Call>& call, const Json& request)>;

  void add(const std::string& path, Handler handler);
  /// Raw streams for every path that starts with `prefix`: see proxy.hpp.
  void add_prefix(const std::string& prefix, Session::RequestHandler handler);
  void attach(Session& session);

private:
  StreamEvents accept(const Stream& stream, const std::string& path);

  std::map<std::string, Handler> m_handlers;
  std::map<std::string, Session::RequestHandler> m_prefixes;
};

} // namespace pyro::protocol

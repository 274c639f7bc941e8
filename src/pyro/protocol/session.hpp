// One HTTP/2 connection (libnghttp2) over any byte stream: many streams at once, flow control for each of
// them. Pure: bytes in by feed(), bytes out by take_output(); os::BytePump ties it to a descriptor. Most code
// wants Call (call.hpp), which speaks frames and JSON; streams of raw bytes are for proxies (proxy.hpp).
#pragma once

#include <pyro/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pyro::protocol {

enum class Role { client, server };

/// How a stream ended. `finished`: both sides said all they had to say. `cancelled`: one side gave up.
/// `lost`: the connection (or, behind a proxy, the next one) broke.
enum class CloseReason { finished, cancelled, lost };

/// Streams open at once on one connection, bytes a peer may send before the receiver consumes them, and the
/// fill of the send queue above which send() says "enough".
inline constexpr std::size_t k_max_streams = 256;
inline constexpr std::size_t k_stream_window = 128 << 10;
inline constexpr std::size_t k_high_water = 128 << 10;

/// What a stream tells its user. All are optional; none is called from inside send(), consume(), finish(),
/// open(), and none after on_close. cancel() is silent: no callback follows it.
struct StreamEvents {
  /// Bytes of the peer. They count against the window until Stream::consume().
  std::function<void(std::string_view bytes)> on_data;
  /// The peer will send no more.
  std::function<void()> on_end;
  /// The send queue, once over the high-water mark, has room again.
  std::function<void()> on_writable;
  /// The last call for this stream.
  std::function<void(CloseReason reason)> on_close;
};

class Session;

/// Handle of one stream; cheap to copy. Once the stream or its session is gone every function does nothing.
class Stream {
public:
  Stream() = default;

  bool is_open() const;
  /// Queues bytes. False: the queue is over the high-water mark; stop until on_writable. (The bytes are
  /// queued.)
  bool send(std::string_view bytes);
  /// Bytes queued and not yet given to the transport.
  std::size_t queued() const;
  /// No more from this side (once the queue has drained).
  void finish();
  /// Ends it both ways at once, whatever is queued. `lost` tells the peer that a connection behind us broke.
  void cancel(CloseReason reason = CloseReason::cancelled);
  /// Gives the peer leave to send `count` more bytes; call it when received bytes are really dealt with.
  void consume(std::size_t count);

private:
  friend class Session;

  Stream(std::shared_ptr<Session*> session, std::int32_t id) : m_session(std::move(session)), m_id(id) {}

  Session* session() const { return m_session ? *m_session : nullptr; }

  std::shared_ptr<Session*> m_session;
  std::int32_t m_id = 0;
};

class Session {
public:
  /// Called for every new request; returns the events of its stream. An exception from it cancels just this
  /// stream.
  using RequestHandler = std::function<StreamEvents(Stream stream, const std::string& path)>;

  explicit Session(Role role);
  /// Streams still open end silently. Never destroy a session inside one of its callbacks: EventLoop::post()
  /// it.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Server only.
  void on_request(RequestHandler handler);
  /// Called whenever there may be something to take_output(); may be called from inside feed().
  void on_output(std::function<void()> callback);

  /// Bytes from the peer. Throws Error(protocol) where they break the rules: the session is dead then, its
  /// streams have ended as `lost`. Exceptions of stream callbacks leave feed() too, with the same effect.
  void feed(std::string_view bytes);
  /// Up to about `limit` bytes for the peer; empty: nothing to say now. Not from inside a stream callback.
  std::string take_output(std::size_t limit = 64 << 10);
  bool want_write() const;

  /// Client only: a new request. Throws unavailable when the session is dead or k_max_streams are open.
  Stream open(const std::string& path, StreamEvents events);
  /// Late binding: replaces the events of a stream.
  void set_events(const Stream& stream, StreamEvents events);

  /// The transport is gone: ends every stream as `lost`. The session is dead afterwards.
  void transport_lost();
  /// A new connection with the same peer: streams still open end as `lost`, the handler and the callback
  /// stay. Never inside one of this session's callbacks.
  void start_over();
  bool is_dead() const;
  std::size_t open_streams() const;

private:
  friend class Stream;
  struct Impl;

  std::unique_ptr<Impl> m_impl;
};

} // namespace pyro::protocol

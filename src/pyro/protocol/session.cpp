#include "session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <exception>
#include <map>
#include <utility>
#include <vector>

namespace pyro::protocol {

namespace {

constexpr std::size_t k_max_path = 1024;
constexpr int k_max_headers = 16;
constexpr std::size_t k_low_water = k_high_water / 2;
constexpr std::int32_t k_connection_window = 1 << 20;

nghttp2_nv header(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(
        reinterpret_cast<const std::uint8_t*>(text.data())); // nghttp2 copies them
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

} // namespace

/// A FIFO of bytes that gives its memory back when it is empty.
class ByteQueue {
public:
  void push(std::string_view bytes) {
    if (m_head > 0 && m_head >= m_bytes.size() / 2) {
      m_bytes.erase(0, m_head);
      m_head = 0;
    }
    m_bytes.append(bytes);
  }

  std::size_t pop(std::uint8_t* target, std::size_t limit) {
    auto count = std::min(limit, size());
    std::copy_n(m_bytes.data() + m_head, count, target);
    m_head += count;
    if (m_head == m_bytes.size()) {
      m_bytes.clear();
      m_head = 0;
      if (m_bytes.capacity() > 4096) {
        m_bytes.shrink_to_fit();
      }
    }
    return count;
  }

  std::size_t size() const { return m_bytes.size() - m_head; }

private:
  std::string m_bytes;
  std::size_t m_head = 0;
};

struct StreamState {
  std::shared_ptr<StreamEvents> events = std::make_shared<StreamEvents>();
  ByteQueue queue;
  std::string path; // server: until the request is complete
  int headers = 0;
  bool finishing = false;
  bool over_high_water = false;
  bool remote_ended = false;
  bool local_ended = false;
};

struct Session::Impl {
  Role role = Role::client;
  nghttp2_session* http = nullptr;
  std::shared_ptr<Session*> self;
  std::map<std::int32_t, StreamState> streams;
  RequestHandler handler;
  std::function<void()> output_callback;
  std::exception_ptr exception; // thrown by a callback below C frames
  std::string protocol_error;
  std::vector<std::function<void(bool broken)>> deferred; // events found while nghttp2 was making output
  bool making_output = false;
  bool gave_up = false;
  bool dead = false;

  void begin();

  static Impl& of(void* user_data) { return *static_cast<Impl*>(user_data); }

  StreamState* find(std::int32_t id) {
    auto found = streams.find(id);
    return found == streams.end() ? nullptr : &found->second;
  }

  /// Runs a user's callback from within nghttp2: exceptions must not pass C frames.
  template <typename Function>
  int guarded(Function&& function) {
    try {
      function();
      return 0;
    } catch (...) {
      exception = std::current_exception();
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }

  template <typename Function>
  int deliver(Function function) {
    if (making_output) {
      deferred.push_back(std::move(function));
      return 0;
    }
    return guarded([&] { function(false); });
  }

  void wake() {
    if (output_callback && !dead && nghttp2_session_want_write(http)) {
      output_callback();
    }
  }

  void end_of_peer(std::int32_t id) {
    auto* state = find(id);
    if (!state || state->remote_ended) {
      return;
    }
    state->remote_ended = true;
    if (auto events = state->events; events->on_end) {
      events->on_end();
    }
  }

  void accept(std::int32_t id) {
    auto* state = find(id);
    if (!state || state->path.empty()) {
      return;
    }
    auto path = std::exchange(state->path, {});
    auto status = header(":status", "200");
    nghttp2_data_provider provider{{.ptr = nullptr}, &Impl::read};
    nghttp2_submit_response(http, id, &status, 1, &provider);
    Stream stream(self, id);
    try {
      if (!handler) {
        throw Error(ErrorCode::internal, "nobody takes requests here");
      }
      auto events = std::make_shared<StreamEvents>(handler(stream, path));
      if (auto* still = find(id)) {
        still->events = std::move(events);
      }
    } catch (const Error&) {
      stream.cancel();
    }
  }

  // nghttp2's callbacks

  static ssize_t read(
      nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t length, std::uint32_t* flags,
      nghttp2_data_source*, void* user_data) {
    auto& impl = of(user_data);
    auto* state = impl.find(id);
    if (!state) {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    auto count = state->queue.pop(buffer, length);
    if (state->queue.size() == 0 && state->finishing) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      state->local_ended = true;
    } else if (count == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
    if (state->over_high_water && state->queue.size() <= k_low_water) {
      state->over_high_water = false;
      impl.deferred.push_back([&impl, id](bool broken) {
        auto* now = broken ? nullptr : impl.find(id);
        if (auto events = now ? now->events : nullptr; events && events->on_writable) {
          events->on_writable();
        }
      });
    }
    return static_cast<ssize_t>(count);
  }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    auto& impl = of(user_data);
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      if (impl.role != Role::server) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
      }
      impl.streams.try_emplace(frame->hd.stream_id);
    }
    return 0;
  }

  static int on_header(
      nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_length,
      const std::uint8_t* value, std::size_t value_length, std::uint8_t, void* user_data) {
    auto& impl = of(user_data);
    auto* state = impl.find(frame->hd.stream_id);
    if (!state) {
      return 0;
    }
    std::string_view key(reinterpret_cast<const char*>(name), name_length);
    if (++state->headers > k_max_headers || value_length > k_max_path || name_length > k_max_path) {
      impl.protocol_error = "headers are too large";
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST && key == ":path") {
      state->path.assign(reinterpret_cast<const char*>(value), value_length);
    }
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    auto& impl = of(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      // Our own programs never say it. Streams that are open might go on, but new ones would wait for ever.
      impl.protocol_error = "the peer ended the session";
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return impl.guarded([&] {
      auto id = frame->hd.stream_id;
      if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        impl.accept(id);
      }
      bool may_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
      if (may_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
        impl.end_of_peer(id);
      }
    });
  }

  static int on_data(
      nghttp2_session* http, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t length,
      void* user_data) {
    auto& impl = of(user_data);
    // The window of the connection must never be what a slow stream uses up: only streams are held back.
    nghttp2_session_consume_connection(http, length);
    auto* state = impl.find(id);
    if (!state) {
      return 0;
    }
    auto events = state->events;
    if (!events->on_data) {
      nghttp2_session_consume_stream(http, id, length);
      return 0;
    }
    return impl.guarded([&] { events->on_data({reinterpret_cast<const char*>(data), length}); });
  }

  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error_code, void* user_data) {
    auto& impl = of(user_data);
    auto* state = impl.find(id);
    if (!state) {
      return 0;
    }
    auto reason = CloseReason::cancelled;
    if (error_code == NGHTTP2_CONNECT_ERROR) {
      reason = CloseReason::lost;
    } else if (error_code == NGHTTP2_NO_ERROR && state->remote_ended && state->local_ended) {
      reason = CloseReason::finished;
    }
    auto events = state->events;
    impl.streams.erase(id);
    if (!events->on_close) {
      return 0;
    }
    return impl.deliver(
        [events, reason](bool broken) { events->on_close(broken ? CloseReason::lost : reason); });
  }

  /// nghttp2 answers a broken connection with GOAWAY; that is where we hear of it.
  static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
      auto* text = reinterpret_cast<const char*>(frame->goaway.opaque_data);
      auto& impl = of(user_data);
      impl.protocol_error = nghttp2_http2_strerror(frame->goaway.error_code);
      if (text && frame->goaway.opaque_data_len > 0) {
        impl.protocol_error.append(": ").append(text, frame->goaway.opaque_data_len);
      }
      impl.gave_up = true;
    }
    return 0;
  }

  [[noreturn]] static void throw_broken(const std::string& why) {
    throw Error(ErrorCode::protocol, "the other side of the channel broke the protocol: {}", why);
  }

  static int on_invalid(nghttp2_session*, const nghttp2_frame*, int error, void* user_data) {
    of(user_data).protocol_error = nghttp2_strerror(error);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
};

Session::Session(Role role) : m_impl(std::make_unique<Impl>()) {
  m_impl->role = role;
  m_impl->self = std::make_shared<Session*>(this);
  m_impl->begin();
}

void Session::Impl::begin() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Impl::on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Impl::on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Impl::on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Impl::on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Impl::on_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &Impl::on_sent);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, &Impl::on_invalid);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_peer_max_concurrent_streams(option, k_max_streams);
  // A call that has its answer is reset by its client. nghttp2 takes more than about thirty a second for an
  // attack on a web server and ends the connection, and with it the sandbox; here the peer is our own
  // program, and the number of streams is bounded.
  nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX);
  auto* make = role == Role::client ? &nghttp2_session_client_new2 : &nghttp2_session_server_new2;
  auto made = make(&http, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) {
    throw Error(ErrorCode::internal, "cannot start an HTTP/2 session: {}", nghttp2_strerror(made));
  }

  std::vector<nghttp2_settings_entry> settings{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, k_max_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, k_stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 4096}};
  if (role == Role::client) {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  nghttp2_submit_settings(http, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(http, NGHTTP2_FLAG_NONE, 0, k_connection_window);
}

Session::~Session() {
  *m_impl->self = nullptr;
  nghttp2_session_del(m_impl->http);
}

void Session::on_request(RequestHandler handler) {
  m_impl->handler = std::move(handler);
}

void Session::on_output(std::function<void()> callback) {
  m_impl->output_callback = std::move(callback);
  m_impl->wake();
}

void Session::feed(std::string_view bytes) {
  auto& impl = *m_impl;
  if (impl.dead) {
    return;
  }
  auto taken =
      nghttp2_session_mem_recv(impl.http, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  bool broken = taken < 0 || !nghttp2_session_want_read(impl.http);
  if (!broken) {
    impl.wake();
    return;
  }
  auto thrown = std::exchange(impl.exception, nullptr);
  auto why = impl.protocol_error;
  if (why.empty()) {
    why = taken < 0 ? nghttp2_strerror(static_cast<int>(taken)) : "the peer ended the session";
  }
  transport_lost();
  if (thrown) {
    std::rethrow_exception(thrown);
  }
  Impl::throw_broken(why);
}

std::string Session::take_output(std::size_t limit) {
  auto& impl = *m_impl;
  std::string output;
  if (impl.dead) {
    return output;
  }
  impl.making_output = true;
  while (output.size() < limit) {
    const std::uint8_t* bytes = nullptr;
    auto count = nghttp2_session_mem_send(impl.http, &bytes);
    if (count <= 0) {
      break; // done; or out of memory, which the next feed() will report
    }
    output.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  }
  impl.making_output = false;
  if (impl.gave_up) {
    transport_lost();
    Impl::throw_broken(impl.protocol_error);
  }
  for (auto& event : std::exchange(impl.deferred, {})) {
    event(false);
  }
  return output;
}

bool Session::want_write() const {
  return !m_impl->dead && nghttp2_session_want_write(m_impl->http);
}

Stream Session::open(const std::string& path, StreamEvents events) {
  auto& impl = *m_impl;
  if (impl.role != Role::client) {
    throw Error(ErrorCode::internal, "only a client opens streams");
  }
  if (impl.dead) {
    throw Error(ErrorCode::unavailable, "the connection is gone");
  }
  if (impl.streams.size() >= k_max_streams) {
    throw Error(
        ErrorCode::unavailable, "too many requests at once on one connection (limit {})", k_max_streams);
  }
  if (path.empty() || path.size() > k_max_path) {
    throw Error(ErrorCode::invalid_argument, "a request path of {} bytes", path.size());
  }
  std::array<nghttp2_nv, 4> headers{
      header(":method", "POST"), header(":scheme", "http"), header(":authority", "pyro"),
      header(":path", path)};
  nghttp2_data_provider provider{{.ptr = nullptr}, &Impl::read};
  auto id = nghttp2_submit_request(impl.http, nullptr, headers.data(), headers.size(), &provider, nullptr);
  if (id < 0) {
    throw Error(ErrorCode::unavailable, "cannot send a request: {}", nghttp2_strerror(id));
  }
  impl.streams[id].events = std::make_shared<StreamEvents>(std::move(events));
  impl.wake();
  return Stream(impl.self, id);
}

void Session::set_events(const Stream& stream, StreamEvents events) {
  if (auto* state = stream.session() == this ? m_impl->find(stream.m_id) : nullptr) {
    state->events = std::make_shared<StreamEvents>(std::move(events));
  }
}

void Session::transport_lost() {
  auto& impl = *m_impl;
  impl.dead = true;
  for (auto& event : std::exchange(impl.deferred, {})) {
    event(true);
  }
  for (auto& [id, state] : std::exchange(impl.streams, {})) {
    if (state.events->on_close) {
      state.events->on_close(CloseReason::lost);
    }
  }
}

void Session::start_over() {
  transport_lost();
  auto fresh = std::make_unique<Impl>();
  fresh->role = m_impl->role;
  fresh->handler = std::move(m_impl->handler);
  fresh->output_callback = std::move(m_impl->output_callback);
  fresh->self = std::make_shared<Session*>(this);
  *m_impl->self = nullptr; // numbers of streams begin anew, and old handles must not mean new streams
  nghttp2_session_del(m_impl->http);
  m_impl = std::move(fresh);
  m_impl->begin();
}

bool Session::is_dead() const {
  return m_impl->dead;
}

std::size_t Session::open_streams() const {
  return m_impl->streams.size();
}

bool Stream::is_open() const {
  return session() && session()->m_impl->find(m_id);
}

bool Stream::send(std::string_view bytes) {
  auto* state = session() ? session()->m_impl->find(m_id) : nullptr;
  if (!state || state->finishing || bytes.empty()) {
    return !state || state->queue.size() < k_high_water;
  }
  state->queue.push(bytes);
  state->over_high_water = state->over_high_water || state->queue.size() >= k_high_water;
  auto room = !state->over_high_water;
  nghttp2_session_resume_data(session()->m_impl->http, m_id); // an error says: was not waiting
  session()->m_impl->wake();
  return room;
}

std::size_t Stream::queued() const {
  auto* state = session() ? session()->m_impl->find(m_id) : nullptr;
  return state ? state->queue.size() : 0;
}

void Stream::finish() {
  auto* state = session() ? session()->m_impl->find(m_id) : nullptr;
  if (state && !state->finishing) {
    state->finishing = true;
    nghttp2_session_resume_data(session()->m_impl->http, m_id);
    session()->m_impl->wake();
  }
}

void Stream::cancel(CloseReason reason) {
  if (!session() || session()->m_impl->streams.erase(m_id) == 0) {
    return;
  }
  auto code = reason == CloseReason::lost ? NGHTTP2_CONNECT_ERROR : NGHTTP2_CANCEL;
  nghttp2_submit_rst_stream(
      session()->m_impl->http, NGHTTP2_FLAG_NONE, m_id, static_cast<std::uint32_t>(code));
  session()->m_impl->wake();
}

void Stream::consume(std::size_t count) {
  if (count > 0 && is_open()) {
    nghttp2_session_consume_stream(session()->m_impl->http, m_id, count);
    session()->m_impl->wake();
  }
}

} // namespace pyro::protocol

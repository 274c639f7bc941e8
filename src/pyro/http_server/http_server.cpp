#include "http_server.hpp"

#include "live_exchange.hpp"

#include <pyro/base/error.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <poll.h>
#include <thread>

namespace pyro::http_server {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_look{200};
constexpr std::size_t k_free_places = 32;
constexpr int k_bad_request = 400;
constexpr int k_too_large = 413;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return result;
}

MHD_Result add_field(void* fields, MHD_ValueKind /*kind*/, const char* name, const char* value) {
  auto& all = *static_cast<std::map<std::string, std::string>*>(fields);
  const auto [place, is_new] = all.emplace(lower(name), value == nullptr ? "" : value);
  if (!is_new) {
    place->second += std::string(", ") + (value == nullptr ? "" : value);
  }
  return MHD_YES;
}

int descriptor_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

/// One request while libmicrohttpd has it.
struct Slot {
  std::shared_ptr<LiveExchange> exchange;
  bool has_begun = false;
  bool is_too_large = false;
};

/// One client.
struct Connected {
  int fd = -1;
  Clock::time_point waits_since = Clock::now();
  std::shared_ptr<LiveExchange> exchange; // nullptr: it waits for a whole request
  bool has_to_go = false;
};

} // namespace

class HttpServer::State {
public:
  State(os::Fd listener, Handler handler, Limits limits);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void close_listener();
  bool wait_for_answers(std::chrono::milliseconds patience);

private:
  static MHD_Result on_request(
      void* self, MHD_Connection* connection, const char* path, const char* method, const char* version,
      const char* part, std::size_t* part_size, void** slot);
  static void
  on_completed(void* self, MHD_Connection* connection, void** slot, MHD_RequestTerminationCode code);
  static void
  on_connection(void* self, MHD_Connection* connection, void** context, MHD_ConnectionNotificationCode code);

  MHD_Result head_of(MHD_Connection* connection, const char* path, const char* method, void** slot);
  MHD_Result whole(MHD_Connection* connection, Slot& slot);
  std::optional<Answer> refusal(const HttpRequest& request) const;
  bool enter(MHD_Connection* connection, const std::shared_ptr<LiveExchange>& exchange);
  void make_room();
  void watch();
  void look_at(Connected& client, std::vector<std::shared_ptr<LiveExchange>>& gone) const;

  Handler m_handler;
  Limits m_limits;
  MHD_Daemon* m_daemon = nullptr;
  std::mutex m_mutex; // for all below
  std::condition_variable m_changed;
  std::map<MHD_Connection*, Connected> m_clients;
  bool m_is_stopping = false;
  std::thread m_watcher;
};

HttpServer::State::State(os::Fd listener, Handler handler, Limits limits)
    : m_handler(std::move(handler)), m_limits(limits) {
  m_daemon = MHD_start_daemon(
      MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, on_request, this,
      MHD_OPTION_LISTEN_SOCKET, listener.get(), MHD_OPTION_NOTIFY_COMPLETED, on_completed, this,
      MHD_OPTION_NOTIFY_CONNECTION, on_connection, this, MHD_OPTION_CONNECTION_LIMIT, m_limits.connections,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, m_limits.header_bytes, MHD_OPTION_CONNECTION_TIMEOUT,
      static_cast<unsigned>(m_limits.send_time.count()), MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
  if (m_daemon == nullptr) {
    throw Error(ErrorCode::unavailable, "the HTTP server does not start");
  }
  std::ignore = listener.release(); // the daemon closes it
  m_watcher = std::thread([this] { watch(); });
}

HttpServer::State::~State() {
  std::vector<std::shared_ptr<LiveExchange>> open;
  {
    const std::lock_guard guard(m_mutex);
    m_is_stopping = true;
    for (const auto& [connection, client] : m_clients) {
      if (client.exchange) {
        open.push_back(client.exchange);
      }
    }
    m_changed.notify_all();
  }
  m_watcher.join();
  for (const auto& exchange : open) {
    exchange->leave(); // libmicrohttpd must not be stopped while connections sleep
  }
  MHD_stop_daemon(m_daemon);
}

void HttpServer::State::close_listener() {
  if (const int listener = MHD_quiesce_daemon(m_daemon); listener >= 0) {
    os::Fd(listener).reset();
  }
}

bool HttpServer::State::wait_for_answers(std::chrono::milliseconds patience) {
  std::unique_lock lock(m_mutex);
  return m_changed.wait_for(lock, patience, [this] {
    return std::none_of(m_clients.begin(), m_clients.end(), [](const auto& client) {
      return client.second.exchange != nullptr;
    });
  });
}

MHD_Result HttpServer::State::on_request(
    void* self, MHD_Connection* connection, const char* path, const char* method, const char* /*version*/,
    const char* part, std::size_t* part_size, void** slot) {
  auto& state = *static_cast<State*>(self);
  if (*slot == nullptr) {
    return state.head_of(connection, path, method, slot);
  }
  auto& here = *static_cast<Slot*>(*slot);
  if (*part_size == 0) {
    return state.whole(connection, here);
  }
  // No answer may be given here: what is too large is read to its end, or to that of its time.
  here.is_too_large =
      here.is_too_large || here.exchange->request().body.size() + *part_size > state.m_limits.body_bytes;
  if (!here.is_too_large) {
    here.exchange->append_to_body({part, *part_size});
  }
  *part_size = 0;
  return MHD_YES;
}

MHD_Result
HttpServer::State::head_of(MHD_Connection* connection, const char* path, const char* method, void** slot) {
  HttpRequest request{method, path, {}, {}};
  MHD_get_connection_values(connection, MHD_HEADER_KIND, add_field, &request.fields);
  const auto refused = refusal(request);
  auto here = std::make_unique<Slot>();
  here->exchange = std::make_shared<LiveExchange>(std::move(request), connection);
  *slot = here.release(); // on_completed
  return refused ? send_whole(connection, *refused) : MHD_YES;
}

std::optional<Answer> HttpServer::State::refusal(const HttpRequest& request) const {
  if (auto refused = m_handler.refusal(request)) {
    return refused;
  }
  const auto length = request.field("content-length");
  if (!length) {
    return std::nullopt;
  }
  std::size_t bytes = 0;
  const auto* const end = length->data() + length->size();
  if (const auto read = std::from_chars(length->data(), end, bytes);
      read.ec != std::errc{} || read.ptr != end) {
    return Answer{k_bad_request, {}, "Content-Length is no number\n"};
  }
  if (bytes > m_limits.body_bytes) {
    return Answer{k_too_large, {}, fmt::format("a body has at most {} bytes\n", m_limits.body_bytes)};
  }
  return std::nullopt;
}

MHD_Result HttpServer::State::whole(MHD_Connection* connection, Slot& slot) {
  if (slot.is_too_large) {
    return send_whole(
        connection, {k_too_large, {}, fmt::format("a body has at most {} bytes\n", m_limits.body_bytes)});
  }
  if (!std::exchange(slot.has_begun, true)) {
    if (!enter(connection, slot.exchange)) {
      return MHD_NO;
    }
    m_handler.begin(slot.exchange);
  }
  return slot.exchange->serve(slot.exchange);
}

/// False: the server stops.
bool HttpServer::State::enter(MHD_Connection* connection, const std::shared_ptr<LiveExchange>& exchange) {
  const std::lock_guard guard(m_mutex);
  if (m_is_stopping) {
    return false;
  }
  m_clients[connection].exchange = exchange;
  return true;
}

void HttpServer::State::on_completed(
    void* self, MHD_Connection* connection, void** slot, MHD_RequestTerminationCode code) {
  const std::unique_ptr<Slot> here(static_cast<Slot*>(*slot));
  *slot = nullptr;
  if (!here) {
    return;
  }
  auto& state = *static_cast<State*>(self);
  here->exchange->forget_connection();
  if (here->has_begun && code != MHD_REQUEST_TERMINATED_COMPLETED_OK) {
    here->exchange->leave();
  }
  const std::lock_guard guard(state.m_mutex);
  if (const auto client = state.m_clients.find(connection); client != state.m_clients.end()) {
    client->second.exchange = nullptr;
    client->second.waits_since = Clock::now();
    state.m_changed.notify_all();
  }
}

void HttpServer::State::on_connection(
    void* self, MHD_Connection* connection, void** /*context*/, MHD_ConnectionNotificationCode code) {
  auto& state = *static_cast<State*>(self);
  const std::lock_guard guard(state.m_mutex);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    state.make_room();
    state.m_clients[connection].fd = descriptor_of(connection);
  } else {
    state.m_clients.erase(connection);
  }
  state.m_changed.notify_all();
}

/// Called with the mutex held. Some places stay free, since a connection that is shut down takes a moment to
/// end.
void HttpServer::State::make_room() {
  if (m_clients.size() + k_free_places < m_limits.connections) {
    return;
  }
  Connected* oldest = nullptr;
  for (auto& [connection, client] : m_clients) {
    const bool may_go = !client.exchange && !client.has_to_go;
    if (may_go && (oldest == nullptr || client.waits_since < oldest->waits_since)) {
      oldest = &client;
    }
  }
  if (oldest != nullptr) {
    oldest->has_to_go = true;
    ::shutdown(oldest->fd, SHUT_RDWR);
  }
}

/// libmicrohttpd does not look at connections that sleep, nor at how long a request takes in all.
void HttpServer::State::watch() {
  std::unique_lock lock(m_mutex);
  while (!m_is_stopping) {
    if (m_clients.empty()) {
      m_changed.wait(lock);
      continue;
    }
    m_changed.wait_for(lock, k_look);
    std::vector<std::shared_ptr<LiveExchange>> gone;
    std::vector<std::shared_ptr<LiveExchange>> here;
    for (auto& [connection, client] : m_clients) {
      look_at(client, gone);
      if (client.exchange) {
        here.push_back(client.exchange);
      }
    }
    lock.unlock();
    for (const auto& exchange : gone) {
      exchange->leave();
    }
    for (const auto& exchange : here) {
      exchange->fill(Clock::now() - m_limits.filler_time);
    }
    gone.clear();
    here.clear();
    lock.lock();
  }
}

void HttpServer::State::look_at(Connected& client, std::vector<std::shared_ptr<LiveExchange>>& gone) const {
  if (client.exchange) {
    pollfd watched{client.fd, POLLRDHUP, 0};
    if (::poll(&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
      gone.push_back(client.exchange);
    }
  } else if (Clock::now() - client.waits_since > m_limits.request_time) {
    ::shutdown(client.fd, SHUT_RDWR);
  }
}

HttpServer::HttpServer(os::Fd listener, Handler handler, Limits limits)
    : m_state(std::make_unique<State>(std::move(listener), std::move(handler), limits)) {
}

HttpServer::~HttpServer() = default;

void HttpServer::close_listener() {
  m_state->close_listener();
}

bool HttpServer::wait_for_answers(std::chrono::milliseconds patience) {
  return m_state->wait_for_answers(patience);
}

} // namespace pyro::http_server

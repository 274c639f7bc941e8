#include "resolver.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/log.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/socket_address.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <ares.h>
#include <set>

namespace pyro::gateway {

namespace {

using Time = std::chrono::milliseconds;

constexpr Time k_shortest_life{5'000};
constexpr Time k_longest_life{300'000};
constexpr Time k_life_of_failure{1'000};
constexpr std::size_t k_most_kept = 4096;
constexpr int k_timeout_ms = 2'000;
constexpr int k_tries = 3;

struct Kept {
  Resolved resolved;
  Time until{0};
};

} // namespace

struct Resolver::Impl {
  struct Question {
    Impl* owner = nullptr;
    std::string name;
    std::vector<Callback> callbacks;
  };

  explicit Impl(os::EventLoop& event_loop) : loop(event_loop) {}

  os::EventLoop& loop;
  ares_channel channel = nullptr;
  std::set<int> watched;
  os::EventLoop::TimerId timer = 0;
  std::map<std::string, std::unique_ptr<Question>> questions;
  std::map<std::string, Kept> kept;

  static void on_socket(void* self, ares_socket_t socket, int readable, int writable) {
    try {
      static_cast<Impl*>(self)->watch(socket, readable != 0, writable != 0);
    } catch (const Error& error) { // not through c-ares; the question has no answer then
      log::debug("a name server is not heard: {}", error.what());
    }
  }

  void watch(int socket, bool readable, bool writable) {
    const bool is_watched = watched.contains(socket);
    if (!readable && !writable) {
      if (is_watched) {
        loop.unwatch(socket);
        watched.erase(socket);
      }
      return;
    }
    const std::uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
    if (is_watched) {
      loop.modify(socket, events);
      return;
    }
    watched.insert(socket);
    loop.watch(socket, events, [this, socket](std::uint32_t happened) {
      const bool can_read = (happened & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
      const bool can_write = (happened & EPOLLOUT) != 0;
      ::ares_process_fd(channel, can_read ? socket : ARES_SOCKET_BAD, can_write ? socket : ARES_SOCKET_BAD);
      arm();
    });
  }

  /// For what is not answered.
  void arm() {
    if (timer != 0) {
      loop.cancel(timer);
      timer = 0;
    }
    timeval storage{};
    const auto* left = ::ares_timeout(channel, nullptr, &storage);
    if (left == nullptr) {
      return;
    }
    timer = loop.after(Time(left->tv_sec * 1000 + left->tv_usec / 1000 + 1), [this] {
      timer = 0;
      ::ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      arm();
    });
  }

  static void on_answer(void* argument, int status, int /*timeouts*/, ares_addrinfo* found) {
    auto* question = static_cast<Question*>(argument);
    Resolved resolved;
    auto life = k_longest_life;
    if (status == ARES_EDESTRUCTION) {
      return; // with its owner
    }
    if (found != nullptr) {
      for (const auto* node = found->nodes; node != nullptr; node = node->ai_next) {
        if (node->ai_family == AF_INET || node->ai_family == AF_INET6) {
          resolved.addresses.push_back(os::destination_of(*node->ai_addr));
          life = std::clamp(Time(1000LL * node->ai_ttl), k_shortest_life, life);
        }
      }
      ::ares_freeaddrinfo(found);
    }
    if (!resolved.addresses.empty()) {
      resolved.status = Resolved::Status::found;
    } else if (status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_SUCCESS) {
      resolved.status = Resolved::Status::no_such_name;
      life = k_shortest_life;
    } else {
      resolved.trouble = ::ares_strerror(status);
      life = k_life_of_failure;
    }
    auto* owner = question->owner;
    owner->loop.post([owner, name = question->name, resolved = std::move(resolved), life] {
      owner->answer(name, resolved, life);
    });
  }

  void answer(const std::string& name, const Resolved& resolved, Time life) {
    if (kept.size() >= k_most_kept) {
      kept.clear();
    }
    kept[name] = {resolved, os::now_monotonic() + life};
    const auto found = questions.find(name);
    const auto callbacks = std::move(found->second->callbacks);
    questions.erase(found);
    for (const auto& callback : callbacks) {
      callback(resolved);
    }
  }
};

Resolver::Resolver(os::EventLoop& loop, const std::string& servers) : m_impl(std::make_unique<Impl>(loop)) {
  ares_options options{};
  options.sock_state_cb = Impl::on_socket;
  options.sock_state_cb_data = m_impl.get();
  options.timeout = k_timeout_ms;
  options.tries = k_tries;
  int status = ::ares_library_init(ARES_LIB_INIT_ALL);
  if (status == ARES_SUCCESS) {
    status = ::ares_init_options(
        &m_impl->channel, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  }
  if (status == ARES_SUCCESS && !servers.empty()) {
    status = ::ares_set_servers_ports_csv(m_impl->channel, servers.c_str());
  }
  if (status != ARES_SUCCESS) {
    throw Error(ErrorCode::unavailable, "no name can be resolved: {}", ::ares_strerror(status));
  }
}

Resolver::~Resolver() {
  if (m_impl->channel != nullptr) {
    ::ares_destroy(m_impl->channel);
  }
  if (m_impl->timer != 0) {
    m_impl->loop.cancel(m_impl->timer);
  }
}

void Resolver::resolve(const std::string& name, Callback callback) {
  auto& impl = *m_impl;
  const auto known = impl.kept.find(name);
  if (known != impl.kept.end() && known->second.until > os::now_monotonic()) {
    const auto resolved = known->second.resolved;
    callback(resolved);
    return;
  }
  auto& question = impl.questions[name];
  if (question) {
    question->callbacks.push_back(std::move(callback));
    return;
  }
  question = std::make_unique<Impl::Question>(Impl::Question{&impl, name, {std::move(callback)}});
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  // Whole names only: a search list is the affair of who asked.
  ::ares_getaddrinfo(impl.channel, (name + ".").c_str(), nullptr, &hints, Impl::on_answer, question.get());
  impl.arm();
}

} // namespace pyro::gateway

#include "byte_pump.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <exception>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::size_t k_read_size = 32 << 10;
constexpr int k_reads_per_event = 8; // then others get their turn

} // namespace

struct BytePump::State : std::enable_shared_from_this<State> {
  State(EventLoop& the_loop, Fd the_fd, Callbacks the_callbacks)
      : loop(the_loop), fd(std::move(the_fd)), callbacks(std::move(the_callbacks)) {}

  void close() {
    if (fd) {
      loop.unwatch(fd.get());
      fd.reset();
    }
  }

  void end(const Error* error) {
    if (!fd) {
      return;
    }
    close();
    if (callbacks.on_closed) {
      callbacks.on_closed(error);
    }
  }

  void want_output(bool wanted) {
    if (fd && wanted != waits_for_room) {
      waits_for_room = wanted;
      loop.modify(fd.get(), EPOLLIN | (wanted ? EPOLLOUT : 0U));
    }
  }

  void read() {
    std::array<char, k_read_size> buffer;
    for (int i = 0; i < k_reads_per_event && fd; ++i) {
      auto count = read_some(fd.get(), buffer);
      if (!count) {
        return;
      }
      if (*count == 0) {
        end(nullptr);
        return;
      }
      callbacks.on_bytes({buffer.data(), *count});
      if (*count < buffer.size()) {
        return;
      }
    }
  }

  void write() {
    while (fd) {
      if (sent == output.size()) {
        output = callbacks.pull();
        sent = 0;
        if (output.empty() || !fd) {
          break;
        }
      }
      auto count = put(std::string_view(output).substr(sent));
      if (count >= 0) {
        sent += static_cast<std::size_t>(count);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        want_output(true);
        return;
      } else if (errno != EINTR) {
        throw Error::from_errno(errno, "write to the channel");
      }
    }
    want_output(false);
  }

  /// A peer that went away is an error here, never SIGPIPE (sockets at least).
  ssize_t put(std::string_view bytes) {
    if (is_socket) {
      auto count = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count >= 0 || errno != ENOTSOCK) {
        return count;
      }
      is_socket = false;
    }
    return ::write(fd.get(), bytes.data(), bytes.size());
  }

  /// Runs one of the above; what goes wrong ends the pump.
  template <typename Function>
  void guarded(Function&& function) {
    auto keep = shared_from_this();
    try {
      function();
    } catch (const Error& error) {
      end(&error);
    } catch (const std::exception& error) {
      Error wrapped(ErrorCode::internal, "{}", error.what());
      end(&wrapped);
    }
  }

  EventLoop& loop;
  Fd fd;
  Callbacks callbacks;
  std::string output;
  std::size_t sent = 0;
  bool is_socket = true;
  bool waits_for_room = false;
  bool wake_posted = false;
};

BytePump::BytePump(EventLoop& loop, Fd fd, Callbacks callbacks)
    : m_state(std::make_shared<State>(loop, std::move(fd), std::move(callbacks))) {
  set_nonblocking(m_state->fd.get());
  loop.watch(m_state->fd.get(), EPOLLIN, [weak = std::weak_ptr(m_state)](std::uint32_t events) {
    auto state = weak.lock();
    if (!state) {
      return;
    }
    state->guarded([&] {
      if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        state->read();
      }
      state->write();
    });
  });
  wake();
}

BytePump::~BytePump() {
  close();
}

void BytePump::wake() {
  if (!m_state->fd || m_state->wake_posted || m_state->waits_for_room) {
    return;
  }
  m_state->wake_posted = true;
  m_state->loop.post([weak = std::weak_ptr(m_state)] {
    if (auto state = weak.lock()) {
      state->wake_posted = false;
      state->guarded([&] { state->write(); });
    }
  });
}

void BytePump::flush() {
  m_state->guarded([&] { m_state->write(); });
}

void BytePump::close() {
  m_state->close();
}

bool BytePump::is_open() const {
  return m_state->fd.valid();
}

bool BytePump::is_drained() const {
  return m_state->sent == m_state->output.size();
}

int BytePump::fd() const {
  return m_state->fd.get();
}

} // namespace pyro::os

#include "serve_connection.hpp"

#include "call.hpp"
#include "fd_stream.hpp"
#include "run_call.hpp"
#include "workspace_streams.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/byte_pump.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <unistd.h>

namespace pyro::node {

namespace {

constexpr std::size_t k_most_calls = 64; // at once on one connection

/// What the process of a call gets, and what holds its streams on our side.
struct Running {
  std::array<os::Fd, 3> theirs; // in, out, err until it is started
  std::vector<std::shared_ptr<FdStream>> ours;
  os::Fd process; // can be read once it has ended
  pid_t pid = -1;
};

class Served {
public:
  Served(os::Fd socket, const std::string& base, const operations::EngineFactory& make_engine)
      : m_base(base), m_make_engine(make_engine) {
    os::BytePump::Callbacks callbacks;
    callbacks.on_bytes = [this](std::string_view bytes) {
      m_session.feed(bytes);
    };
    callbacks.pull = [this] {
      return m_session.take_output();
    };
    callbacks.on_closed = [this](const Error*) {
      m_session.transport_lost();
      m_loop.stop();
    };
    m_pump = std::make_unique<os::BytePump>(m_loop, std::move(socket), std::move(callbacks));
    m_session.on_output([this] { m_pump->wake(); });
    m_session.on_request(
        [this](const protocol::Stream& stream, const std::string& path) { return accept(stream, path); });
  }

  void run() { m_loop.run(); }

private:
  protocol::StreamEvents accept(const protocol::Stream& stream, const std::string& path) {
    if (path == k_alive_path) {
      m_loop.post([end = protocol::Stream(stream)]() mutable { end.finish(); });
      return {};
    }
    if (path.starts_with(k_workspace_path)) {
      return m_workspaces.open(stream, path);
    }
    const auto slash = path.find('/', 1);
    const auto kind = path.substr(0, slash == std::string::npos ? 0 : slash + 1);
    const auto number = path.substr(kind.size());
    if (kind.empty() || number.empty() || number.size() > 18
        || !std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      throw Error(ErrorCode::protocol, "there is nothing at {}", path);
    }
    if (!m_calls.contains(number) && m_calls.size() >= k_most_calls) {
      throw Error(ErrorCode::unavailable, "more than {} calls at once", k_most_calls);
    }
    auto& call = m_calls[number];
    if (call.pid >= 0) {
      throw Error(ErrorCode::protocol, "call {} has begun", number);
    }
    if (kind == k_call_path) {
      return begin(number, call, stream);
    }
    const bool is_in = kind == k_in_path;
    const std::size_t index = is_in ? 0 : kind == k_out_path ? 1 : 2;
    if (kind != k_in_path && kind != k_out_path && kind != k_err_path) {
      throw Error(ErrorCode::protocol, "there is nothing at {}", path);
    }
    auto pipe = os::make_pipe();
    call.theirs.at(index) = std::move(is_in ? pipe.read_end : pipe.write_end);
    return hold(
        call, std::move(is_in ? pipe.write_end : pipe.read_end),
        is_in ? FdStream::Way::in : FdStream::Way::out, stream);
  }

  protocol::StreamEvents hold(Running& call, os::Fd fd, FdStream::Way way, const protocol::Stream& stream) {
    auto tied = std::make_shared<FdStream>(m_loop, std::move(fd), way);
    call.ours.push_back(tied);
    m_loop.post([tied, stream] { tied->start(stream); });
    return tied->events();
  }

  protocol::StreamEvents begin(const std::string& number, Running& call, const protocol::Stream& stream) {
    auto [ours, theirs] = os::socket_pair();
    const CallStreams streams{theirs.get(), call.theirs[0].get(), call.theirs[1].get(), call.theirs[2].get()};
    call.pid = ::fork();
    if (call.pid == 0) {
      be_the_call(streams);
    }
    if (call.pid < 0) {
      const int error = errno;
      m_calls.erase(number);
      throw Error::from_errno(error, "start the process of a call");
    }
    call.process = os::Fd(static_cast<int>(::syscall(SYS_pidfd_open, call.pid, 0)));
    for (auto& fd : call.theirs) {
      fd.reset();
    }
    m_loop.watch(call.process.get(), EPOLLIN, [this, number](std::uint32_t) { on_ended(number); });
    return hold(call, std::move(ours), FdStream::Way::both, stream);
  }

  /// Nothing of ours but its own streams is open in it: what another call waits for would never end.
  [[noreturn]] void be_the_call(CallStreams streams) {
    std::array<int*, 4> numbers{&streams.frames, &streams.in, &streams.out, &streams.err};
    int next = STDERR_FILENO + 1;
    constexpr int k_above_all = 1000;
    for (auto* number : numbers) { // first out of each other's way
      *number = *number < 0 ? -1 : ::fcntl(*number, F_DUPFD_CLOEXEC, k_above_all);
    }
    for (auto* number : numbers) {
      if (*number >= 0) {
        *number = ::dup3(*number, next, O_CLOEXEC);
        ++next;
      }
    }
    ::syscall(SYS_close_range, next, ~0U, 0);
    std::signal(SIGCHLD, SIG_DFL);
    int status = 0;
    try {
      run_call(streams, m_base, m_make_engine);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "pyro-node: %s\n", error.what());
      status = 1;
    }
    std::fflush(nullptr);
    ::_exit(status);
  }

  void on_ended(const std::string& number) {
    auto call = std::move(m_calls.at(number));
    m_calls.erase(number);
    m_loop.unwatch(call.process.get());
    ::waitpid(call.pid, nullptr, 0);
    for (const auto& stream : call.ours) {
      stream->drain();
    }
  }

  const std::string m_base;
  const operations::EngineFactory& m_make_engine;
  os::EventLoop m_loop;
  protocol::Session m_session{protocol::Role::server};
  std::unique_ptr<os::BytePump> m_pump;
  std::map<std::string, Running> m_calls;
  WorkspaceStreams m_workspaces{m_loop, m_base};
};

} // namespace

void serve_connection(os::Fd socket, const std::string& base, const operations::EngineFactory& make_engine) {
  Served(std::move(socket), base, make_engine).run();
}

} // namespace pyro::node

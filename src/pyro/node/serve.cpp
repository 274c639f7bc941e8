#include "serve.hpp"

#include "lease_directory.hpp"
#include "serve_connection.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/random.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <unistd.h>

namespace pyro::node {

namespace {

/// A child of ours that has nothing of our loop: no blocked signal, no handler.
template <typename Work>
pid_t in_a_child(Work work) {
  const auto pid = ::fork();
  if (pid < 0) {
    const int error = errno;
    throw Error::from_errno(error, "fork");
  }
  if (pid > 0) {
    return pid;
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  int status = 0;
  try {
    work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pyro-node: %s\n", error.what());
    status = 1;
  }
  std::fflush(nullptr);
  ::_exit(status);
}

/// All that descends from us has us for its parent once those between have ended: we are its reaper.
void end_descendants() {
  while (true) {
    const auto path = fmt::format("/proc/self/task/{}/children", ::getpid());
    std::istringstream children(os::maybe_read_file(path).value_or(""));
    for (pid_t child = 0; children >> child;) {
      ::kill(child, SIGKILL);
    }
    if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) {
      return;
    }
  }
}

/// What a lease of that directory has made, with files of other ids; nothing of it runs.
void remove_lease(const LeaseDirectory& directory, const operations::EngineFactory& make_engine) {
  const auto pid = in_a_child([&] {
    ::setenv("PYRO_ENVIRONMENT_CACHE_DIR", directory.cache().c_str(), 1);
    operations::Settings settings;
    settings.base = directory.base();
    make_engine(settings, {})->call("purge", {{"approve", true}});
  });
  // Not that one alone: it may wait for processes to be gone whose reaper we are.
  for (pid_t ended = 0; ended != pid && (ended >= 0 || errno == EINTR);) {
    ended = ::waitpid(-1, nullptr, 0);
  }
  end_descendants();
  os::remove_tree(directory.path);
}

/// Of leases of ours on this node whose process was killed before it could remove them.
void remove_left(const operations::EngineFactory& make_engine) {
  const auto prefix = fmt::format("pyro-{}-", ::getuid());
  for (const auto& name : os::list_any_directory("/tmp")) {
    const LeaseDirectory left{"/tmp/" + name};
    if (!name.starts_with(prefix) || !os::exists(left.lock())) {
      continue;
    }
    try {
      check_is_ours(left);
      if (const auto lock = os::ExclusiveLock::try_lock(left.lock(), "remove")) {
        remove_lease(left, make_engine);
      }
    } catch (const Error& error) {
      std::fprintf(stderr, "pyro-node: %s\n", error.what());
    }
  }
}

} // namespace

int serve(const operations::EngineFactory& make_engine) {
  const auto directory = lease_directory();
  std::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  remove_left(make_engine);
  if (::mkdir(directory.path.c_str(), 0700) != 0) {
    const int error = errno;
    throw Error::from_errno(error, "make " + directory.path);
  }
  const auto lock = os::ExclusiveLock::try_lock(directory.lock(), "lease");
  if (!lock) {
    throw Error(ErrorCode::locked, "{} is in use", directory.path);
  }
  ::setenv("PYRO_ENVIRONMENT_CACHE_DIR", directory.cache().c_str(), 1);
  os::EventLoop loop;
  loop.on_signals({SIGTERM, SIGINT, SIGHUP, SIGCHLD}, [&](int signal) {
    if (signal != SIGCHLD) {
      loop.stop();
      return;
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  });
  const auto listener = os::listen_unix(directory.socket());
  loop.watch(listener.get(), EPOLLIN, [&](std::uint32_t) {
    auto socket = os::accept_unix(listener.get());
    if (socket && os::peer_credentials(socket->get()).uid == ::getuid()) {
      in_a_child([&] { serve_connection(std::move(*socket), directory.base(), make_engine); });
    }
  });
  loop.run();
  end_descendants();
  remove_lease(directory, make_engine);
  return 0;
}

} // namespace pyro::node

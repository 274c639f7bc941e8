#include "agent.hpp"

#include "exec.hpp"
#include "file_task.hpp"
#include "lineage.hpp"
#include "machine.hpp"
#include "resources.hpp"
#include "run_files.hpp"
#include "sync_writes.hpp"
#include "tcp.hpp"
#include "upper_task.hpp"

#include <pyro/agent/guest/boot.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/random.hpp>
#include <pyro/os/spare_memory.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/protocol/upper_list.hpp>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

using CallPointer = std::shared_ptr<protocol::Call>;
using std::chrono::milliseconds;

constexpr milliseconds k_look_for_clients{20};
constexpr milliseconds k_until_settled{500}; // after the start
/// How long a killed process may take to be gone; then we go anyway, and as pid 1 take it along.
constexpr milliseconds k_kill_patience{2000};

/// What commands without an input read: the null device, opened before anybody inside can put another in its
/// place. A root without devices has an empty pipe instead.
os::Fd nothing_to_read() {
  if (auto device = os::maybe_open("/dev/null", O_RDWR)) {
    return std::move(*device);
  }
  return os::make_pipe().read_end;
}

} // namespace

Agent::Agent(AgentOptions options)
    : m_runtime{m_loop,
                m_reaper,
                ::getpid() == 1,
                std::move(options.secrets_dir),
                std::move(options.upper_dir),
                options.is_guest,
                std::move(options.memory_kills),
                nothing_to_read()},
      m_freezer(m_runtime.is_init), m_services(m_runtime), m_shells(m_runtime),
      m_channel(std::move(options.channel)) {
  if (m_runtime.is_init) {
    make_run_files();
  }
  m_loop.on_signals({SIGCHLD}, [this](int) { m_reaper.collect(); });
  add_operations();
  m_router.attach(m_session);
  m_session.on_output([this] {
    if (m_pump) {
      m_pump->wake();
    }
  });
}

void Agent::begin_session() {
  m_pump.emplace(
      m_loop, os::duplicate(m_channel.get()),
      os::BytePump::Callbacks{
          [this](std::string_view bytes) { m_session.feed(bytes); },
          [this] { return m_session.take_output(); },
          [this](const Error* error) {
            m_exit_status = error ? 1 : 0;
            m_loop.stop();
          }});
}

void Agent::suspend(const CallPointer& call) {
  m_freezer.freeze();
  sync_writes(m_runtime, [this, call] {
    call->finish(Json::object());
    m_pump->flush();
    m_loop.post([this] { stand_still(); });
  });
}

void Agent::stand_still() {
  m_pump.reset();
  const auto continuation = await_continuation(m_channel.get());
  m_session.start_over();
  if (continuation == Continuation::clone) {
    m_boot_epoch = os::random_hex(16);
    m_services.prove_readiness();
  }
  m_freezer.thaw();
  begin_session();
}

/// A sandbox dies with its first process. Elsewhere (tests) what we started must not outlive us either.
void Agent::end_descendants() {
  m_freezer.thaw();
  for (int round = 0; round < 10 && !m_runtime.is_init; ++round) {
    auto left = list_subjects(false);
    if (left.empty()) {
      return;
    }
    for (auto& process : left) {
      ::kill(process.pid, SIGKILL);
    }
  }
}

int Agent::run() {
  m_boot_epoch = os::random_hex(16); // not before: clones of a saved guest begin here
  begin_session();
  m_loop.after(k_until_settled, os::give_back_spare_memory);
  m_loop.run();
  end_descendants();
  return m_exit_status;
}

void Agent::add_operations() {
  namespace path = protocol::path;
  m_router.add(std::string(path::k_hello), [this](const CallPointer& call, const Json&) { hello(call); });
  m_router.add(std::string(path::k_exec), [this](const CallPointer& call, const Json& request) {
    ExecTask::start(m_runtime, call, request);
  });
  m_router.add(std::string(path::k_sftp), [this](const CallPointer& call, const Json& request) {
    ExecTask::start_sftp(m_runtime, call, request);
  });
  m_router.add(std::string(path::k_files_change), [this](const CallPointer& call, const Json& request) {
    FileTask::start(m_runtime, call, request);
  });
  m_router.add(std::string(path::k_tcp_connect), [this](const CallPointer& call, const Json& request) {
    TcpTask::start(m_runtime, call, request);
  });
  m_router.add(std::string(path::k_freeze), [this](const CallPointer& call, const Json&) {
    call->finish({{"frozen", m_freezer.freeze()}});
  });
  m_router.add(std::string(path::k_thaw), [this](const CallPointer& call, const Json&) {
    call->finish({{"thawed", m_freezer.thaw()}});
  });
  m_router.add(std::string(path::k_memory_kills), [this](const CallPointer& call, const Json&) {
    call->finish(m_runtime.memory_kills.to_json());
  });
  m_router.add(std::string(path::k_resources), [this](const CallPointer& call, const Json&) {
    call->finish(to_json(resources_of(m_runtime)));
  });
  if (m_runtime.is_guest) {
    m_router.add(
        std::string(path::k_suspend), [this](const CallPointer& call, const Json&) { suspend(call); });
  }
  m_router.add(std::string(path::k_shutdown), [this](const CallPointer& call, const Json& request) {
    end_all(request, [this, call] {
      call->finish(Json::object());
      m_pump->flush();
      m_loop.stop();
    });
  });
  m_router.add(std::string(path::k_upper_settle), [this](const CallPointer& call, const Json& request) {
    end_all(request, [call] { call->finish(Json::object()); });
  });
  m_router.add(std::string(path::k_processes_end), [this](const CallPointer& call, const Json& request) {
    end_processes(call, request);
  });
  m_services.add_operations(m_router);
  m_shells.add_operations(m_router);
  add_machine_operations(m_router, m_runtime);
  UpperTask::add_operations(m_router, m_runtime);
}

void Agent::hello(const CallPointer& call) {
  protocol::Hello hello;
  hello.protocol_features = {"exec", "pty",   "services", "logs",     "secrets", "tcp",    "freeze",
                             "sync", "clock", "identity", "shutdown", "files",   "shells", "sftp"};
  if (m_runtime.is_guest) {
    hello.protocol_features.emplace_back("suspend");
  }
  if (!m_runtime.upper_dir.empty()) {
    hello.protocol_features.emplace_back("upper");
  }
  hello.agent_version = PYRO_AGENT_VERSION;
  hello.boot_epoch = m_boot_epoch;
  hello.pid = ::getpid();
  call->finish(to_json(hello));
}

/// For the first process one call reaches everybody at once, whoever forks meanwhile.
void Agent::end_processes(const CallPointer& call, const Json& request) {
  m_runtime.last_end = protocol::processes_end_from_json(request);
  ++m_runtime.ends;
  m_services.fail_killed(m_runtime.last_end.reason);
  if (m_runtime.is_init) {
    ::kill(-1, SIGKILL);
  }
  std::set<pid_t> ended;
  for (auto& process : list_subjects(m_runtime.is_init)) {
    ::kill(process.pid, SIGKILL);
    ended.insert(process.pid);
  }
  wait_for_end(call, ended);
}

/// Answers once none of them does anything any more; others may have begun meanwhile.
void Agent::wait_for_end(const CallPointer& call, const std::set<pid_t>& ended) {
  const auto alive = list_subjects(m_runtime.is_init);
  if (std::none_of(alive.begin(), alive.end(), [&](auto& process) { return ended.contains(process.pid); })) {
    call->finish(Json::object());
    return;
  }
  m_loop.after(k_look_for_clients, [this, call, ended] { wait_for_end(call, ended); });
}

void Agent::end_all(const Json& request, std::function<void()> done) {
  auto grace = milliseconds(protocol::shutdown_from_json(request).grace_ms);
  m_freezer.thaw();
  m_shells.hang_up_all();
  m_services.stop_all(grace, [this, grace, done = std::move(done)] { end_everybody(grace, done); });
}

void Agent::end_everybody(milliseconds grace, const std::function<void()>& done) {
  for (auto& process : list_subjects(m_runtime.is_init)) {
    ::kill(process.pid, SIGTERM);
    ::kill(process.pid, SIGCONT);
  }
  wait_for_nobody(os::now_monotonic() + grace, done);
}

void Agent::wait_for_nobody(milliseconds until, const std::function<void()>& done) {
  auto left = list_subjects(m_runtime.is_init);
  auto now = os::now_monotonic();
  if (now >= until) {
    for (auto& process : left) {
      ::kill(process.pid, SIGKILL);
    }
  }
  if (left.empty() || now >= until + k_kill_patience) {
    sync_writes(m_runtime, done);
    return;
  }
  m_loop.after(k_look_for_clients, [this, until, done] { wait_for_nobody(until, done); });
}

} // namespace pyro::agent

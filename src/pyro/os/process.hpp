// Child processes as values (argv, environment, descriptors) and processes told apart for good (pid plus
// start time).
#pragma once

#include "fd.hpp"
#include "program_environment.hpp"
#include "seclusion.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::os {

/// How a child ended: exactly one of code and signal is meaningful.
struct Outcome {
  int code = 0;
  int signal = 0;

  bool ok() const { return code == 0 && signal == 0; }

  /// The status a shell would show: code, or 128 + signal.
  int shell_status() const { return signal ? 128 + signal : code; }
};

/// From a wait(2) status.
Outcome outcome_of(int wait_status);
/// "exit code 3", "killed by SIGSEGV"
std::string to_string(const Outcome& outcome);
/// "SIGTERM" for 15; "signal 99" where it has no name.
std::string signal_name(int signal);
/// 15 for "SIGTERM" or "TERM"; nullopt for what is no signal.
std::optional<int> signal_number(std::string_view name);

/// Descriptors given to the child: {number in the child, our descriptor}. Everything else is closed on exec.
using FdMap = std::vector<std::pair<int, int>>;

struct Command {
  std::vector<std::string> argv; // argv[0] is looked up in PATH unless it holds a slash
  std::optional<Variables> env;  // nullopt: made_environment()
  std::string cwd;               // empty: ours
  FdMap fds{{0, 0}, {1, 1}, {2, 2}};
  bool new_session = false;
  bool die_with_parent = false; // PR_SET_PDEATHSIG(SIGKILL)
  Seclusion seclusion;
  std::uint64_t max_file_bytes = 0; // of each file that it writes; 0: ours
};

/// Move-only owner of a child process; kills (SIGKILL) and reaps it on destruction unless waited for or
/// released.
class Child {
public:
  Child() = default;

  explicit Child(pid_t pid) : m_pid(pid) {}

  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;

  pid_t pid() const { return m_pid; }

  void signal(int number) const;
  /// Blocks until it ends.
  Outcome wait();
  /// nullopt while it runs.
  std::optional<Outcome> try_wait();
  pid_t release();

private:
  pid_t m_pid = -1;
};

/// Starts the program; throws when it cannot be executed (the child's errno travels back). Safe in threaded
/// programs.
Child spawn(const Command& command);

struct Captured {
  Outcome outcome;
  std::string out;
  std::string err;
};

/// Runs to the end with stdin from /dev/null (or `input`), capturing at most `limit` bytes of each stream.
/// Past `timeout` it is killed and Error(timeout) thrown. A non-zero status is a result, not an error.
Captured
run(Command command, std::string_view input = {},
    std::chrono::milliseconds timeout = std::chrono::minutes(10), std::size_t limit = 16 << 20);

/// Like run, but throws Error(failed) with the last lines of stderr where the program does not exit with 0.
std::string run_checked(
    Command command, std::string_view input = {},
    std::chrono::milliseconds timeout = std::chrono::minutes(10));

/// A process for good: a pid alone may be used again.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_time = 0; // /proc/PID/stat field 22, clock ticks since boot
  std::string boot_id;

  bool operator==(const ProcessId&) const = default;
};

/// nullopt when there is no such process.
std::optional<ProcessId> process_id_of(pid_t pid);
/// Is that very process alive (not a zombie)?
bool is_alive(const ProcessId& process);
/// /proc/sys/kernel/random/boot_id
std::string boot_id();

/// SIGKILL to that very process and wait up to `patience` for it to be gone. True: it is gone.
bool kill_and_wait(const ProcessId& process, std::chrono::milliseconds patience);

} // namespace pyro::os

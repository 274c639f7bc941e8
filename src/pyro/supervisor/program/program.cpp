#include "program.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/spare_memory.hpp>

#include <sys/prctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::supervisor {

namespace {

void answer(const Json& message) {
  try {
    os::write_all(STDOUT_FILENO, message.dump() + "\n");
  } catch (const Error&) {
    ::_exit(1); // the starter is gone and has recorded nothing: the sandbox must not outlive it
  }
  const auto nowhere = os::open_file("/dev/null", O_RDWR);
  ::dup2(nowhere.get(), STDIN_FILENO);
  ::dup2(nowhere.get(), STDOUT_FILENO);
}

void start(const std::function<void(const backend::LaunchSpec& spec)>& serve) {
  const auto text = os::read_all(STDIN_FILENO, 4 << 20);
  const auto spec = backend::launch_spec_from_json(parse_json(text, "the launch description"));
  backend::validate(spec);
  note_kernel_objects(spec, os::Cgroup::directories_for(spec.cgroup_name), 0); // before there are any
  serve(spec);
}

} // namespace

void note_kernel_objects(
    const backend::LaunchSpec& spec, const std::vector<std::string>& cgroups, int sandbox_pid) {
  os::write_json_atomically(
      spec.runtime_dir + "/kernel_objects.json",
      {{"cgroups", cgroups}, {"sandbox_pid", sandbox_pid}, {"supervisor_pid", ::getpid()}}, os::Durable::no);
}

void supervise(
    const backend::LaunchSpec& spec, std::unique_ptr<Guest> guest, Json timings,
    std::vector<std::string> notes) {
  bool is_announced = false;
  auto& sandbox = *guest;
  Supervisor process(
      spec, std::move(guest), std::move(timings), std::move(notes), [&is_announced](const Json& launched) {
        is_announced = true;
        answer({{"launched", launched}});
        os::give_back_spare_memory(); // from here on it waits
      });
  process.run();
  if (!is_announced) {
    Error error(ErrorCode::failed, "the sandbox ended: {}", process.end_reason());
    const auto outcome = sandbox.outcome();
    if (outcome && outcome->signal != SIGKILL) { // that may have been us
      error.add_context(fmt::format("its first process: {}", os::to_string(*outcome)));
    }
    throw error;
  }
}

int run_program(const std::function<void(const backend::LaunchSpec& spec)>& serve) {
  ::setsid();
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    if (::chdir("/") < 0) {
      throw Error::from_errno(errno, "enter /");
    }
    start(serve);
  } catch (const Error& error) {
    answer({{"error", to_json(error)}});
    return 1;
  } catch (const std::exception& error) {
    answer({{"error", to_json(Error(ErrorCode::internal, "{}", error.what()))}});
    return 1;
  }
  return 0;
}

} // namespace pyro::supervisor

#include "sandboxes.hpp"

#include "disk_quota.hpp"
#include "host_workspace.hpp"
#include "refresh_upper.hpp"
#include "virtual_machine.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/random.hpp>

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>
#include <unistd.h>

namespace pyro::workspace {

namespace {

constexpr std::chrono::milliseconds k_kill_patience{10'000};

std::string hostname_of(const std::string& name) {
  std::string result;
  for (const char letter : name.substr(0, 60)) {
    result += std::isalnum(static_cast<unsigned char>(letter)) ? letter : '-';
  }
  return result.empty() || result.front() == '-' ? "pyro" + result : result;
}

/// Beginning of the files in runtime/ that name what killed sandboxes may still hold.
constexpr std::string_view k_ended = "ended-";

Json read_kernel_objects(const std::string& path) {
  const auto text = os::maybe_read_file(path, 1 << 20);
  try {
    return text ? parse_json(*text, "kernel_objects.json") : Json::object();
  } catch (const Error&) {
    return Json::object(); // written by a process that died in the middle of it; the record names the
                           // supervisor too
  }
}

std::vector<std::string> cgroups_of(const Json& objects) {
  return objects.contains("cgroups") ? get_strings(objects, "cgroups") : std::vector<std::string>{};
}

/// The sandbox's first process, with which all others of it have ended; kept beside the pid, since pids are
/// used again.
Json first_process_of(const Json& objects) {
  const auto pid = static_cast<pid_t>(int_or(objects, "sandbox_pid", 0));
  const auto process = pid > 0 ? os::process_id_of(pid) : std::nullopt;
  return process
             ? Json{{"pid", process->pid}, {"start_time", process->start_time}, {"boot_id", process->boot_id}}
             : Json();
}

/// Where cgroups can be had they tell that a sandbox is gone; elsewhere its first process does.
void await_end_of(const Json& process) {
  if (!process.is_object()) {
    return;
  }
  const os::ProcessId first{
      static_cast<pid_t>(int_or(process, "pid", 0)),
      static_cast<std::uint64_t>(int_or(process, "start_time", 0)), string_or(process, "boot_id", "")};
  const auto deadline = std::chrono::steady_clock::now() + k_kill_patience;
  while (os::is_alive(first) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

/// Waits for what was killed without waiting.
void remove_ended(const std::string& runtime_dir) {
  for (const auto& name : os::list_directory(runtime_dir)) {
    if (name.rfind(k_ended, 0) == 0) {
      const auto path = runtime_dir + "/" + name;
      const auto objects = read_kernel_objects(path);
      await_end_of(objects.value("first_process", Json()));
      os::remove_cgroups(cgroups_of(objects));
      ::unlink(path.c_str());
    }
  }
}

/// Gives each a name of its own, so that what removes them later cannot meet what has their name by then.
std::vector<std::string> set_aside(const std::vector<std::string>& trees) {
  std::vector<std::string> aside;
  for (const auto& tree : trees) {
    const std::filesystem::path path(tree);
    const auto name = "removed-" + os::random_hex(8);
    const auto parent = os::maybe_open_own_directory(path.parent_path().string());
    if (parent && ::renameat(parent->get(), path.filename().c_str(), parent->get(), name.c_str()) == 0) {
      aside.push_back((path.parent_path() / name).string());
    }
  }
  return aside;
}

/// Pids may have been used again, so only a process that has this very directory's log as its stderr is a
/// supervisor.
bool is_supervisor_of(pid_t pid, const std::string& runtime_dir) {
  std::array<char, 4096> target{};
  const auto length = ::readlink(fmt::format("/proc/{}/fd/2", pid).c_str(), target.data(), target.size());
  return length > 0
         && std::string_view(target.data(), static_cast<std::size_t>(length))
                == runtime_dir + "/supervisor.log";
}

void kill_pid(pid_t pid) {
  if (const auto process = os::process_id_of(pid)) {
    if (!os::kill_and_wait(*process, k_kill_patience)) {
      throw Error(ErrorCode::failed, "process {} does not end", pid);
    }
  }
}

void remove_all(const std::vector<std::string>& paths) {
  if (paths.empty()) {
    return;
  }
  os::IdSpace::current().run([&]() -> Json {
    for (const auto& path : paths) {
      os::remove_tree(path);
    }
    return nullptr;
  });
}

} // namespace

void in_the_background(const std::function<void()>& work) {
  const pid_t middle = ::fork();
  if (middle < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (middle == 0) {
    if (::fork() == 0) {
      ::setsid();
      ::close_range(0, ~0U, 0);
      try {
        work();
      } catch (const std::exception&) {
        ::_exit(1);
      }
    }
    ::_exit(0);
  }
  os::Child(middle).wait();
}

namespace {

void remove_and(
    const std::vector<std::string>& paths, Detached detached, const std::function<void()>& finish) {
  if (paths.empty()) {
    return;
  }
  if (detached == Detached::no) {
    remove_all(paths);
    finish();
  } else {
    const auto aside = set_aside(paths);
    in_the_background([&] {
      remove_all(aside);
      finish();
    });
  }
}

} // namespace

backend::Launched
start_sandbox(const Context& context, const backend::Backend& backend, SandboxRequest request) {
  auto& spec = request.spec;
  spec.hostname = hostname_of(spec.hostname);
  spec.layers_dir = context.base.layers();
  spec.root.layers = context.layers.trees(request.layers);
  for (const auto& directory : request.host_directories) {
    spec.root.host_dirs.push_back(directory.at);
  }
  const auto capabilities = backend.capabilities(); // which looks for programs
  if (capabilities.virtual_machine) {
    spec.machine = describe_machine(context, request);
  }
  std::string without_quota;
  if (capabilities.own_root && capabilities.upper_on_host) {
    spec.disk_project = hold_to_quota(context, spec, without_quota);
  }
  spec.agent_path = context.settings.agent_path;
  spec.gateway_path = context.settings.gateway_path;
  spec.cgroup_name = spec.workspace_id + "-" + os::random_hex(4);
  os::make_directories(spec.runtime_dir);
  ::unlink((spec.runtime_dir + "/exit.json").c_str());
  std::string clone_mode;
  if (!capabilities.own_root) {
    clone_mode =
        place_workspace(store::Stack::of(spec.root.layers, request.host_directories), spec.generation_dir);
  }
  std::optional<os::ExclusiveLock> disk;
  if (!capabilities.upper_on_host && !request.disk_is_locked) {
    disk.emplace(note_upper_elsewhere(spec.generation_dir));
  }
  try {
    os::crash_point("sandbox.starting");
    auto launched = backend.start(spec);
    os::crash_point("sandbox.started");
    if (!without_quota.empty()) {
      launched.notes.push_back(without_quota);
    }
    if (!clone_mode.empty()) {
      launched.notes.push_back(fmt::format("clone_mode {}: how /workspace was copied", clone_mode));
    }
    return launched;
  } catch (const Error& error) {
    require_usable(context, backend); // else it is the machine that lacks something: that is what to tell
    throw;
  }
}

void require_usable(const Context& context, const backend::Backend& backend) {
  for (const auto& check : backend.probe()) {
    if (check.level == "error") {
      throw Error(
          ErrorCode::unavailable, "guest boot is unavailable: backend '{}': {}", backend.name(), check.text)
          .with_hint(check.hint.empty() ? "`pyro doctor` tells what this machine lacks" : check.hint);
    }
  }
  if (backend.capabilities().virtual_machine) {
    std::ignore = context.guest_kernels.require();
  }
}

std::unique_ptr<backend::ControlClient>
connect_sandbox(const std::string& runtime_dir, const std::string& operation) {
  auto client = backend::ControlClient::connect(runtime_dir + "/control.sock");
  if (!client) {
    throw Error(ErrorCode::bad_state, "the workspace must be in 'started' state before {}", operation)
        .with_hint("`pyro apply` or `pyro start` starts it");
  }
  return client;
}

void kill_sandbox(const std::string& runtime_dir, Teardown teardown) {
  auto objects = read_kernel_objects(runtime_dir + "/kernel_objects.json");
  Json first_process;
  if (objects.contains("supervisor_pid")) {
    const auto pid = static_cast<pid_t>(get_int(objects, "supervisor_pid"));
    if (is_supervisor_of(pid, runtime_dir)) {
      first_process = first_process_of(objects); // while its parent lives the pid is its
      kill_pid(pid);
    }
  }
  os::crash_point("sandbox.killed");
  ::unlink((runtime_dir + "/control.sock").c_str());
  if (teardown == Teardown::awaited) {
    remove_ended(runtime_dir);
    await_end_of(first_process);
    os::remove_cgroups(cgroups_of(objects));
    ::unlink((runtime_dir + "/kernel_objects.json").c_str());
    return;
  }
  os::kill_cgroups(cgroups_of(objects));
  if (objects.empty()) {
    return;
  }
  objects["first_process"] = first_process;
  const auto ended = fmt::format("{}/{}{}.json", runtime_dir, k_ended, os::random_hex(4));
  os::write_json_atomically(ended, objects, os::Durable::no);
  ::unlink((runtime_dir + "/kernel_objects.json").c_str());
}

std::string end_reason(const std::string& runtime_dir) {
  try {
    const auto text = os::maybe_read_file(runtime_dir + "/exit.json", 1 << 16);
    return text ? get_string(parse_json(*text, "exit.json"), "reason") : "";
  } catch (const Error&) {
    return ""; // half written on a full disk: the reason is not known
  }
}

void remove_trees(const std::vector<std::string>& paths, Detached detached) {
  remove_and(paths, detached, [] {});
}

void remove_generations(const Context& context, const std::vector<std::string>& paths, Detached detached) {
  remove_and(paths, detached, [&] { release_quotas(context.base); });
}

void finish_ended(const std::string& runtime_dir) {
  remove_ended(runtime_dir);
}

void clean_up_later(
    const Context& context, const std::string& runtime_dir, const std::vector<std::string>& trees) {
  const auto aside = set_aside(trees);
  in_the_background([&] {
    remove_ended(runtime_dir);
    remove_all(aside);
    release_quotas(context.base);
  });
}

} // namespace pyro::workspace

#include "launcher.hpp"

#include "keeper.hpp"
#include "vsock_channel.hpp"

#include <pyro/backend/shared/stopwatch.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/directory.hpp>

#include <unistd.h>

namespace pyro::backend::firecracker {

namespace {

constexpr std::chrono::milliseconds k_listen_limit{10'000};
constexpr std::uint64_t k_max_open_files = 256;
constexpr const char* k_vsock_in_jail = "/run/vsock";
// Relative: the names of sockets may be 107 bytes long, and a user's directories longer.
constexpr const char* k_api_socket = "firecracker.socket";
constexpr const char* k_vsock = "firecracker.vsock";

/// A user of its own for each machine, far from those of people and of containers.
std::uint32_t user_of(const std::string& name) {
  constexpr std::uint32_t k_first = 1'900'000'000;
  const auto digest = Sha256{}.field("pyro firecracker user").field(name).finish();
  return k_first + static_cast<std::uint32_t>(std::stoul(digest.substr(0, 6), nullptr, 16));
}

JailerOptions jailer_options(const MachineLaunch& request) {
  JailerOptions options;
  options.jailer = request.jailer;
  options.exec_file = request.firecracker;
  options.id = jail_id_of(request.name);
  options.uid = user_of(request.name);
  options.gid = options.uid;
  options.chroot_base_dir = request.directory + "/jail";
  options.max_open_files = k_max_open_files;
  return options;
}

void show_files(Jail& jail, MachineDescription& machine) {
  machine.kernel_path = jail.show(machine.kernel_path, "kernel", DriveAccess::read_only);
  if (machine.initrd_path) {
    machine.initrd_path = jail.show(*machine.initrd_path, "initrd", DriveAccess::read_only);
  }
  for (auto& drive : machine.drives) {
    drive.path = jail.show(drive.path, "drive-" + drive.id, drive.access);
  }
}

/// Where things are after Firecracker was started, seen from here.
struct Sockets {
  std::string api;
  std::string vsock;
};

Sockets start_jailed(const MachineLaunch& request, Machine& started, MachineDescription& machine) {
  const auto options = jailer_options(request);
  os::make_directories(options.chroot_base_dir);
  started.jail = std::make_unique<Jail>(options);
  show_files(*started.jail, machine);
  machine.vsock = Vsock{3, k_vsock_in_jail};
  if (request.network) {
    auto network = *request.network;
    network.uid = options.uid;
    network.gid = options.gid;
    const TapManager taps(network);
    taps.remove_abandoned();
    started.tap.emplace(taps.make());
    machine.network = NetworkInterface{"eth0", started.tap->plan().tap, started.tap->plan().guest_mac};
  }
  started.process =
      start_kept(jailer_arguments(options), request.network ? HostNetwork::kept : HostNetwork::taken_away);
  return {path_on_host(options, k_api_socket_in_jail), path_on_host(options, k_vsock_in_jail)};
}

Sockets start_beside_us(const MachineLaunch& request, Machine& started, MachineDescription& machine) {
  if (request.network) {
    throw Error(ErrorCode::unavailable, "only root can give a Firecracker guest a network");
  }
  started.notes.push_back("Firecracker runs without its jailer, which needs root");
  machine.vsock = Vsock{3, k_vsock};
  Sockets sockets{request.directory + "/" + k_api_socket, request.directory + "/" + k_vsock};
  started.sockets = std::make_unique<SocketFiles>(std::vector{sockets.api, sockets.vsock});
  started.sockets->remove(); // of one that was killed
  started.process = start_tied(
      {request.firecracker, "--api-sock", k_api_socket, "--id", jail_id_of(request.name)}, request.directory);
  return sockets;
}

} // namespace

std::string boot_arguments() {
  return fmt::format(
      "console=ttyS0 quiet reboot=k panic=-1 i8042.noaux i8042.nomux i8042.dumbkbd pyro.vsock_port={}",
      k_agent_port);
}

SocketFiles::~SocketFiles() {
  remove();
}

void SocketFiles::remove() const {
  for (const auto& path : m_paths) {
    ::unlink(path.c_str());
  }
}

Machine launch(const MachineLaunch& request) {
  auto machine = request.machine;
  validate(machine);
  Machine started;
  Stopwatch watch(started.timings);
  started.cgroup = std::make_unique<os::Cgroup>(request.name, request.limits);
  const auto sockets =
      ::geteuid() == 0 ? start_jailed(request, started, machine) : start_beside_us(request, started, machine);
  started.cgroup->add(started.process.pid(), false);
  watch.lap("started");
  const auto still_there = [&] {
    if (const auto outcome = started.process.try_wait()) {
      throw Error(ErrorCode::failed, "Firecracker ended before its guest was up: {}", to_string(*outcome))
          .with_hint("`pyro doctor` tells what Firecracker needs here");
    }
  };
  started.api = std::make_unique<ApiClient>(sockets.api);
  started.api->await(k_listen_limit, still_there);
  watch.lap("listening");
  started.api->send_all(boot_requests(machine));
  watch.lap("booting");
  started.channel = connect_vsock(sockets.vsock, k_agent_port, request.boot_limit, still_there);
  watch.lap("connected");
  const auto& notes = started.cgroup->notes();
  started.notes.insert(started.notes.end(), notes.begin(), notes.end());
  return started;
}

} // namespace pyro::backend::firecracker

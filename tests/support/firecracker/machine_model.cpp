#include "machine_model.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>

#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

namespace pyro::testing::firecracker {

namespace {

constexpr const char* k_version = "1.17.0-dev";

/// What Firecracker answers with status 400.
struct Fault {
  std::string message;
};

HttpAnswer refuse(const std::string& message) {
  return {400, {{"fault_message", message}}};
}

void require_file(const std::string& path, int flags, const std::string& what) {
  const os::Fd file(::open(path.c_str(), flags | O_CLOEXEC));

  struct stat status {};

  if (!file || ::fstat(file.get(), &status) < 0) {
    throw Fault{what + ": cannot open " + path + ": " + std::strerror(errno)};
  }
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    throw Fault{what + ": " + path + " is no file"};
  }
}

void require_same_id(const Operation& operation, const Json& body, const char* key) {
  if (operation.path_values.at(key) != body.at(key)) {
    throw Fault{std::string("The ") + key + " of the path is not that of the body."};
  }
}

/// Replaces the element with the same id, or appends.
void put_into(Json& list, const Json& element, const char* key) {
  for (auto& each : list) {
    if (each.at(key) == element.at(key)) {
      each = element;
      return;
    }
  }
  list.push_back(element);
}

} // namespace

MachineModel::MachineModel(std::string id) : m_id(std::move(id)) {
  m_config["machine-config"] = {{"vcpu_count", 1}, {"mem_size_mib", 128}};
}

HttpAnswer MachineModel::handle(const std::string& method, const std::string& path, const std::string& text) {
  const auto& description = ApiDescription::official();
  const auto operation = description.find(method, path);
  if (!operation || operation->id.empty()) {
    return refuse("Invalid request method and/or path: " + method + " " + path);
  }
  Json body;
  if (!text.empty()) {
    body = Json::parse(text, nullptr, false);
    if (body.is_discarded()) {
      return refuse("An error occurred when deserializing the json body of a request.");
    }
    if (operation->body_schema.is_null()) {
      return refuse(method + " request cannot have a body.");
    }
    if (const auto wrong = description.violations(operation->body_schema, body); !wrong.empty()) {
      return refuse("An error occurred when deserializing the json body of a request: " + wrong.front());
    }
  } else if (operation->body_required) {
    return refuse("Empty " + method + " request.");
  }
  const auto phase = phase_of(operation->id);
  if (!phase) {
    return {500, {{"fault_message", "no rule for " + operation->id}}};
  }
  if (*phase == Phase::before_start && m_state != State::not_started) {
    return refuse("The requested operation is not supported after starting the microVM.");
  }
  if (*phase == Phase::after_start && m_state == State::not_started) {
    return refuse("The requested operation is not supported before starting the microVM.");
  }
  try {
    auto answer = perform(*operation, body);
    return {answer.is_null() ? 204 : 200, std::move(answer)};
  } catch (const Fault& fault) {
    return refuse(fault.message);
  } catch (const Error& error) {
    return refuse(error.what());
  }
}

Json MachineModel::perform(const Operation& operation, const Json& body) {
  const auto& id = operation.id;
  if (id == "describeInstance") {
    return {{"app_name", "Firecracker"}, {"id", m_id}, {"state", state_name()}, {"vmm_version", k_version}};
  }
  if (id == "getFirecrackerVersion") {
    return {{"firecracker_version", k_version}};
  }
  if (id == "getMachineConfiguration") {
    return m_config.at("machine-config");
  }
  if (id == "getExportVmConfig") {
    return m_config;
  }
  if (id == "putMachineConfiguration") {
    const int cpus = body.at("vcpu_count");
    if (body.value("smt", false) && cpus > 1 && cpus % 2 != 0) {
      throw Fault{
          "The vCPU number is invalid! The vCPU number can only be 1 or an even number when SMT is on."};
    }
    const std::int64_t memory = body.at("mem_size_mib");
    if (memory < 1 || (body.value("huge_pages", "") == "2M" && memory % 2 != 0)) {
      throw Fault{"The memory size (MiB) is invalid."};
    }
    m_config["machine-config"] = body;
  } else if (id == "putGuestBootSource") {
    require_file(body.at("kernel_image_path"), O_RDONLY, "The kernel file cannot be opened");
    if (body.contains("initrd_path")) {
      require_file(body.at("initrd_path"), O_RDONLY, "The initrd file cannot be opened");
    }
    m_config["boot-source"] = body;
  } else if (id == "putGuestDriveByID") {
    configure_drive(operation, body);
  } else if (id == "putGuestNetworkInterfaceByID") {
    configure_network(operation, body);
  } else if (id == "putGuestVsock") {
    m_config["vsock"] = body;
  } else if (id == "putEntropyDevice") {
    m_config["entropy"] = body;
  } else if (id == "createSyncAction") {
    act(body.at("action_type"));
    return nullptr;
  } else if (id == "patchVm") {
    change_state(body.at("state"));
    return nullptr;
  } else if (id == "createSnapshot") {
    save(body);
    return nullptr;
  } else if (id == "loadSnapshot") {
    load(body);
    return nullptr;
  } else {
    throw Fault{"the fake Firecracker knows what " + id + " looks like, but does not do it"};
  }
  m_configured = true;
  return nullptr;
}

void MachineModel::configure_drive(const Operation& operation, const Json& body) {
  require_same_id(operation, body, "drive_id");
  if (!body.contains("path_on_host") || !body.contains("is_read_only") || body.contains("socket")) {
    throw Fault{"Unable to create the virtio block device: path_on_host and is_read_only belong together"};
  }
  auto& drives = m_config["drives"];
  for (const auto& other : drives.is_null() ? Json::array() : drives) {
    if (body.at("is_root_device") == true && other.at("is_root_device") == true
        && other.at("drive_id") != body.at("drive_id")) {
      throw Fault{"A root block device already exists!"};
    }
  }
  require_file(
      body.at("path_on_host"), body.at("is_read_only") == true ? O_RDONLY : O_RDWR,
      "Unable to create the block device");
  put_into(drives, body, "drive_id");
}

void MachineModel::configure_network(const Operation& operation, const Json& body) {
  require_same_id(operation, body, "iface_id");
  open_tap(body.at("host_dev_name"), body.at("iface_id"));
  put_into(m_config["network-interfaces"], body, "iface_id");
}

void MachineModel::open_tap(const std::string& name, const std::string& interface_id) {
  m_taps.erase(interface_id);
  os::Fd tap(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  std::strncpy(request.ifr_name, name.c_str(), sizeof(request.ifr_name) - 1);
  if (!tap || name.size() >= sizeof(request.ifr_name) || ::ioctl(tap.get(), TUNSETIFF, &request) < 0) {
    throw Fault{
        "Cannot create the network device: Open tap device failed: " + name + ": " + std::strerror(errno)};
  }
  m_taps[interface_id] = std::move(tap);
}

void MachineModel::act(const std::string& type) {
  if (type == "InstanceStart") {
    if (m_state != State::not_started) {
      throw Fault{"The requested operation is not supported after starting the microVM."};
    }
    return start();
  }
  if (m_state == State::not_started) {
    throw Fault{"The requested operation is not supported before starting the microVM."};
  }
  m_over = type == "SendCtrlAltDel"; // taken as if a guest with a keyboard had shut down
}

void MachineModel::start() {
  if (!m_config.contains("boot-source")) {
    throw Fault{"Cannot start microvm without kernel configuration."};
  }
  const auto& source = m_config.at("boot-source");
  m_guest.boot(
      source.value("initrd_path", ""), source.value("boot_args", ""),
      m_config.contains("vsock") ? m_config["vsock"].at("uds_path").get<std::string>() : "");
  m_state = State::running;
}

void MachineModel::change_state(const std::string& wanted) {
  if (wanted == "Paused") {
    m_guest.stop();
    m_state = State::paused;
  } else {
    m_guest.go_on();
    m_state = State::running;
  }
}

void MachineModel::save(const Json& files) {
  if (m_state != State::paused) {
    throw Fault{"Create snapshot error: save/restore unavailable while running"};
  }
  const Json state{{"version", k_version}, {"config", m_config}};
  os::write_file_atomically(files.at("snapshot_path"), state.dump());
  const auto memory = os::open_file(files.at("mem_file_path"), O_WRONLY | O_CREAT | O_TRUNC);
  const off_t bytes = m_config["machine-config"].at("mem_size_mib").get<off_t>() << 20;
  if (::ftruncate(memory.get(), bytes) < 0) {
    throw Fault{"Create snapshot error: cannot write the memory file"};
  }
}

void MachineModel::load(const Json& request) {
  if (m_configured) {
    throw Fault{"Load snapshot error: Loading a microVM snapshot not allowed after configuring boot-specific "
                "resources."};
  }
  if (request.contains("mem_backend") == request.contains("mem_file_path")) {
    throw Fault{"too few or too many arguments: either `mem_backend` or `mem_file_path` must be present"};
  }
  m_over = true; // until it is loaded: Firecracker ends when that fails
  const std::string memory =
      request.contains("mem_file_path") ? request["mem_file_path"] : request["mem_backend"]["backend_path"];
  if (request.contains("mem_backend") && request["mem_backend"]["backend_type"] != "File") {
    throw Fault{"the fake Firecracker has no page fault handler"};
  }
  const auto state = Json::parse(os::read_file(request.at("snapshot_path")), nullptr, false);
  if (!state.is_object() || state.value("version", "") != k_version) {
    throw Fault{
        "Load snapshot error: Failed to restore from snapshot: Failed to load snapshot state from file"};
  }
  auto config = state.at("config");
  require_file(memory, O_RDONLY, "Load snapshot error");

  struct stat status {};

  if (::stat(memory.c_str(), &status) < 0
      || status.st_size != config["machine-config"].at("mem_size_mib").get<off_t>() << 20) {
    throw Fault{"Load snapshot error: the memory file has not the size of the memory"};
  }
  for (const auto& drive : config.value("drives", Json::array())) {
    require_file(
        drive.at("path_on_host"), drive.at("is_read_only") == true ? O_RDONLY : O_RDWR,
        "Load snapshot error");
  }
  for (const auto& change : request.value("network_overrides", Json::array())) {
    bool found = false;
    for (auto& network : config["network-interfaces"]) {
      if (network.at("iface_id") == change.at("iface_id")) {
        network["host_dev_name"] = change.at("host_dev_name");
        found = true;
      }
    }
    if (!found) {
      throw Fault{"Load snapshot error: Unknown Network Device"};
    }
  }
  for (const auto& network : config.value("network-interfaces", Json::array())) {
    open_tap(network.at("host_dev_name"), network.at("iface_id"));
  }
  if (request.contains("vsock_override")) {
    if (!config.contains("vsock")) {
      throw Fault{"Load snapshot error: Unknown Vsock Device"};
    }
    config["vsock"]["uds_path"] = request["vsock_override"]["uds_path"];
  }
  m_config = config;
  start();
  m_over = false;
  if (!request.value("resume_vm", false)) {
    m_state = State::paused;
  }
}

const char* MachineModel::state_name() const {
  switch (m_state) {
  case State::not_started:
    return "Not started";
  case State::running:
    return "Running";
  default:
    return "Paused";
  }
}

} // namespace pyro::testing::firecracker

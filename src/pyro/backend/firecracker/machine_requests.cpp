#include "machine_requests.hpp"

namespace pyro::backend::firecracker {

namespace {

ApiRequest action(const char* type) {
  return {"PUT", "/actions", {{"action_type", type}}};
}

ApiRequest machine_config(const MachineDescription& machine) {
  return {
      "PUT",
      "/machine-config",
      {{"vcpu_count", machine.vcpus}, {"mem_size_mib", machine.memory_mib}, {"smt", false}}};
}

ApiRequest boot_source(const MachineDescription& machine) {
  Json body{{"kernel_image_path", machine.kernel_path}};
  if (machine.initrd_path) {
    body["initrd_path"] = *machine.initrd_path;
  }
  if (!machine.boot_args.empty()) {
    body["boot_args"] = machine.boot_args;
  }
  return {"PUT", "/boot-source", body};
}

// None is the root device: the initrd builds the root, and Firecracker would add `root=` to the command line.
ApiRequest drive(const Drive& drive) {
  return {
      "PUT",
      "/drives/" + drive.id,
      {{"drive_id", drive.id},
       {"path_on_host", drive.path},
       {"is_root_device", false},
       {"is_read_only", drive.access == DriveAccess::read_only},
       // A guest's sync reaches the disk only with write-back.
       {"cache_type", drive.access == DriveAccess::read_only ? "Unsafe" : "Writeback"}}};
}

ApiRequest network_interface(const NetworkInterface& network) {
  return {
      "PUT",
      "/network-interfaces/" + network.id,
      {{"iface_id", network.id}, {"host_dev_name", network.tap}, {"guest_mac", network.guest_mac}}};
}

} // namespace

std::vector<ApiRequest> boot_requests(const MachineDescription& machine) {
  validate(machine);
  std::vector<ApiRequest> requests{machine_config(machine), boot_source(machine)};
  for (const auto& each : machine.drives) {
    requests.push_back(drive(each));
  }
  if (machine.network) {
    requests.push_back(network_interface(*machine.network));
  }
  if (machine.vsock) {
    requests.push_back(
        {"PUT",
         "/vsock",
         {{"guest_cid", machine.vsock->guest_cid}, {"uds_path", machine.vsock->socket_path}}});
  }
  requests.push_back({"PUT", "/entropy", Json::object()});
  requests.push_back(action("InstanceStart"));
  return requests;
}

std::vector<ApiRequest> save_requests(const SnapshotFiles& files, AfterSave after) {
  std::vector<ApiRequest> requests{
      pause_request(),
      {"PUT",
       "/snapshot/create",
       {{"snapshot_type", "Full"},
        {"snapshot_path", files.state_path},
        {"mem_file_path", files.memory_path}}}};
  if (after == AfterSave::resume) {
    requests.push_back(resume_request());
  }
  return requests;
}

std::vector<ApiRequest> restore_requests(const SnapshotFiles& files, const RestoreChanges& changes) {
  Json body{
      {"snapshot_path", files.state_path},
      {"mem_backend", {{"backend_type", "File"}, {"backend_path", files.memory_path}}},
      {"resume_vm", true}};
  if (changes.network) {
    body["network_overrides"] =
        Json::array({{{"iface_id", changes.network->id}, {"host_dev_name", changes.network->tap}}});
  }
  if (changes.vsock_socket_path) {
    body["vsock_override"] = {{"uds_path", *changes.vsock_socket_path}};
  }
  return {{"PUT", "/snapshot/load", body}};
}

ApiRequest pause_request() {
  return {"PATCH", "/vm", {{"state", "Paused"}}};
}

ApiRequest resume_request() {
  return {"PATCH", "/vm", {{"state", "Resumed"}}};
}

ApiRequest ctrl_alt_del_request() {
  return action("SendCtrlAltDel");
}

} // namespace pyro::backend::firecracker

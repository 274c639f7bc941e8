// The calls that are made of a description, word for word, and what is never sent.
#include "../../support/files.hpp"

#include <pyro/backend/firecracker/machine_requests.hpp>
#include <pyro/base/error.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace pyro::backend::firecracker {
namespace {

std::string text_of(const std::vector<ApiRequest>& requests) {
  std::string text;
  for (const auto& request : requests) {
    text += to_string(request) + "\n" + dump_json(request.body);
  }
  return text;
}

/// With PYRO_WRITE_GOLDEN=1 the file is written anew, to be read by a person.
void expect_golden(const std::string& name, const std::vector<ApiRequest>& requests) {
  const auto path = pyro::testing::source_dir().string() + "/tests/unit/backend_firecracker/golden/" + name;
  if (std::getenv("PYRO_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << text_of(requests);
  }
  std::ostringstream wanted;
  wanted << std::ifstream(path).rdbuf();
  EXPECT_EQ(text_of(requests), wanted.str()) << path;
}

MachineDescription smallest() {
  MachineDescription machine;
  machine.kernel_path = "/kernel";
  return machine;
}

MachineDescription whole() {
  auto machine = smallest();
  machine.vcpus = 4;
  machine.memory_mib = 2048;
  machine.initrd_path = "/initrd";
  machine.boot_args = "reboot=k panic=-1";
  machine.drives = {
      {"layer0", "/layer0.erofs", DriveAccess::read_only},
      {"layer1", "/layer1.erofs", DriveAccess::read_only},
      {"scratch", "/scratch.img", DriveAccess::read_write}};
  machine.vsock = Vsock{3, "/run/v.sock"};
  machine.network = NetworkInterface{"eth0", "pyro7", "06:00:ac:1d:00:1e"};
  return machine;
}

std::string refusal(const MachineDescription& machine) {
  try {
    boot_requests(machine);
    return "none";
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(Requests, BootOfTheSmallestMachine) {
  expect_golden("boot-smallest.txt", boot_requests(smallest()));
}

TEST(Requests, BootOfAWholeMachine) {
  expect_golden("boot-whole.txt", boot_requests(whole()));
}

TEST(Requests, SaveKeepsPausedOrGoesOn) {
  const SnapshotFiles files{"/state", "/memory"};
  expect_golden("save-and-resume.txt", save_requests(files, AfterSave::resume));
  EXPECT_EQ(save_requests(files, AfterSave::stay_paused).size(), 2u);
}

TEST(Requests, RestoreNamesTheNewDevices) {
  const SnapshotFiles files{"/state", "/memory"};
  expect_golden("restore-same.txt", restore_requests(files, {}));
  RestoreChanges changes;
  changes.network = NetworkInterface{"eth0", "pyro8", "06:00:ac:1d:00:22"};
  changes.vsock_socket_path = "/run/other.sock";
  expect_golden("restore-changed.txt", restore_requests(files, changes));
}

TEST(Requests, WhatFirecrackerWouldRefuseIsNotSent) {
  auto machine = whole();
  machine.vcpus = 33;
  EXPECT_EQ(refusal(machine), "Firecracker gives 1 to 32 cpus, not 33");
  machine = whole();
  machine.drives[1].id = "layer0";
  EXPECT_EQ(refusal(machine), "two drives have the id 'layer0'");
  machine = whole();
  machine.drives[1].id = "../actions";
  EXPECT_EQ(refusal(machine), "a drive's id may have letters, digits and _, found '../actions'");
  machine = whole();
  machine.vsock->guest_cid = 2;
  EXPECT_NE(refusal(machine), "none");
  machine = whole();
  machine.network->guest_mac = "06:00:ac:1d:00";
  EXPECT_EQ(refusal(machine), "'06:00:ac:1d:00' is no MAC address");
  machine = whole();
  machine.network->tap = "a-name-that-is-too-long";
  EXPECT_NE(refusal(machine), "none");
  machine = whole();
  machine.boot_args = "quiet\ninit=/bin/sh";
  EXPECT_NE(refusal(machine), "none");
  machine = whole();
  machine.kernel_path.clear();
  EXPECT_EQ(refusal(machine), "the kernel must be a path, found ''");
  machine = whole();
  machine.memory_mib = 0;
  EXPECT_NE(refusal(machine), "none");
}

TEST(Requests, TooManyDevicesAreToldWithTheirNumber) {
  auto machine = smallest();
  for (int index = 0; index < 16; ++index) {
    machine.drives.push_back({fmt::format("d{}", index), "/d", DriveAccess::read_only});
  }
  EXPECT_EQ(refusal(machine), "Firecracker takes 16 devices, this machine would have 17 (16 drives)");
  machine.drives.pop_back();
  EXPECT_EQ(refusal(machine), "none");
}

} // namespace
} // namespace pyro::backend::firecracker

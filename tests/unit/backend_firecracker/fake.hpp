// A fake Firecracker process and files for it, in a directory that goes with the test.
#pragma once

#include "../../support/files.hpp"

#include <pyro/backend/firecracker/api_client.hpp>
#include <pyro/backend/firecracker/machine_requests.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace pyro::backend::firecracker {

inline std::string fake_program() {
  return pyro::testing::binary_dir().string() + "/bin/fake-firecracker";
}

inline std::string agent_program() {
  return pyro::testing::binary_dir().string() + "/bin/pyro-agent";
}

class WithFake : public ::testing::Test {
protected:
  void SetUp() override {
    file("kernel", "kernel");
    std::filesystem::copy_file(agent_program(), path("initrd"));
    file("root.erofs", "layer");
    file("scratch", "disk");
    start_fake("api.sock");
  }

  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }

  void file(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

  /// Another process; the one before goes on.
  ApiClient start_fake(const std::string& socket_name) {
    os::Command command{{fake_program(), "--api-sock", path(socket_name), "--id", "test-1"}};
    command.die_with_parent = true;
    m_processes.push_back(os::spawn(command));
    ApiClient client(path(socket_name));
    client.await(std::chrono::seconds(20));
    return client;
  }

  os::Child& process(std::size_t index = 0) { return m_processes.at(index); }

  ApiClient client() const { return ApiClient(path("api.sock")); }

  MachineDescription machine() const {
    MachineDescription machine;
    machine.vcpus = 2;
    machine.memory_mib = 64;
    machine.kernel_path = path("kernel");
    machine.initrd_path = path("initrd");
    machine.boot_args = "reboot=k panic=-1 pyro.vsock_port=1024";
    machine.drives = {
        {"layer0", path("root.erofs"), DriveAccess::read_only},
        {"scratch", path("scratch"), DriveAccess::read_write}};
    machine.vsock = Vsock{3, path("v.sock")};
    return machine;
  }

  /// Firecracker's own words.
  std::string refusal(const ApiRequest& request) const {
    try {
      client().send(request);
      return "it was accepted";
    } catch (const Error& error) {
      return error.message();
    }
  }

private:
  os::TempDir m_directory{"/dev/shm", "pyro-firecracker"};
  std::vector<os::Child> m_processes;
};

} // namespace pyro::backend::firecracker

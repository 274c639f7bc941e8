// A project whose workspace is a virtual machine on a small environment.
#pragma once

#include "../support/busybox.hpp"
#include "../support/guest_directory.hpp"
#include "../support/home.hpp"

#include <cstdlib>

namespace pyro::testing {

class Machines : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    ::setenv("PYRO_ENVIRONMENT_CACHE_DIR", (guest_directory() / "cache").c_str(), 1);
    // Saved guests of its own, where a test damages or counts them.
    ::setenv("PYRO_TRUST", "1", 1); // projects here stand on an environment outside of them
    ::setenv("PYRO_TEMPLATES", (guest_directory() / "templates").c_str(), 1);
    make_busybox_root(root() / "busybox");
    write_file(root() / "busybox/etc/machine-id", "");
    machine(project(), "one");
  }

  void machine(const fs::path& directory, const std::string& name) {
    write_file(
        directory / "pyro.yaml", "version: 1\nname: " + name + "\nisolation: vm\nenvironment: {image: \"dir:"
                                     + (root() / "busybox").string()
                                     + "\", resources: {memory: 256MiB, disk: 1GiB}}\nseed: {from: .}\n"
                                       "services:\n"
                                       "  keeper:\n"
                                       "    command: \"echo up > /tmp/up; exec sleep 1000\"\n"
                                       "    readiness: {file: /tmp/up}\n");
    write_file(directory / "a.txt", "one\n");
  }

  std::vector<pid_t> machines_running() {
    std::vector<pid_t> found;
    for (const auto& id : workspace_ids()) {
      const auto status = json({"status"});
      if (status.contains("sandbox_pid") && status["sandbox_pid"].is_number()) {
        found.push_back(status["sandbox_pid"].get<pid_t>());
      }
      static_cast<void>(id);
    }
    return found;
  }
};

} // namespace pyro::testing

// fake-guest: the first process of a guest without a kernel. Says what our agent says before its session
// (protocol/ guest_boot.hpp), checks what it is told, then is the agent. For fake-firecracker as initrd.
#include <pyro/agent/agent.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/json_lines.hpp>
#include <pyro/protocol/guest_boot.hpp>

#include <cstdio>
#include <unistd.h>

using namespace pyro;

namespace {

bool follow(const Json& request) {
  if (get_string(request, "do") == "mount") {
    std::ignore = protocol::guest_mount_from_json(request);
    return false;
  }
  std::ignore = protocol::guest_enter_from_json(request);
  return true;
}

} // namespace

int main() {
  constexpr int k_channel = 3;
  try {
    os::JsonLines lines(k_channel, "the host");
    lines.send({{"guest", "pyro"}, {"version", protocol::k_guest_boot_version}});
    for (bool entered = false; !entered;) {
      try {
        entered = follow(lines.receive(std::chrono::seconds(20)));
        lines.send({{"ok", true}});
      } catch (const Error& error) {
        lines.send({{"error", to_json(error)}});
        return 1;
      }
    }
    agent::AgentOptions options;
    options.channel = os::duplicate(k_channel, 4);
    ::close(k_channel);
    options.secrets_dir = "/run/secrets";
    auto* agent = new agent::Agent(std::move(options)); // never destroyed, see run()
    ::_exit(agent->run());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake-guest: %s\n", error.what());
    return 1;
  }
}

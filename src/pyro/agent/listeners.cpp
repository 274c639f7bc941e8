#include "listeners.hpp"

#include <pyro/os/tcp_listeners.hpp>

#include <algorithm>
#include <unistd.h>

namespace pyro::agent {

namespace {

/// Otherwise it may be anybody's in the network who listens there.
bool is_of_this_sandbox(os::SocketAddress address) {
  address.set_port(0);
  const os::Fd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return socket && ::bind(socket.get(), address.get(), address.size) == 0;
}

} // namespace

Listener find_listener(const Runtime& runtime, const std::string& service, const os::SocketAddress& address) {
  const auto sockets = os::listening_sockets(address.storage);
  if (sockets.empty() || !is_of_this_sandbox(address)) {
    return {};
  }
  const auto all = list_processes();
  std::vector<ProcessStat> holders;
  for (const auto& process : all) {
    if (process.pid != ::getpid() && os::holds_socket(process.pid, sockets)) {
      holders.push_back(process);
    }
  }
  const auto own = runtime.services.find(service);
  const auto belongs_to = [&](const Lineage& lineage) {
    return std::any_of(
        holders.begin(), holders.end(), [&](const auto& holder) { return is_of(lineage, holder, all); });
  };
  if (holders.empty() || own == runtime.services.end() || belongs_to(own->second)) {
    return {Listening::as_wanted, {}};
  }
  for (const auto& [name, lineage] : runtime.services) {
    if (name != service && belongs_to(lineage)) {
      return {Listening::foreign, "the service " + name};
    }
  }
  const auto leader =
      std::find_if(all.begin(), all.end(), [&](auto& one) { return one.pid == own->second.leader; });
  const auto is_older = [&](const ProcessStat& holder) {
    return leader != all.end() && holder.started < leader->started;
  };
  if (std::all_of(holders.begin(), holders.end(), is_older)) {
    return {
        Listening::foreign, os::name_of_process(holders.front().pid) + ", which is older than the service,"};
  }
  return {Listening::as_wanted, {}};
}

} // namespace pyro::agent

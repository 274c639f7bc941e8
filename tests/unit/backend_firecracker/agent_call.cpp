#include "agent_call.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/byte_pump.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/protocol/call.hpp>
#include <pyro/protocol/requests.hpp>

namespace pyro::backend::firecracker {

std::string run_inside(os::Fd channel, const std::vector<std::string>& argv) {
  os::EventLoop loop;
  protocol::Session session{protocol::Role::client};
  std::string out;
  bool over = false;
  os::BytePump pump(
      loop, std::move(channel),
      {[&](std::string_view bytes) { session.feed(bytes); }, [&] { return session.take_output(); },
       [](const Error*) {
       }});
  session.on_output([&] { pump.wake(); });
  protocol::ExecRequest request;
  request.argv = argv;
  protocol::CallEvents events;
  events.on_data = [&](protocol::FrameType, std::string_view bytes) {
    out.append(bytes);
  };
  events.on_result = [&](const Json& result) {
    out += protocol::exec_result_from_json(result).stderr_note;
    over = true;
  };
  events.on_failure = [&](const Error& error) {
    out += error.what();
    over = true;
  };
  const auto call = protocol::open_call(session, "/exec", to_json(request), std::move(events));
  call->end_in();
  const auto end = os::now_monotonic() + std::chrono::milliseconds(10000);
  while (!over && os::now_monotonic() < end) {
    loop.turn(std::chrono::milliseconds(100));
  }
  return out;
}

} // namespace pyro::backend::firecracker

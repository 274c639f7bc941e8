#include "call_input.hpp"

namespace pyro::agent {

protocol::CallEvents
input_events(std::shared_ptr<protocol::Call> call, std::shared_ptr<std::optional<InputSink>> input) {
  protocol::CallEvents events;
  events.on_data = [call = std::move(call), input](protocol::FrameType, std::string_view bytes) {
    if (*input) {
      (*input)->write(bytes);
    } else {
      call->consume(bytes.size());
    }
  };
  events.on_end_in = [input = std::move(input)] {
    if (*input) {
      (*input)->end();
    }
  };
  return events;
}

} // namespace pyro::agent

// What a call receives, for the descriptor that its task made of it.
#pragma once

#include "stream_io.hpp"

#include <pyro/protocol/call.hpp>

#include <memory>
#include <optional>

namespace pyro::agent {

/// on_data and on_end_in of `call`: to `input` while there is one, else thrown away. `input` shares its
/// owner's life.
protocol::CallEvents
input_events(std::shared_ptr<protocol::Call> call, std::shared_ptr<std::optional<InputSink>> input);

} // namespace pyro::agent

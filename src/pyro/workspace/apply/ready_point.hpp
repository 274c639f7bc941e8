// The ready point: content as it is when every service is ready. Made of what nobody has touched: in a
// sandbox of its own where the workspace is not that.
#pragma once

#include "layer_builder.hpp"

#include <pyro/workspace/sandbox/guest_services.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace pyro::workspace {

/// What services are started with.
struct ReadyServices {
  const LoadedProject& project;
  const ResolvedInputs& resolved;
  ProjectSecrets& secrets;
  ServiceDefaults defaults;
  int parallel = 0; // on their way up at once; 0: any number
};

/// Those that go on: of a oneshot nothing is left to stop.
std::vector<std::string> long_services(const spec::Spec& spec);

/// In a throw-away sandbox on `below`; returns the stack.
store::LayerStack make_ready_point(
    Context& context, const ReadyServices& services, LayerBuilder& builder, const store::LayerStack& below);

/// So that it is found by its key.
void remember_ready_point(
    const Context& context, const HexDigest& key, const std::string& workspace,
    const store::LayerStack& stack, std::chrono::milliseconds took);

} // namespace pyro::workspace

#include "ready_point.hpp"

#include "applier.hpp"

namespace pyro::workspace {

std::vector<std::string> long_services(const spec::Spec& spec) {
  std::vector<std::string> names;
  for (const auto& [name, service] : spec.services) {
    if (!service.oneshot) {
      names.push_back(name);
    }
  }
  return names;
}

store::LayerStack make_ready_point(
    Context& context, const ReadyServices& services, LayerBuilder& builder, const store::LayerStack& below) {
  const auto& spec = services.project.spec;
  return builder.build_ready(below, [&](const std::string& runtime) {
    start_services(
        context, services.project, services.resolved, services.secrets, runtime, services.defaults, true, {},
        {}, services.parallel);
    const auto names = long_services(spec);
    if (spec::stops_for_ready_point(spec.snapshots) && !names.empty()) {
      stop_services(*connect_sandbox(runtime, "a snapshot"), spec, names);
    }
  });
}

void remember_ready_point(
    const Context& context, const HexDigest& key, const std::string& workspace,
    const store::LayerStack& stack, std::chrono::milliseconds took) {
  store::RecipeRecord recipe;
  recipe.key = key;
  recipe.layers = stack.layers;
  recipe.host_directories = stack.host_directories;
  recipe.address = "services";
  recipe.workspace = workspace;
  recipe.duration_ms = took.count();
  context.recipes.save(recipe);
}

} // namespace pyro::workspace

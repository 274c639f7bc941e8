// Makes the layers of a recipe chain: each missing link is built on the stack of the one before it and
// remembered under its key. Only a step that ended well gets a key.
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/plan/recipe.hpp>
#include <pyro/seed/copy.hpp>
#include <pyro/store/layer_stack.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project_secrets.hpp>
#include <pyro/workspace/sandbox/build_directory.hpp>
#include <pyro/workspace/sandbox/sandboxes.hpp>

#include <functional>
#include <string>
#include <vector>

namespace pyro::workspace {

struct SeedMemory;

class LayerBuilder {
public:
  /// `directory`: of the workspace; build sandboxes live below it and are gone afterwards.
  LayerBuilder(
      Context& context, const LoadedProject& project, ResolvedInputs& resolved, ProjectSecrets& secrets,
      const backend::Backend& backend, std::string workspace_id, std::string directory);

  /// Builds one link; the one before it must be in the cache. Returns its stack.
  store::LayerStack build(std::size_t index);
  /// The ready point: a sandbox on `below` in which `start_services` (which gets its runtime directory) has
  /// made every service ready, as it is at that moment. Returns its stack; the caller remembers it.
  store::LayerStack
  build_ready(const store::LayerStack& below, const std::function<void(const std::string&)>& start_services);
  /// From the cache; Error(internal) where it is not there.
  store::LayerStack stack_of(std::size_t index) const;
  bool has(std::size_t index) const;

  /// Name or "uid:gid" of the default user: the spec's, else the image's.
  const std::string& default_user();
  /// Whom commands and services are run as where they do not say: the same, but without a root of their own
  /// (backend "host") whoever runs pyro, "".
  std::string run_user();

private:
  store::LayerStack build_environment();
  store::LayerStack
  build_step(const spec::Step& step, const plan::Link& link, const store::LayerStack& below);
  store::LayerStack build_seed(const plan::Link& link, const store::LayerStack& below);
  HexDigest publish_seed(const plan::Link& link, const seed::SeedPlacement& placement);
  std::optional<seed::SeedDelta>
  small_delta(const std::optional<SeedMemory>& last, const SeedMemory& now) const;
  void remember(const plan::Link& link, const store::LayerStack& stack, std::chrono::milliseconds took) const;
  seed::SeedPlacement seed_placement(const store::LayerStack& below);
  store::LayerStack with_inputs(const plan::Link& link, const store::LayerStack& below);
  SandboxRequest request_for(
      const std::string& runtime, const std::string& generation, const store::LayerStack& stack) const;
  HexDigest publish_generation(
      const std::string& generation, const store::LayerStack& stack, std::vector<std::string> drop,
      const store::LayerInfo& info) const;
  std::map<std::string, std::string> step_env(const spec::Step& step) const;
  void keep_failed(
      const spec::Step& step, const std::string& address, const BuildDirectory& directory,
      const SandboxRequest& request);
  void run_step(const spec::Step& step, const std::string& address, const std::string& runtime);
  std::vector<backend::Bind> cache_binds(const spec::Step& step, const std::string& address) const;

  Context& m_context;
  const LoadedProject& m_project;
  ResolvedInputs& m_resolved;
  ProjectSecrets& m_secrets;
  const backend::Backend& m_backend;
  std::string m_workspace_id;
  std::string m_directory;
  std::string m_default_user;
};

} // namespace pyro::workspace

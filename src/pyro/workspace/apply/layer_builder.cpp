#include "layer_builder.hpp"

#include "copied_seed.hpp"
#include "seed_memory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/seed/copy.hpp>
#include <pyro/store/capture.hpp>
#include <pyro/workspace/context/network_policy.hpp>
#include <pyro/workspace/context/owner_ids.hpp>
#include <pyro/workspace/sandbox/refresh_upper.hpp>
#include <pyro/workspace/sandbox/sandboxes.hpp>

namespace pyro::workspace {

namespace {

store::LayerStack with_layer(store::LayerStack stack, HexDigest layer) {
  stack.layers.push_back(std::move(layer));
  return stack;
}

std::string without_leading_slash(const std::string& path) {
  return path.substr(
      path.find_first_not_of('/') == std::string::npos ? path.size() : path.find_first_not_of('/'));
}

} // namespace

LayerBuilder::LayerBuilder(
    Context& context, const LoadedProject& project, ResolvedInputs& resolved, ProjectSecrets& secrets,
    const backend::Backend& backend, std::string workspace_id, std::string directory)
    : m_context(context), m_project(project), m_resolved(resolved), m_secrets(secrets), m_backend(backend),
      m_workspace_id(std::move(workspace_id)), m_directory(std::move(directory)) {
}

bool LayerBuilder::has(std::size_t index) const {
  return m_context.recipes.find(m_resolved.chain.at(index).key, store::Touch::no).has_value();
}

store::LayerStack LayerBuilder::stack_of(std::size_t index) const {
  const auto& link = m_resolved.chain.at(index);
  const auto record = m_context.recipes.find(link.key);
  if (!record) {
    throw Error(ErrorCode::internal, "the layers of {} were expected in the cache", link.address);
  }
  return {record->layers, record->host_directories};
}

const std::string& LayerBuilder::default_user() {
  if (m_default_user.empty()) {
    const auto& spec = m_project.spec;
    m_default_user =
        spec.environment.user.empty()
            ? m_context.environments.resolve(image_of(m_project), m_project.directory, m_project.registries)
                  .default_user
            : spec.environment.user;
  }
  return m_default_user;
}

std::string LayerBuilder::run_user() {
  return m_backend.capabilities().own_root ? default_user() : m_project.spec.environment.user;
}

store::LayerStack LayerBuilder::build(std::size_t index) {
  const auto& link = m_resolved.chain.at(index);
  const auto started = os::now_monotonic();
  store::LayerStack stack;
  if (link.address == "environment") {
    stack = build_environment();
  } else {
    const auto below = has(index - 1) ? stack_of(index - 1) : build(index - 1);
    const auto& spec = m_project.spec;
    const auto step_of = [&](const std::vector<spec::Step>& steps,
                             std::string_view prefix) -> const spec::Step& {
      const auto id = link.address.substr(prefix.size());
      return *std::find_if(steps.begin(), steps.end(), [&](const auto& step) { return step.id == id; });
    };
    if (link.address == "seed") {
      stack = build_seed(link, below);
    } else if (link.address.rfind("environment.setup.", 0) == 0) {
      stack = build_step(step_of(spec.environment.setup, "environment.setup."), link, below);
    } else if (link.address.rfind("prepare.", 0) == 0) {
      stack = build_step(step_of(spec.prepare, "prepare."), link, below);
    } else {
      throw Error(ErrorCode::internal, "{} is no link that can be built", link.address);
    }
  }
  remember(link, stack, os::now_monotonic() - started);
  return stack;
}

void LayerBuilder::remember(
    const plan::Link& link, const store::LayerStack& stack, std::chrono::milliseconds took) const {
  store::RecipeRecord record;
  record.key = link.key;
  record.layers = stack.layers;
  record.host_directories = stack.host_directories;
  record.address = link.address;
  record.workspace = m_project.spec.name;
  record.inputs = plan::to_json(link).value("inputs", Json::array());
  record.duration_ms = took.count();
  m_context.recipes.save(record);
}

store::LayerStack LayerBuilder::build_environment() {
  const auto environment =
      m_context.environments.resolve(image_of(m_project), m_project.directory, m_project.registries);
  require_locked_image(m_context, m_project);
  // What is built on it is kept for everybody under the digest that was resolved.
  if (m_resolved.environment_known && environment.digest != m_resolved.digests.environment) {
    throw Error(
        ErrorCode::stale, "the image {} changed while it was being prepared",
        m_project.spec.environment.image)
        .at(m_project.spec.place("environment.image"))
        .with_hint("run the same command again");
  }
  return {environment.layers, environment.host_directories()};
}

seed::SeedPlacement LayerBuilder::seed_placement(const store::LayerStack& below) {
  const auto& spec = m_project.spec;
  OwnerIds ids;
  try {
    ids = owner_ids(m_context.layers, below, spec.seed.owner.empty() ? default_user() : spec.seed.owner);
  } catch (Error& error) {
    throw error.at(spec.place(spec.seed.owner.empty() ? "environment.user" : "seed.owner"));
  }
  seed::SeedPlacement placement;
  placement.to = without_leading_slash(spec.seed.to);
  placement.uid = ids.uid;
  placement.gid = ids.gid;
  return placement;
}

store::LayerStack LayerBuilder::build_seed(const plan::Link& link, const store::LayerStack& below) {
  const auto placement = seed_placement(below);
  if (!m_resolved.scan) {
    return with_layer(below, publish_seed(link, placement));
  }
  SeedMemory memory;
  memory.below = below.layers;
  memory.placement = fmt::format("{} {} {}", placement.to, *placement.uid, *placement.gid);
  memory.manifest.tree_digest = m_resolved.scan->tree_digest();
  const auto last = recall_seed(m_directory);
  if (const auto delta = small_delta(last, memory)) {
    memory.layers = last->layers;
    if (!delta->empty()) {
      memory.layers.push_back(publish_seed(link, seed::placement_of(*delta, placement)));
    }
  } else {
    memory.layers = {publish_seed(link, placement)};
  }
  remember_seed(m_directory, memory, m_resolved.scan->manifest());
  auto stack = below;
  stack.layers.insert(stack.layers.end(), memory.layers.begin(), memory.layers.end());
  return stack;
}

std::optional<seed::SeedDelta>
LayerBuilder::small_delta(const std::optional<SeedMemory>& last, const SeedMemory& now) const {
  if (!last || last->below != now.below || last->placement != now.placement
      || last->layers.size() >= k_max_seed_layers) {
    return std::nullopt;
  }
  for (const auto& layer : last->layers) {
    if (!m_context.layers.find(layer)) {
      return std::nullopt;
    }
  }
  auto delta = seed::delta_of(last->manifest.entries, m_resolved.scan->entries());
  const auto count = delta.changed.size() + delta.deleted.size();
  constexpr std::size_t k_share = 4; // more than a quarter of the tree: a whole copy reads better afterwards
  if (count > 16 && count > m_resolved.scan->entries().size() / k_share) {
    return std::nullopt;
  }
  return delta;
}

HexDigest LayerBuilder::publish_seed(const plan::Link& link, const seed::SeedPlacement& placement) {
  const auto published = os::IdSpace::current().run([&]() -> Json {
    auto staging = m_context.layers.stage();
    os::make_directories(staging.tree(), 0755);
    store::KnownContent known;
    seed::SeedCopyReport copied;
    if (m_resolved.scan) {
      copied = seed::materialise(*m_resolved.scan, staging.tree(), placement);
      if (!copied.changed.empty()) {
        return to_json(copied);
      }
      const auto by_path = seed::known_content_of(*m_resolved.scan, placement);
      known = [by_path](const os::TreeEntry& entry) {
        return by_path(entry.path);
      };
    } else {
      seed::unpack_archive_seed(*m_resolved.archive, staging.tree(), placement);
    }
    auto answer = to_json(copied);
    answer.update(store::to_json(
        m_context.layers.publish(std::move(staging), {"seed", link.address}, os::Durable::yes, known)));
    return answer;
  });
  check_copied(m_context, m_resolved, published);
  return get_string(published, "digest");
}

store::LayerStack LayerBuilder::with_inputs(const plan::Link& link, const store::LayerStack& below) {
  const auto paths = m_resolved.step_paths.find(link.address);
  if (paths == m_resolved.step_paths.end()) {
    return below;
  }
  seed::SeedPlacement placement;
  placement.to = without_leading_slash(m_project.spec.seed.to);
  placement.uid = 0;
  placement.gid = 0;
  if (link.point.starts_with("prepare.")) { // which works in the seed's directory as its owner
    placement = seed_placement(below);
  }
  placement.only = paths->second;
  const auto published = os::IdSpace::current().run([&]() -> Json {
    auto staging = m_context.layers.stage();
    os::make_directories(staging.tree(), 0755);
    const auto copied = seed::materialise(*m_resolved.scan, staging.tree(), placement);
    auto answer = to_json(copied);
    if (copied.changed.empty()) {
      answer.update(store::to_json(
          m_context.layers.publish(std::move(staging), {"inputs", link.address}, os::Durable::no)));
    }
    return answer;
  });
  check_copied(m_context, m_resolved, published);
  auto stack = below;
  stack.layers.push_back(get_string(published, "digest"));
  return stack;
}

store::LayerStack LayerBuilder::build_ready(
    const store::LayerStack& below, const std::function<void(const std::string&)>& start_services) {
  const BuildDirectory directory(m_directory);
  auto request = request_for(directory.runtime(), directory.generation(), below);
  set_egress(request.spec, m_project.spec.network_egress);
  start_sandbox(m_context, m_backend, request);
  start_services(directory.runtime());
  mirror_upper_before_kill(directory.runtime(), directory.generation(), below.host_directories);
  kill_sandbox(directory.runtime()); // all at once: what is on disk is what a freeze would have shown
  return with_layer(
      below, publish_generation(
                 directory.generation(), below, {"dev", "proc", "sys", "run"}, {"snapshot", "services"}));
}

SandboxRequest LayerBuilder::request_for(
    const std::string& runtime, const std::string& generation, const store::LayerStack& stack) const {
  SandboxRequest request;
  request.spec.workspace_id = m_workspace_id;
  request.spec.hostname = m_project.spec.name;
  request.spec.runtime_dir = runtime;
  request.spec.generation_dir = generation;
  request.spec.tied_to_starter = true;
  request.layers = stack.layers;
  request.host_directories = stack.host_directories;
  const auto& resources = m_project.spec.environment.resources;
  request.spec.limits = {
      resources.cpus, static_cast<std::int64_t>(resources.memory), resources.pids,
      static_cast<std::int64_t>(resources.disk)};
  return request;
}

HexDigest LayerBuilder::publish_generation(
    const std::string& generation, const store::LayerStack& stack, std::vector<std::string> drop,
    const store::LayerInfo& info) const {
  const auto published = os::IdSpace::current().run([&]() -> Json {
    auto staging = m_context.layers.stage();
    store::CaptureOptions options;
    options.mode = store::CaptureMode::move;
    options.drop = std::move(drop);
    store::capture_generation(
        store::parts_of_generation(generation, stack.host_directories), staging, options);
    return store::to_json(m_context.layers.publish(std::move(staging), info));
  });
  return get_string(published, "digest");
}

} // namespace pyro::workspace

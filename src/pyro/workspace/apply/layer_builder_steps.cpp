// The steps of a LayerBuilder: each in a throw-away sandbox, whose writable layer becomes the step's.
#include "layer_builder.hpp"
#include "step_failure.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/hosts_file.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/store/caches.hpp>
#include <pyro/workspace/context/network_policy.hpp>
#include <pyro/workspace/sandbox/failed_step.hpp>
#include <pyro/workspace/sandbox/guest_exec.hpp>
#include <pyro/workspace/sandbox/refresh_upper.hpp>
#include <pyro/workspace/sandbox/refused_meanwhile.hpp>
#include <pyro/workspace/sandbox/step_secrets.hpp>

#include <deque>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_shown_lines = 20;

/// What the launcher itself puts into a root, and what never belongs to a layer.
std::vector<std::string> never_captured(const spec::Step& step) {
  std::vector<std::string> paths{"dev", "proc", "sys", "run"};
  for (const auto& directory : step.cache) { // in normal form
    paths.push_back(directory.path.substr(1));
  }
  return paths;
}

} // namespace

std::vector<backend::Bind>
LayerBuilder::cache_binds(const spec::Step& step, const std::string& address) const {
  std::vector<backend::Bind> binds;
  if (m_backend.capabilities().virtual_machine) {
    if (!step.cache.empty()) {
      m_context.emit(
          "note", address,
          "a virtual machine keeps no caches: the step begins with what the image has there");
    }
    return binds;
  }
  for (const auto& cache : step.cache) {
    const bool own = cache.share == spec::CacheShare::checkout;
    const auto path = store::cache_directory(
        m_context.base,
        {own ? m_resolved.digests.checkout : std::string{}, m_project.spec.environment.image, cache.path});
    os::IdSpace::current().run([&]() -> Json {
      os::make_directories(path, 0755);
      return nullptr;
    });
    binds.push_back({path, cache.path});
  }
  return binds;
}

std::map<std::string, std::string> LayerBuilder::step_env(const spec::Step& step) const {
  auto env = step.env;
  if (m_backend.capabilities().own_root) {
    const auto& image = image_of(m_project);
    env.merge(m_context.environments.image_env(image, m_project.directory, m_project.registries));
  }
  return env;
}

/// For `exec --failed`. That it cannot be kept does not change why the step failed.
void LayerBuilder::keep_failed(
    const spec::Step& step, const std::string& address, const BuildDirectory& directory,
    const SandboxRequest& request) {
  if (m_project.file.empty()) {
    return; // made by hand: nobody could name it
  }
  try {
    FailedStep failed;
    failed.address = address;
    failed.backend = m_backend.name();
    failed.user = step.user.empty() ? default_user() : step.user;
    failed.workdir = step.workdir;
    failed.env = step_env(step);
    failed.secrets = step.secrets;
    failed.sandbox = request;
    mirror_upper_before_kill(directory.runtime(), directory.generation(), request.host_directories);
    kill_sandbox(directory.runtime());
    FailedStepRoom(m_context, m_project.identity).keep(directory.generation(), failed);
  } catch (const std::exception& error) {
    m_context.emit("note", address, fmt::format("what it left is not kept: {}", error.what()));
  }
}

void LayerBuilder::run_step(const spec::Step& step, const std::string& address, const std::string& runtime) {
  auto client = connect_sandbox(runtime, "a step");
  const auto& user = step.user.empty() ? default_user() : step.user;
  protocol::ExecRequest request;
  request.argv = {"/bin/sh", "-ec", step.run};
  request.cwd = step.workdir;
  request.env = step_env(step);
  const auto redactor = give_step_secrets(*client, m_project, m_secrets, step.secrets, user, request.env);
  request.user = user;
  request.timeout_ms = step.timeout.count();
  std::deque<std::string> last;
  const RefusedMeanwhile refused(*client, egress_kind(step.egress.hosts));
  const auto result = run_with_lines(
      *client, request,
      [&](const std::string& written) {
        const auto line = redactor.redact(written);
        m_context.emit("log", address, line);
        last.push_back(line);
        if (last.size() > k_shown_lines) {
          last.pop_front();
        }
      },
      [&] { m_context.check_interrupted(); });
  const auto refusal = refusal_text(refused.so_far(redactor));
  if (result.exit_code == 0 && !result.timed_out) {
    if (!refusal.empty()) {
      m_context.emit("note", address, refusal);
    }
    return;
  }
  auto error = step_failure(step, result);
  if (!refusal.empty()) {
    error.add_context(refusal);
  }
  throw error.at(m_project.spec.place(address + ".run"))
      .with_output({last.begin(), last.end()})
      .with_hint("`pyro shell --failed` looks around in what it left");
}

store::LayerStack
LayerBuilder::build_step(const spec::Step& step, const plan::Link& link, const store::LayerStack& below) {
  const auto start_stack = with_inputs(link, below);
  for (int attempt = 0;; ++attempt) {
    m_context.check_interrupted();
    const BuildDirectory directory(m_directory);
    auto request = request_for(directory.runtime(), directory.generation(), start_stack);
    request.spec.hostname =
        os::k_step_hostname; // the layer is for every file with this step, whatever its name
    request.spec.binds = cache_binds(step, link.address);
    set_egress(request.spec, step.egress);
    start_sandbox(m_context, m_backend, request);
    try {
      run_step(step, link.address, directory.runtime());
    } catch (const Error& error) {
      if (error.code() == ErrorCode::failed && attempt >= step.retries) {
        keep_failed(step, link.address, directory, request);
      }
      if (error.code() != ErrorCode::failed || attempt >= step.retries) {
        throw;
      }
      m_context.emit(
          "note", link.address,
          fmt::format("{}; trying again ({} of {})", error.message(), attempt + 1, step.retries));
      continue;
    }
    os::crash_point("build.ran");
    mirror_upper_before_kill(directory.runtime(), directory.generation(), start_stack.host_directories);
    kill_sandbox(directory.runtime());
    auto stack = below;
    stack.layers.push_back(publish_generation(
        directory.generation(), start_stack, never_captured(step), {"step", link.address}));
    return stack;
  }
}

} // namespace pyro::workspace

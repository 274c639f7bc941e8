#include "by_hand.hpp"

#include "limits.hpp"
#include "network_policy.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>

namespace pyro::workspace {

namespace {

/// In a spec `$` begins a variable; here it is a letter.
std::string literal(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    result += letter == '$' ? "$$" : std::string(1, letter);
  }
  return result;
}

/// The source of an empty seed.
std::string empty_directory(const Context& context) {
  const auto directory = context.base.root() + "/empty";
  os::make_directories(directory);
  return directory;
}

Json spec_of(const CreateRequest& request, const std::string& seed) {
  Json spec{
      {"version", 1},
      {"name", literal(request.name)},
      {"isolation", request.isolation},
      {"backend", request.backend},
      {"environment",
       {{"image", literal(request.environment)},
        {"resources", {{"cpus", request.vcpu_count}, {"memory", fmt::format("{}MiB", request.mem_mib)}}}}},
      {"seed", {{"from", literal(seed)}, {"git", "all"}, {"on_change", "keep"}}},
      {"network", {{"egress", request.network_policy == "egress" ? "all" : "none"}}}};
  for (const auto& [key, value] : request.labels) {
    spec["labels"][key] = literal(value);
  }
  spec["lifecycle"] = {{"ttl", fmt::format("{}s", request.ttl_seconds)}};
  return spec;
}

} // namespace

LoadedProject project_for(const Context& context, const CreateRequest& wanted) {
  auto request = wanted;
  if (request.name.empty()) {
    request.name = "ws-" + os::random_hex(4);
  }
  check_size({request.vcpu_count, request.mem_mib, request.ttl_seconds});
  check_network_policy(request.network_policy);
  const auto host_compat = request.allow_host_compat ? HostCompat::allowed : HostCompat::refused;
  const auto& backend = context.choose_backend(request.backend, backend::Isolation::sandbox, host_compat);
  refuse_policy(backend, request.network_policy);
  if (backend.isolation() == backend::Isolation::host) { // agreed to, or it would not have been chosen
    request.isolation = "host";
    request.backend = backend.name();
  }
  namespace fs = std::filesystem;
  const auto seed = request.seed_path.empty() ? empty_directory(context)
                                              : fs::absolute(request.seed_path).lexically_normal().string();
  spec::ParseOptions options;
  options.file = "workspace_create";
  LoadedProject project;
  try {
    project.spec = spec::parse_spec_or_throw(spec_of(request, seed).dump(), options);
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_argument, "{}", error.message()).with_hint(error.hint());
  }
  project.directory = fs::current_path().string();
  project.shown = options.file;
  project.host_compat = host_compat;
  project.identity = "by-hand-" + os::random_hex(8);
  return project;
}

} // namespace pyro::workspace

#include "by_hand.hpp"

#include "resolve_inputs.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/archive_reader.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/workspace/context/limits.hpp>
#include <pyro/workspace/context/network_policy.hpp>
#include <pyro/workspace/context/secrets.hpp>

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

namespace fs = std::filesystem;

/// Absolute and without symlinks; of an empty seed a directory of ours.
std::string seed_of(const Context& context, const std::string& wanted) {
  if (wanted.empty()) {
    auto directory = empty_seed(context);
    os::make_directories(directory);
    return directory;
  }
  std::error_code error;
  auto path = fs::canonical(wanted, error).string();
  if (error) {
    throw Error(ErrorCode::invalid_argument, "seed_path {} does not exist", wanted);
  }
  if (!os::is_directory(path) && !os::has_archive_name(path)) {
    throw Error(ErrorCode::invalid_argument, "seed_path {} is neither a directory nor an archive", path)
        .with_hint("archives are named .tar, .tar.gz, .tgz, .tar.zst, .tar.xz or .tar.bz2");
  }
  return path;
}

Json egress_of(const CreateRequest& request) {
  if (request.egress_hosts.empty()) {
    return request.network_policy == "egress" ? "all" : "none";
  }
  if (request.network_policy != "egress") {
    throw Error(ErrorCode::invalid_argument, "egress_hosts needs network_policy 'egress'");
  }
  return request.egress_hosts;
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
      {"network", {{"egress", egress_of(request)}}}};
  for (const auto& [key, value] : request.labels) {
    spec["labels"][key] = literal(value);
  }
  spec["lifecycle"] = {{"ttl", fmt::format("{}s", request.ttl_seconds)}};
  return spec;
}

spec::Spec parsed(const Json& spec, const std::string& operation) {
  spec::ParseOptions options;
  options.file = operation;
  try {
    return spec::parse_spec_or_throw(spec.dump(), options);
  } catch (const Json::type_error&) { // the only thing that cannot be dumped
    throw Error(ErrorCode::invalid_argument, "names, labels and paths must be UTF-8");
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_argument, "{}", error.message()).with_hint(error.hint());
  }
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
  if (request.egress_hosts.empty()) { // what holds a list is asked with the file that is made of it
    refuse_policy(backend, request.network_policy);
  }
  if (backend.isolation() == backend::Isolation::host) { // agreed to, or it would not have been chosen
    request.isolation = "host";
    request.backend = backend.name();
  }
  LoadedProject project;
  project.secrets = read_secrets(request.secrets);
  project.spec = parsed(spec_of(request, seed_of(context, request.seed_path)), "workspace_create");
  project.directory = os::working_directory();
  project.shown = "workspace_create";
  project.host_compat = host_compat;
  project.registries = environment::RegistryAccess::agreed; // the image was named by hand
  project.identity = "by-hand-" + os::random_hex(8);
  return project;
}

Json with_names(Json spec, const std::string& name, const std::map<std::string, std::string>& labels) {
  CreateRequest request;
  request.environment = "host"; // only the names matter here
  request.name = name;
  request.labels = labels;
  const auto checked = parsed(spec_of(request, "/"), "workspace_update");
  spec["name"] = checked.name;
  spec["labels"] = checked.labels;
  return spec;
}

} // namespace pyro::workspace

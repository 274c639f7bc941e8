#include "project.hpp"

#include "authority.hpp"
#include "request_secrets.hpp"
#include "trust.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/spec/variable_file.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_max_file = 1 << 20;

namespace fs = std::filesystem;

fs::path path_of(const Project& project) {
  const fs::path file(project.file);
  auto path = file.is_absolute() ? file : fs::path(project.directory) / file;
  require_utf8(fs::absolute(path).string(), "the path of the file");
  return path;
}

/// Error(invalid_file) where it is none: a directory, a device, or far too much.
std::optional<std::string> read_if_there(const fs::path& path) {
  try {
    return os::maybe_read_file(path.string(), k_max_file);
  } catch (const Error& problem) {
    const bool is_too_large = problem.code() == ErrorCode::protocol;
    if (!is_too_large && problem.code() != ErrorCode::invalid_argument) {
      throw;
    }
    throw Error(
        ErrorCode::invalid_file, "{}",
        is_too_large ? path.lexically_normal().string() + " is larger than 1 MiB" : problem.message())
        .with_hint("it has to be a regular file of at most 1 MiB");
  }
}

std::string read_spec(const fs::path& path) {
  auto text = read_if_there(path);
  if (!text) {
    throw Error(ErrorCode::input_missing, "there is no {}", path.lexically_normal().string())
        .with_hint("`pyro init` writes a first one; one in a directory above is found; -f FILE or -C "
                   "DIRECTORY names another");
  }
  return std::move(*text);
}

/// Those that the caller has not said already.
void read_variables_into(const std::string& path, spec::ParseOptions& options) {
  const auto text = read_if_there(path);
  if (!text) {
    throw Error(ErrorCode::input_missing, "there is no file of variables {}", path)
        .with_hint("--var-file names a file with lines NAME: value");
  }
  for (const auto& variable : spec::read_variable_file(*text, path)) {
    if (options.vars.emplace(variable.name, variable.value).second) {
      options.var_places[variable.name] = variable.place;
    }
  }
}

/// What the file was applied with, for apply/applied_source.hpp.
Json source_of(const ProjectFile& file, const spec::ParseOptions& options, const spec::Spec& complete) {
  Json host = Json::object();
  for (const auto& variable : complete.host_variables) {
    if (const char* value = std::getenv(variable.name.c_str())) {
      host[variable.name] = value;
    }
  }
  Json sets = Json::array();
  for (const auto& [address, value] : options.sets) {
    sets.push_back(fmt::format("{}={}", address, value));
  }
  return {
      {"text", file.text},
      {"file", options.file},
      {"directory", file.directory},
      {"directory_name", options.directory},
      {"profile", options.profile.value_or("")},
      {"vars", options.vars},
      {"sets", std::move(sets)},
      {"host", std::move(host)}};
}

spec::ParseOptions options_of(const Project& project, const fs::path& path, const spec::HostLookup& host) {
  spec::ParseOptions options;
  options.file = path.lexically_normal().string();
  options.directory = fs::absolute(path).lexically_normal().parent_path().filename().string();
  if (!project.profile.empty()) {
    options.profile = project.profile;
  }
  options.vars = project.vars;
  if (!project.var_file.empty()) {
    read_variables_into(project.var_file, options);
  }
  for (const auto& set : project.sets) {
    const auto equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorCode::usage, "--set '{}' is not ADDRESS=VALUE", set)
          .with_hint("--set services.api.env.PORT=8081");
    }
    options.sets.emplace_back(set.substr(0, equals), set.substr(equals + 1));
  }
  options.host_env = host;
  return options;
}

spec::HostAnswer withhold(const std::string& /*name*/) {
  return spec::HostAnswer::withheld();
}

spec::HostAnswer tell(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  require_utf8(value != nullptr ? value : "", "the variable " + name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

TrustSubject subject_of(const Project& project, const ProjectFile& file) {
  return {file.directory, file.file, project.profile};
}

Error not_agreed(const ProjectFile& file, const HostRequests& requests) {
  std::vector<std::string> lines;
  for (const auto& request : requests) {
    lines.push_back(to_string(request));
  }
  Error error(
      ErrorCode::approval_needed,
      "{} wants {} of your machine that you have not agreed to: nothing of it was read or run", file.shown,
      requests.size() == 1 ? std::string("one thing") : fmt::format("{} things", requests.size()));
  return error.with_output(std::move(lines))
      .with_hint("look at the list: `pyro trust` agrees to exactly it, as --trust does with this command; "
                 "PYRO_TRUST=1 agrees for one call");
}

enum class Asking { no, yes };

enum class Consent {
  none,
  not_needed, // it does without what it asks for
  given,
};

Consent consent_to(
    const Context& context, const Project& project, const ProjectFile& file, const HostRequests& requests,
    Asking asking) {
  const TrustRecords records(context.base);
  if (requests.empty() || context.settings.trust == TrustGrant::once
      || records.holds(file.directory, requests)) {
    return Consent::given;
  }
  const bool does_without = std::none_of(requests.begin(), requests.end(), is_needed);
  if (does_without && (asking == Asking::no || context.settings.trust == TrustGrant::recorded)) {
    return Consent::not_needed;
  }
  if (asking == Asking::no) {
    return Consent::none;
  }
  if (context.settings.trust == TrustGrant::recorded) {
    const auto wanted = describe_requests(context, project, file, requests);
    if (!context.settings.agree || !context.settings.agree(wanted)) {
      throw not_agreed(file, requests);
    }
  }
  records.agree(subject_of(project, file), requests);
  return Consent::given;
}

/// The list of the file and what else its values want, which only this machine knew.
HostRequests all_requests(const ProjectFile& file, const spec::Spec& complete) {
  auto all = file.requests;
  const auto untold = untold_requests(file.requests, host_requests(complete, file.directory));
  all.insert(all.end(), untold.begin(), untold.end());
  std::sort(all.begin(), all.end());
  return all;
}

std::optional<LoadedProject>
load(const Context& context, const Project& project, const ProjectFile& file, Asking asking) {
  auto consent = consent_to(context, project, file, file.requests, asking);
  if (consent == Consent::none) {
    return std::nullopt;
  }
  LoadedProject loaded;
  loaded.spec = file.spec;
  loaded.requests = file.requests;
  if (!file.spec.complete) {
    loaded.spec = spec::parse_spec_or_throw(file.text, options_of(project, path_of(project), tell));
    loaded.requests = all_requests(file, loaded.spec);
    consent = consent_to(context, project, file, loaded.requests, asking);
    if (consent == Consent::none) {
      return std::nullopt;
    }
  }
  if (consent == Consent::given) {
    loaded.registries = environment::RegistryAccess::agreed;
  } else {
    loaded.requests.clear();
  }
  add_request_variables(
      loaded.spec.environment.env, loaded.spec, file.directory, request_secrets(loaded.spec));
  try {
    add_authority(loaded.spec, file.directory);
  } catch (const Error&) {
    if (asking == Asking::yes) {
      throw;
    }
    loaded.spec.complete = false; // who only looks at the workspace is told of it by the next plan
  }
  loaded.source = source_of(file, options_of(project, path_of(project), tell), loaded.spec);
  loaded.file = file.file;
  loaded.directory = file.directory;
  loaded.shown = file.shown;
  loaded.image = locked_image(loaded.spec.environment.image, loaded.directory);
  loaded.host_compat = project.allow_host_compat ? HostCompat::allowed : HostCompat::refused;
  loaded.identity = identity_of(loaded.spec.name, loaded.directory);
  if (!project.identity.empty() && loaded.identity != project.identity) {
    throw Error(
        ErrorCode::usage, "{} is by now the file of another workspace, {}: not of the one that was named",
        file.shown, loaded.spec.name)
        .with_hint(
            "without --workspace, there, it makes that one; `pyro adopt` there takes the old one over");
  }
  return loaded;
}

} // namespace

const std::string& image_of(const LoadedProject& project) {
  return project.image.image.empty() ? project.spec.environment.image : project.image.image;
}

std::string identity_of(const std::string& name, const std::string& directory) {
  return Sha256{}.field(name).field(directory).finish().substr(0, 24);
}

spec::ParseResult parse_project(const Project& project, std::string& shown) {
  const auto path = path_of(project);
  shown = path.lexically_normal().string();
  return spec::parse_spec(read_spec(path), options_of(project, path, withhold));
}

std::optional<std::string> ProjectFile::identity() const {
  const bool is_known = spec.complete || spec.name.find("${") == std::string::npos;
  return is_known ? std::optional(identity_of(spec.name, directory)) : std::nullopt;
}

ProjectFile read_project_file(const Project& project) {
  const auto path = path_of(project);
  ProjectFile file;
  file.text = read_spec(path);
  const auto options = options_of(project, path, withhold);
  file.spec = spec::parse_spec_or_throw(file.text, options);
  file.file = fs::weakly_canonical(fs::absolute(path)).string();
  require_utf8(file.file, "the path of the file");
  file.directory = fs::path(file.file).parent_path().string();
  file.shown = options.file;
  file.requests = host_requests(file.spec, file.directory);
  return file;
}

LoadedProject load_project(const Context& context, const Project& project) {
  return load_project(context, project, read_project_file(project));
}

LoadedProject load_project(const Context& context, const Project& project, const ProjectFile& file) {
  return *load(context, project, file, Asking::yes);
}

std::optional<LoadedProject>
load_if_agreed(const Context& context, const Project& project, const ProjectFile& file) {
  return load(context, project, file, Asking::no);
}

HostRequests wanted_requests(const Context& context, const Project& project, const ProjectFile& file) {
  if (file.spec.complete || !TrustRecords(context.base).holds(file.directory, file.requests)) {
    return file.requests;
  }
  return all_requests(
      file, spec::parse_spec_or_throw(file.text, options_of(project, path_of(project), tell)));
}

Json describe_requests(
    const Context& context, const Project& project, const ProjectFile& file, const HostRequests& requests) {
  const TrustRecords records(context.base);
  const auto before = records.last_agreed(subject_of(project, file));
  return {
      {"checkout", file.directory},
      {"file", file.file},
      {"profile", project.profile},
      {"digest", digest_of(requests)},
      {"requests", to_json(requests)},
      {"added", to_json(added_requests(requests, before))},
      {"removed", to_json(added_requests(before, requests))},
      {"agreed", requests.empty() || records.holds(file.directory, requests)}};
}

std::string find_project_file(const Project& project) {
  const auto path = path_of(project);
  return os::exists(path.string()) ? fs::weakly_canonical(fs::absolute(path)).string() : std::string{};
}

} // namespace pyro::workspace

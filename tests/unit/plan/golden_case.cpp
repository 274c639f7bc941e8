#include "golden_case.hpp"

#include "../../support/files.hpp"

#include <pyro/spec/normal_form.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace pyro::plan::testing {

namespace {

spec::Spec read_spec(const std::string& folder, const std::string& file, const Json& how) {
  spec::ParseOptions options;
  options.directory = "case";
  options.profile = maybe_string(how, "profile");
  options.vars = string_map_or_empty(how, "vars");
  return spec::parse_spec_or_throw(read_text_file(folder + "/" + file), options);
}

/// Short texts stand for digests; {"seed": "a"} is enough.
InputDigests read_digests(const Json& how) {
  const auto value = how.value("measured", Json::object());
  InputDigests digests;
  digests.checkout = "/home/dev/shop";
  digests.environment = sha256_of(string_or(value, "environment", "image"));
  digests.seed_tree = sha256_of(string_or(value, "seed", "seed"));
  const auto inputs = value.value("inputs", Json::object());
  for (const auto& [address, files] : inputs.items()) {
    for (const auto& [path, digest] : files.items()) {
      digests.step_inputs[address].emplace_back(path, sha256_of(digest.get<std::string>()));
    }
  }
  for (const auto& [service, text] : string_map_or_empty(value, "env_files")) {
    digests.env_files[service] = sha256_of(text);
  }
  return digests;
}

} // namespace

Observed steady_state(const spec::Spec& spec, const std::vector<Link>& chain) {
  Observed observed;
  observed.exists = true;
  observed.workspace_id = "shop-1";
  observed.generation = 41;
  observed.state = WorkspaceState::started;
  observed.backend = "namespaces";
  observed.applied_spec = spec::normal_form(spec);
  observed.applied_links = chain;
  observed.applied_profile = spec.profile;
  for (const auto& [name, variable] : spec.vars) {
    observed.applied_vars[name] = variable.value.value_or("");
  }
  observed.base_key = content_key(chain);
  for (const auto& link : chain) {
    observed.cached_keys.insert(link.key);
  }
  for (const auto& [name, service] : spec.services) {
    observed.service_states[name] = service.oneshot ? "completed" : "ready";
    observed.service_digests[name] = service_digest(chain, name);
  }
  for (const auto& [name, snapshot] : spec.snapshots) {
    observed.snapshots[name] = key_of_point(chain, snapshot.at);
  }
  return observed;
}

namespace {

void resolve_keys(Json& value, const std::vector<Link>& applied, const std::vector<Link>& wanted) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    for (const auto& [prefix, chain] :
         {std::pair{"key:applied:", &applied}, std::pair{"key:wanted:", &wanted}}) {
      if (text.starts_with(prefix)) {
        value = key_of_point(*chain, text.substr(std::string_view(prefix).size()));
      }
    }
  } else if (value.is_structured()) {
    for (auto& item : value) {
      resolve_keys(item, applied, wanted);
    }
  }
}

} // namespace

std::string read_text_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw Error(ErrorCode::io, "cannot read {}", path);
  }
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string case_folder(const std::string& name) {
  return pyro::testing::source_dir().string() + "/specs/plan/" + name;
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(case_folder(""))) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

GoldenCase load_case(const std::string& name) {
  const auto folder = case_folder(name);
  const Json how = parse_json(read_text_file(folder + "/observed.json"), name);
  GoldenCase golden;
  golden.wanted = read_spec(folder, "pyro.yaml", how);
  golden.chain = build_chain(golden.wanted, read_digests(how));
  Json observed = to_json(golden.observed);
  std::vector<Link> applied_chain;
  if (how.contains("applied")) {
    const auto& applied = how["applied"];
    const auto before = read_spec(folder, get_string(applied, "file"), applied);
    applied_chain = build_chain(before, read_digests(applied));
    observed = to_json(steady_state(before, applied_chain));
  }
  observed.merge_patch(how.value("observed", Json::object()));
  resolve_keys(observed, applied_chain, golden.chain);
  golden.observed = observed_from_json(observed);
  return golden;
}

PlanHeader header_of(const GoldenCase& golden) {
  PlanHeader header;
  header.name = golden.wanted.name;
  header.workspace_id = golden.observed.workspace_id;
  header.backend = "namespaces";
  header.elapsed = std::chrono::milliseconds{90};
  header.config_digest = spec::spec_digest(golden.wanted);
  if (golden.observed.exists) {
    header.generation = golden.observed.generation;
  }
  return header;
}

} // namespace pyro::plan::testing

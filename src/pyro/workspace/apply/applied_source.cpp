#include "applied_source.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/workspace/context/authority.hpp>
#include <pyro/workspace/context/request_secrets.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_most_bytes = 64U << 20U;
constexpr auto k_rest = "";            // all units that are not named
constexpr std::int64_t k_nothing = -1; // instead of a source: there was none of it yet

std::string path_in(const std::string& directory) {
  return directory + "/applied.json";
}

Json read_sources(const std::string& directory) {
  try {
    const auto text = os::maybe_read_file(path_in(directory), k_most_bytes);
    return text ? parse_json(*text, "applied.json") : Json();
  } catch (const Error&) {
    return {};
  }
}

spec::Spec parse_source(const Json& source) {
  spec::ParseOptions options;
  options.file = get_string(source, "file");
  options.directory = get_string(source, "directory_name");
  if (const auto profile = string_or(source, "profile", ""); !profile.empty()) {
    options.profile = profile;
  }
  options.vars = string_map_or_empty(source, "vars");
  for (const auto& set : get_strings(source, "sets")) {
    const auto equals = set.find('=');
    options.sets.emplace_back(set.substr(0, equals), set.substr(equals + 1));
  }
  const auto host = string_map_or_empty(source, "host");
  options.host_env = [&](const std::string& name) -> spec::HostAnswer {
    const auto found = host.find(name);
    return found == host.end() ? std::optional<std::string>() : std::optional(found->second);
  };
  auto spec = spec::parse_spec_or_throw(get_string(source, "text"), options);
  const auto directory = get_string(source, "directory");
  add_request_variables(spec.environment.env, spec, directory, request_secrets(spec));
  add_authority(spec, directory);
  return spec;
}

std::string first_word(std::string_view address) {
  return std::string(address.substr(0, address.find_first_of(".[")));
}

} // namespace

std::string unit_of(std::string_view address) {
  constexpr std::array k_of_workspace{"environment", "seed",    "prepare", "workspace",
                                      "isolation",   "backend", "network", "mounts"};
  auto first = first_word(address);
  if (std::find(k_of_workspace.begin(), k_of_workspace.end(), first) != k_of_workspace.end()) {
    return "workspace";
  }
  if ((first == "services" || first == "snapshots") && address.size() > first.size() + 1) {
    return first + "." + first_word(address.substr(first.size() + 1));
  }
  return first;
}

std::set<std::string> units_of(const spec::Spec& spec) {
  std::set<std::string> units{"workspace", "labels", "description", "retention",
                              "reset",     "drift",  "lifecycle"};
  for (const auto& [name, unused] : spec.services) {
    units.insert("services." + name);
  }
  for (const auto& [name, unused] : spec.snapshots) {
    units.insert("snapshots." + name);
  }
  return units;
}

void take_unit(spec::Spec& to, const spec::Spec& from, const std::string& unit) {
  const auto take_named = [&](auto& target, const auto& source) {
    const auto name = unit.substr(unit.find('.') + 1);
    const auto found = source.find(name);
    found == source.end() ? static_cast<void>(target.erase(name))
                          : static_cast<void>(target.insert_or_assign(name, found->second));
  };
  if (unit.starts_with("services.")) {
    take_named(to.services, from.services);
  } else if (unit.starts_with("snapshots.")) {
    take_named(to.snapshots, from.snapshots);
  } else if (unit == "workspace") {
    to.environment = from.environment;
    to.seed = from.seed;
    to.prepare = from.prepare;
    to.isolation = from.isolation;
    to.backend = from.backend;
    to.network_egress = from.network_egress;
    to.mounts = from.mounts;
  } else if (unit == "labels") {
    to.labels = from.labels;
  } else if (unit == "description") {
    to.description = from.description;
  } else if (unit == "retention") {
    to.retention = from.retention;
  } else if (unit == "reset") {
    to.reset = from.reset;
  } else if (unit == "drift") {
    to.drift = from.drift;
  } else if (unit == "lifecycle") {
    to.lifecycle = from.lifecycle;
  }
  for (const auto& [name, secret] : from.secrets) {
    to.secrets.emplace(name, secret); // what stays may need one that the file has no more
  }
}

std::optional<spec::Spec> recall_applied_spec(const std::string& workspace_directory) {
  const auto noted = read_sources(workspace_directory);
  try {
    std::vector<spec::Spec> specs;
    for (const auto& source : value_at(noted, "sources")) {
      specs.push_back(parse_source(source));
    }
    const auto& units = value_at(noted, "units");
    auto spec = specs.at(static_cast<std::size_t>(get_int(units, k_rest)));
    for (const auto& [unit, unused] : units.items()) {
      if (unit != k_rest) {
        const auto index = get_int(units, unit);
        take_unit(spec, index == k_nothing ? spec::Spec{} : specs.at(static_cast<std::size_t>(index)), unit);
      }
    }
    return spec;
  } catch (const std::exception&) {
    return std::nullopt; // of an older pyro, or made by hand
  }
}

void remember_applied_spec(
    const std::string& workspace_directory, const Json& source, const std::set<std::string>& left_out) {
  const auto before = left_out.empty() ? Json() : read_sources(workspace_directory);
  Json sources = Json::array({source});
  Json units{{k_rest, 0}};
  std::map<std::int64_t, std::size_t> moved; // index before → now
  for (const auto& unit : left_out) {
    if (before.is_null()) { // nothing was applied yet
      units[unit] = k_nothing;
      continue;
    }
    const auto& old_units = value_at(before, "units");
    const auto old = int_or(old_units, unit, get_int(old_units, k_rest));
    if (old == k_nothing) {
      units[unit] = k_nothing;
      continue;
    }
    if (!moved.contains(old)) {
      moved[old] = sources.size();
      sources.push_back(value_at(before, "sources").at(static_cast<std::size_t>(old)));
    }
    units[unit] = moved[old];
  }
  save_spare(workspace_directory, [&] {
    os::write_json_atomically(
        path_in(workspace_directory), {{"sources", sources}, {"units", units}}, os::Durable::no);
  });
}

} // namespace pyro::workspace

#include "read_parts.hpp"

#include <pyro/base/text.hpp>

namespace pyro::spec {

namespace {

bool fits_type(std::string_view type, std::string_view text) {
  if (type == "bool") {
    return text == "true" || text == "false";
  }
  if (type == "int") {
    return whole_number<std::int64_t>(text).has_value();
  }
  return true;
}

void resolve(
    Context& context, MapReader& reader, const std::string& name, const ParseOptions& options,
    Variable& variable, Lookup& lookup) {
  std::string source = "its default";
  const Node* culprit = reader.node().find("default");
  variable.value = variable.default_value;
  if (const auto given = options.vars.find(name); given != options.vars.end()) {
    variable.value = given->second;
    source = "--var";
    culprit = nullptr;
  } else if (!variable.env.empty()) {
    context.host_variables.push_back({variable.env, reader.address_of("env")});
    const auto answer = options.host_env ? options.host_env(variable.env) : HostAnswer(std::nullopt);
    if (answer.is_withheld()) {
      variable.value = variable.default_value
                           ? fmt::format("${{env:{}:-{}}}", variable.env, *variable.default_value)
                           : fmt::format("${{env:{}}}", variable.env);
      lookup.withheld.insert(name);
      return;
    }
    if (answer.value()) {
      variable.value = answer.value();
      source = fmt::format("host variable {}", variable.env);
      culprit = reader.node().find("env");
    }
  }
  if (variable.value && !fits_type(variable.type, *variable.value)) {
    context.error(
        culprit ? *culprit : reader.node(), "type", reader.address(),
        fmt::format("'{}' ({}) is no {}", *variable.value, source, variable.type));
  }
}

void check_overrides(Context& context, const ParseOptions& options, const Spec& spec) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : spec.vars) {
    names.push_back(name);
  }
  for (const auto& [name, unused] : options.vars) {
    if (!spec.vars.contains(name)) {
      const auto near = nearest(name, names);
      const auto place = options.var_places.find(name);
      const bool is_of_file = place != options.var_places.end();
      context.error_at(
          is_of_file ? place->second : Position{options.file, 0, 0}, "reference", join("vars", name),
          fmt::format("{}{}: no such variable in vars", is_of_file ? "" : "--var ", name),
          near.empty() ? "" : fmt::format("did you mean '{}'?", near));
    }
  }
}

void read_mounts(Context& context, MapReader& root, Spec& spec) {
  root.each_item("mounts", [&](const Node& item, std::size_t index) {
    MapReader reader(context, item, fmt::format("mounts[{}]", index), "mount");
    Mount mount;
    reader.string("from", mount.from);
    reader.target("to", mount.to);
    reader.choice("mode", mount.mode);
    if (reader.has("from") && mount.from.empty()) {
      reader.error("from", "value", "an empty path names nothing");
    }
    spec.mounts.push_back(std::move(mount));
  });
}

void read_snapshots(Context& context, MapReader& root, Spec& spec) {
  root.each_named("snapshots", [&](const std::string& name, const Node& node, const std::string& address) {
    if (name == "baseline") {
      context.error(
          node, "name", address, "'baseline' is the point that every workspace starts from",
          "choose another name");
    }
    MapReader reader(context, node, address, "snapshot");
    auto& snapshot = spec.snapshots[name];
    reader.string("at", snapshot.at);
    reader.choice("memory", snapshot.memory);
    reader.choice("services", snapshot.services);
  });
}

} // namespace

Lookup read_vars(Context& context, const Node& root, const ParseOptions& options, Spec& spec) {
  Lookup lookup;
  lookup.host_env = options.host_env;
  const Node* node = root.find("vars");
  if (node) {
    Node only_vars;
    only_vars.kind = NodeKind::map;
    only_vars.entries.push_back({"vars", node->place, *node});
    Context own; // required keys of the root are checked later, on the whole of it
    MapReader reader(own, only_vars, "", "root");
    own.diagnostics.clear();
    reader.each_named("vars", [&](const std::string& name, const Node& value, const std::string& address) {
      MapReader fields(own, value, address, "var");
      auto& variable = spec.vars[name];
      std::string default_value;
      std::size_t type = fields.choice_index("type").value_or(0);
      variable.type = type == 0 ? "string" : (type == 1 ? "int" : "bool");
      fields.string("default", default_value);
      fields.string("env", variable.env);
      fields.string("description", variable.description);
      lookup.descriptions[name] = variable.description;
      if (fields.has("default")) {
        variable.default_value = default_value;
        if (default_value.find("${") != std::string::npos) {
          fields.error(
              "default", "interpolation", "in a default, ${…} stands for nothing",
              "write the value out; `env: NAME` takes it from the host");
        }
      }
      lookup.places[name] = value.place;
      resolve(own, fields, name, options, variable, lookup);
      lookup.vars[name] = variable.value;
    });
    std::move(own.diagnostics.begin(), own.diagnostics.end(), std::back_inserter(context.diagnostics));
    context.positions.merge(own.positions);
    context.host_variables = std::move(own.host_variables);
  }
  check_overrides(context, options, spec);
  return lookup;
}

void read_policies(Context& context, MapReader& root, Spec& spec) {
  read_snapshots(context, root, spec);
  if (const Node* node = root.value("retention")) {
    MapReader reader(context, *node, "retention", "retention");
    reader.integer("keep", spec.retention.keep);
    reader.duration("min_age", spec.retention.min_age);
    reader.size("max_size", spec.retention.max_size);
  }
  if (const Node* node = root.value("reset")) {
    MapReader reader(context, *node, "reset", "reset");
    reader.string("to", spec.reset.to);
    reader.duration("undo", spec.reset.undo);
  }
  if (const Node* node = root.value("drift")) {
    MapReader reader(context, *node, "drift", "drift");
    reader.directories("report", spec.drift.report);
    reader.ignore_patterns("ignore", spec.drift.ignore);
    reader.choice("policy", spec.drift.policy);
  }
  if (const Node* node = root.value("network")) {
    MapReader reader(context, *node, "network", "network");
    reader.egress("egress", spec.network_egress);
  }
  if (const Node* node = root.value("lifecycle")) {
    MapReader reader(context, *node, "lifecycle", "lifecycle");
    reader.duration("ttl", spec.lifecycle.ttl);
    reader.duration("idle", spec.lifecycle.idle);
    reader.choice("on_idle", spec.lifecycle.on_idle);
    reader.choice("on_expire", spec.lifecycle.on_expire);
    for (const auto& [key, needs, given] :
         {std::tuple{"on_idle", "idle", spec.lifecycle.idle},
          std::tuple{"on_expire", "ttl", spec.lifecycle.ttl}}) {
      if (reader.has(key) && !given && !reader.has(needs)) {
        // No error: a profile may well delete `ttl` and leave this.
        context.warning_at(
            context.positions[reader.address_of(key)], "no_effect", reader.address_of(key),
            fmt::format("'{}' has no effect without '{}'", key, needs));
      }
    }
  }
  read_mounts(context, root, spec);
}

} // namespace pyro::spec

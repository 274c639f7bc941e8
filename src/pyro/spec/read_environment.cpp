#include "read_parts.hpp"

namespace pyro::spec {

namespace {

void read_common(Context& context, MapReader& reader, Step& step) {
  reader.string("id", step.id);
  reader.string("run", step.run);
  reader.user("user", step.user);
  reader.env("env", step.env);
  read_caches(context, reader, step.cache);
  reader.duration("timeout", step.timeout);
  reader.integer("retries", step.retries);
  reader.names("secrets", step.secrets);
  const Node* run = reader.node().find("run");
  if (run && run->is_scalar() && step.run.find_first_not_of(" \t\n") == std::string::npos) {
    reader.error("run", "value", "the script is empty");
  }
  if (step.timeout.count() == 0) {
    reader.error("timeout", "value", "a time limit of nothing always fails");
  }
}

/// The id decides the address, so it is looked up before the fields are read.
std::string id_of(const Node& item, std::size_t index) {
  const Node* id = item.find("id");
  return id && id->is_scalar() && is_name(id->text) ? id->text : std::to_string(index + 1);
}

void read_steps(
    Context& context, MapReader& parent, std::string_view key, std::string_view shape,
    std::vector<Step>& steps, const std::function<void(MapReader&, Step&)>& read_more) {
  std::map<std::string, Position> seen;
  parent.each_item(key, [&](const Node& item, std::size_t index) {
    Step step;
    const auto id = id_of(item, index);
    const auto address = join(parent.address_of(key), id);
    context.positions[address] = item.place;
    MapReader reader(context, item, address, shape);
    if (!item.is_map()) {
      return;
    }
    read_common(context, reader, step);
    if (reader.has("id") && !is_name(step.id)) {
      reader.error(
          "id", "name", fmt::format("'{}' cannot be a name", step.id),
          "letters, digits, '-' and '_', at most 63");
    }
    step.id = id;
    if (const auto [first, is_new] = seen.emplace(id, item.place); !is_new) {
      context.error(
          item, "duplicate_id", address,
          fmt::format("a step with the id '{}' is at {} already", id, to_string(first->second)));
    }
    read_more(reader, step);
    steps.push_back(std::move(step));
  });
}

void check_image(MapReader& reader, const std::string& image) {
  if (image.empty() || image.size() > 512 || image.find_first_of(" \t\n") != std::string::npos
      || image.starts_with("-")) {
    reader.error(
        "image", "value", fmt::format("'{}' is no image", image),
        "debian:12, docker.io/library/node:22, oci:PATH, host");
  }
  for (const auto* prefix : {"oci:", "dir:", "tar:", "docker-archive:"}) {
    if (image == prefix) {
      reader.error("image", "value", fmt::format("'{}' needs a path", image), fmt::format("{}PATH", prefix));
    }
  }
}

} // namespace

void read_environment(Context& context, MapReader& root, Spec& spec) {
  const Node* node = root.value("environment");
  if (!node) {
    return;
  }
  MapReader reader(context, *node, "environment", "environment");
  auto& environment = spec.environment;
  reader.string("image", environment.image);
  if (reader.has("image")) {
    check_image(reader, environment.image);
  }
  reader.string("platform", environment.platform);
  if (!environment.platform.empty() && environment.platform != "linux/amd64"
      && environment.platform != "linux/arm64") {
    reader.error(
        "platform", "value", fmt::format("'{}' is no platform", environment.platform),
        "linux/amd64 or linux/arm64");
  }
  if (const Node* resources = reader.value("resources")) {
    MapReader sizes(context, *resources, "environment.resources", "resources");
    sizes.integer("cpus", environment.resources.cpus);
    sizes.size("memory", environment.resources.memory);
    sizes.size("disk", environment.resources.disk);
    sizes.integer("pids", environment.resources.pids);
  }
  reader.user("user", environment.user);
  reader.directory("workdir", environment.workdir);
  reader.env("env", environment.env);
  reader.string("ca", environment.ca);
  read_steps(context, reader, "setup", "setup_step", environment.setup, [&](MapReader& fields, Step& step) {
    step.user = step.user.empty() ? "root" : step.user;
    step.egress.kind = EgressKind::all;
    fields.inputs("inputs", step.inputs);
    fields.egress("egress", step.egress);
    read_preset(context, fields, step);
  });
}

namespace {

/// One of the words that its `files` takes, or the map.
void read_git(Context& context, MapReader& seed, Seed& out) {
  const Node* node = seed.value("git");
  if (!node) {
    return;
  }
  const auto address = seed.address_of("git");
  if (node->is_map()) {
    MapReader reader(context, *node, address, "git");
    reader.choice("files", out.git);
    reader.boolean("history", out.git_history);
    return;
  }
  const auto text = read_text(context, *node, address);
  constexpr std::array k_modes{GitMode::tracked, GitMode::tracked_untracked, GitMode::all};
  const auto mode =
      std::find_if(k_modes.begin(), k_modes.end(), [&](GitMode each) { return text == name_of(each); });
  if (mode != k_modes.end()) {
    out.git = *mode;
  } else if (text) {
    const auto near = nearest(*text, {"tracked", "tracked+untracked", "all"});
    seed.error(
        "git", "value", fmt::format("'{}' is none of: tracked, tracked+untracked, all", *text),
        near.empty() ? "with .git and without ignored files: {history: true}"
                     : fmt::format("did you mean '{}'?", near));
  }
}

} // namespace

void read_seed(Context& context, MapReader& root, Spec& spec) {
  const Node* node = root.value("seed");
  if (!node) {
    return;
  }
  MapReader reader(context, *node, "seed", "seed");
  reader.string("from", spec.seed.from);
  reader.target("to", spec.seed.to);
  read_git(context, reader, spec.seed);
  reader.ignore_patterns("exclude", spec.seed.exclude);
  reader.user("owner", spec.seed.owner);
  reader.choice("on_change", spec.seed.on_change);
  if (spec.seed.from.empty()) {
    reader.error("from", "value", "an empty path names nothing", "write '.' for the directory of this file");
  }
}

void read_prepare(Context& context, MapReader& root, Spec& spec) {
  read_steps(context, root, "prepare", "prepare_step", spec.prepare, [](MapReader& fields, Step& step) {
    fields.inputs("inputs", step.inputs);
  });
}

} // namespace pyro::spec

#include "compose_service.hpp"

#include "compose_parts.hpp"
#include "known_servers.hpp"
#include "text_forms.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace pyro::foreign {

namespace {

using spec::Node;

/// Fields that are read elsewhere.
constexpr std::array<std::string_view, 21> k_read{
    "image",       "build",     "command", "entrypoint",        "environment",
    "env_file",    "ports",     "volumes", "depends_on",        "healthcheck",
    "restart",     "user",      "secrets", "working_dir",       "deploy",
    "stop_signal", "mem_limit", "cpus",    "stop_grace_period", "profiles",
    "extends"};

struct Known {
  std::string_view keys; // space-separated
  std::string_view reason;
  bool is_needed;
};

constexpr std::array k_known{
    Known{"container_name hostname domainname", "a service is found by its key", false},
    Known{
        "networks network_mode links",
        "all services share the workspace's network, and find each other by name", false},
    Known{"expose", "what listens is reached inside anyway", false},
    Known{"init tty stdin_open", "the agent is pid 1, and reaps", false},
    Known{"labels logging annotations pull_policy platform attach", "nothing stands for it", false},
    Known{"tmpfs shm_size", "/tmp and /dev/shm are there, in memory", false},
    Known{
        "privileged cap_add devices security_opt", "`isolation: vm` gives root of a kernel of its own", true},
    Known{"extra_hosts dns dns_search", "a line in the image's /etc/hosts, by a set-up step", true},
    Known{"configs", "write the files into the checkout, or by a set-up step", true},
    Known{"develop", "`seed: {on_change: sync}` brings edits in at each `pyro apply`", true},
    Known{"ulimits sysctls pids_limit", "limits are the workspace's: environment.resources", true},
    Known{"scale", "one process a service: write it twice", true}};

void read_other_keys(Draft& draft, const Node& service, const std::string& address) {
  for (const auto& entry : service.entries) {
    const bool is_read = std::find(k_read.begin(), k_read.end(), entry.key) != k_read.end();
    if (is_read || entry.key.starts_with("x-")) {
      continue;
    }
    const auto known = std::find_if(k_known.begin(), k_known.end(), [&](const Known& one) {
      return (" " + std::string(one.keys) + " ").find(" " + entry.key + " ") != std::string::npos;
    });
    if (known == k_known.end()) {
      draft.lost(entry.key_place, address + "." + entry.key, "there is no such field here");
    } else if (known->is_needed) {
      draft.lost(entry.key_place, address + "." + entry.key, std::string(known->reason));
    } else {
      draft.not_needed(entry.key_place, address + "." + entry.key, std::string(known->reason));
    }
  }
  if (const auto* profiles = service.find("profiles")) {
    draft.lost(
        profiles->place, address + ".profiles",
        "profiles are overlays at the end of the file here; one removes a service with `NAME: null`");
  }
  if (const auto* extends = service.find("extends")) {
    draft.lost(extends->place, address + ".extends", "write its fields out, or use an anchor");
  }
}

void read_sizes(ComposeImport& import, const Node& service, const std::string& address) {
  const auto* deploy = service.find("deploy");
  const auto* resources = deploy != nullptr ? deploy->find("resources") : nullptr;
  const auto* limits = resources != nullptr ? resources->find("limits") : nullptr;
  const auto* memory = limits != nullptr ? limits->find("memory") : service.find("mem_limit");
  const auto* cpus = limits != nullptr ? limits->find("cpus") : service.find("cpus");
  if (memory != nullptr) {
    const auto bytes = bytes_of(text_of_node(memory));
    if (bytes) {
      import.memory += *bytes;
    } else {
      import.draft.lost(memory->place, address + ": memory", "write it into environment.resources");
    }
  }
  if (cpus != nullptr) {
    const auto text = text_of_node(cpus);
    char* end = nullptr;
    const double count = std::strtod(text.c_str(), &end);
    const bool is_number = !text.empty() && end == text.c_str() + text.size() && count > 0 && count < 1024;
    if (is_number) {
      import.cpus += count;
    } else {
      import.draft.lost(cpus->place, address + ": cpus", "write it into environment.resources");
    }
  }
  for (const auto& entry : deploy != nullptr ? deploy->entries : std::vector<spec::Entry>{}) {
    if (entry.key != "resources") {
      import.draft.lost(
          entry.key_place, address + ".deploy." + entry.key, "there is one workspace, and no cluster");
    }
  }
}

/// `entrypoint` before `command`, in the form that both allow.
std::optional<std::string> command_of(const Node& service) {
  const auto* entrypoint = service.find("entrypoint");
  const auto* command = service.find("command");
  const auto words = [](const Node* node) {
    return node != nullptr && node->is_scalar() ? shell_words(node->text) : texts_of_node(node);
  };
  const bool has_entrypoint = entrypoint != nullptr && !words(entrypoint).empty();
  if (!has_entrypoint && (command == nullptr || words(command).empty())) {
    return std::nullopt;
  }
  std::vector<std::string> all;
  for (const auto* node : {has_entrypoint ? entrypoint : nullptr, command}) {
    for (const auto& word : words(node)) {
      all.push_back(from_compose_variables(word));
    }
  }
  const bool is_text = !has_entrypoint && command->is_scalar();
  // A text is split into words there, and run by no shell; here it is run by one.
  return is_text ? quoted(shell_text(all)) : quoted_list(all);
}

void read_dependencies(ComposeImport& import, const Node& service, const std::string& name) {
  const auto* node = service.find("depends_on");
  if (node == nullptr) {
    return;
  }
  auto& all = import.dependencies[name];
  if (node->is_list()) {
    for (const auto& item : node->items) {
      all[text_of_node(&item)] = {"", false, item.place};
    }
    return;
  }
  for (const auto& entry : node->entries) {
    const auto condition = text_of_node(entry.value.find("condition"));
    ComposeDependency dependency{"", text_of_node(entry.value.find("restart")) == "true", entry.key_place};
    dependency.condition = condition == "service_healthy"                  ? "ready"
                           : condition == "service_completed_successfully" ? "completed"
                           : condition == "service_started"                ? "started"
                                                                           : "";
    all[entry.key] = std::move(dependency);
  }
}

/// Why a service has to be a comment; empty: it runs.
std::string why_commented(
    const ComposeImport& import, const std::string& name, const Node& service, const std::string& image,
    bool has_command) {
  const bool has_own_image = !image.empty() && image != import.draft.image && name != import.image_of
                             && service.find("build") == nullptr;
  if (has_own_image && !has_command) {
    return fmt::format(
        "it is the image {}, and its own command: install its program by a set-up step", image);
  }
  if (!has_command) {
    return "its command is the image's: write it here";
  }
  return "";
}

constexpr auto k_oneshot = "oneshot: true";

/// Those that others wait for to end.
void make_oneshots(ComposeImport& import) {
  std::set<std::string> names;
  for (const auto& [unused, dependencies] : import.dependencies) {
    for (const auto& [there, dependency] : dependencies) {
      if (const auto known = import.names.find(there);
          dependency.condition == "completed" && known != import.names.end()) {
        names.insert(known->second);
      }
    }
  }
  for (auto& service : import.draft.services) {
    if (names.contains(service.name)) {
      std::erase_if(service.lines, [](const auto& line) {
        return line.starts_with("restart:") || line.starts_with("max_restarts:")
               || line.starts_with("readiness:");
      });
      service.lines.insert(service.lines.begin(), k_oneshot);
    }
  }
}

} // namespace

bool is_known_server(const std::string& image) {
  Draft unused;
  return add_known_server(unused, "x", image, {});
}

void add_compose_service(ComposeImport& import, const spec::Entry& entry) {
  auto& draft = import.draft;
  const auto address = "services." + entry.key;
  const auto name = name_from(entry.key);
  const auto& service = entry.value;
  const bool is_taken = std::any_of(
      draft.services.begin(), draft.services.end(), [&](const auto& other) { return other.name == name; });
  if (name.empty() || is_taken || !service.is_map()) {
    draft.lost(
        entry.key_place, address, service.is_map() ? "its name cannot be one here" : "it has no fields");
    return;
  }
  read_other_keys(draft, service, address);
  read_sizes(import, service, address);
  const auto env = compose_env(draft, service, address);
  const auto image = from_compose_variables(text_of_node(service.find("image")));
  const auto command = command_of(service);
  const bool is_alpine = draft.image.find("alpine") != std::string::npos;
  if (service.find("build") == nullptr && !is_alpine && add_known_server(draft, name, image, env)) {
    import.names[entry.key] = name;
    read_volumes(draft, service, address, false);
    const auto ports = compose_ports(import, service, address, name);
    auto& made = *std::find_if(
        draft.services.begin(), draft.services.end(), [&](const auto& one) { return one.name == name; });
    if (!ports.empty()) {
      made.lines.push_back("ports: " + quoted_list(ports));
    }
    if (command) {
      draft.lost(
          service.find("command") != nullptr ? service.find("command")->place : service.place,
          address + ".command", "the server is started as Debian's: add its options");
    }
    read_dependencies(import, service, name);
    return;
  }
  DraftService made{name, "", {}};
  made.comment = why_commented(import, entry.key, service, image, command.has_value());
  made.is_commented = !made.comment.empty();
  if (made.is_commented) {
    draft.lost(entry.key_place, address, made.comment);
  } else {
    import.names[entry.key] = name;
    if (!image.empty() && image != draft.image && service.find("build") == nullptr) {
      draft.lost(
          service.find("image")->place, address + ".image",
          fmt::format("one image for all, which is {}: install what it needs by a set-up step", draft.image));
    }
  }
  made.lines.push_back("command: " + command.value_or("\"\""));
  if (const auto user = from_compose_variables(text_of_node(service.find("user"))); !user.empty()) {
    made.lines.push_back("user: " + quoted(user));
  }
  if (const auto directory = text_of_node(service.find("working_dir")); directory.starts_with('/')) {
    made.lines.push_back("workdir: " + quoted(directory));
  }
  if (!env.empty()) {
    made.lines.emplace_back("env:");
    for (const auto& [variable, value] : env) {
      made.lines.push_back(fmt::format("  {}: {}", variable, quoted(value)));
    }
  }
  read_volumes(draft, service, address, entry.key == import.image_of || draft.seed_to.empty());
  add_compose_parts(import, service, address, made);
  read_dependencies(import, service, name);
  draft.services.push_back(std::move(made));
}

void finish_compose(ComposeImport& import) {
  auto& draft = import.draft;
  const auto find = [&](const std::string& name) {
    return std::find_if(
        draft.services.begin(), draft.services.end(), [&](const auto& one) { return one.name == name; });
  };
  make_oneshots(import);
  for (const auto& [name, dependencies] : import.dependencies) {
    std::vector<std::string> items;
    for (const auto& [there, dependency] : dependencies) {
      const auto known = import.names.find(there);
      if (known == import.names.end()) {
        draft.lost(
            dependency.place, fmt::format("services.{}.depends_on.{}", name, there),
            "that service does not run here");
        continue;
      }
      const auto& lines = find(known->second)->lines;
      const bool is_oneshot = std::find(lines.begin(), lines.end(), k_oneshot) != lines.end();
      const auto condition = is_oneshot ? "" : dependency.condition; // which is to wait for its end
      std::vector<std::string> fields;
      if (!condition.empty()) {
        fields.push_back("condition: " + condition);
      }
      if (dependency.restart) {
        fields.emplace_back("restart: true");
      }
      items.push_back(fmt::format("  {}: {{{}}}", known->second, fmt::join(fields, ", ")));
      if (find(known->second + "-database") != draft.services.end()) {
        items.push_back(fmt::format("  {}-database: {{}}", known->second));
      }
    }
    if (const auto service = find(name); !items.empty() && service != draft.services.end()) {
      service->lines.emplace_back("depends_on:");
      service->lines.insert(service->lines.end(), items.begin(), items.end());
    }
  }
  if (import.memory > 0) {
    draft.resources["memory"] = mebibytes(import.memory);
  }
  if (import.cpus > 0) {
    draft.resources["cpus"] = std::to_string(static_cast<int>(std::ceil(import.cpus)));
  }
  if (draft.workdir.empty()) {
    draft.workdir = draft.seed_to;
  }
}

} // namespace pyro::foreign

#include "field_changes.hpp"

#include <pyro/base/text.hpp>
#include <pyro/base/units.hpp>

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>

namespace pyro::plan {

namespace {

struct Rule {
  std::string_view pattern; // parts; "*" stands for one part; a match of the front is enough
  FieldEffect effect;
};

using enum FieldEffect;

constexpr std::array k_rules{
    Rule{"description", update},
    Rule{"labels", update},
    Rule{"secrets.*.for", update},
    Rule{"secrets.*.as", update},
    Rule{"secrets.*.allow", update},
    Rule{"secrets", none},
    Rule{"isolation", backend},
    Rule{"backend", backend},
    Rule{"environment.image", image_text},
    Rule{"environment.platform", none}, // another one than this machine's is refused
    Rule{"environment.resources.cpus", live_resize},
    Rule{"environment.resources.memory", live_resize},
    Rule{"environment.resources.pids", live_resize},
    Rule{"environment.resources.disk", disk},
    Rule{"environment.user", update},
    Rule{"environment.workdir", update},
    Rule{"environment.env", update},
    Rule{"environment.ca", none}, // its step says what changed
    Rule{"environment.setup.*.timeout_ms", none},
    Rule{"environment.setup.*.retries", none},
    Rule{"seed.on_change", none},
    Rule{"prepare.*.timeout_ms", none},
    Rule{"prepare.*.retries", none},
    Rule{"services.*.depends_on", none},
    Rule{"services.*.oneshot_per", update},
    Rule{"services.*.readiness", update},
    Rule{"services.*.liveness", update},
    Rule{"services.*.restart", update},
    Rule{"services.*.max_restarts", update},
    Rule{"services.*.timeout_ms", update},
    Rule{"services.*.stop", update},
    Rule{"services.*.ports", update},
    Rule{"services.*.hint", update},
    Rule{"retention", update},
    Rule{"reset", none},
    Rule{"drift", update},
    Rule{"network.egress", egress},
    Rule{"lifecycle", update},
    Rule{"mounts", reboot},
};

struct Leaf {
  std::vector<std::string> path;
  Json value;
  std::string display;
};

std::string port_text(const Json& port) {
  auto inner = std::to_string(port.value("port", 0));
  const auto address = port.value("address", std::string{});
  if (!port.contains("host_port") || port["host_port"].is_null()) {
    return inner;
  }
  const auto outer = std::to_string(port["host_port"].get<int>());
  return address == "127.0.0.1" ? outer + ":" + inner : fmt::format("{}:{}:{}", address, outer, inner);
}

std::string display_of(const std::string& key, const Json& value) {
  if (value.is_null()) {
    return "none";
  }
  if (key.ends_with("_ms") && value.is_number_integer()) {
    return format_duration(std::chrono::milliseconds{value.get<std::int64_t>()});
  }
  if (value.is_object() && value.contains("from") && value.contains("to")) {
    return fmt::format(
        "{}:{}:{}", string_or(value, "from", ""), string_or(value, "to", ""), string_or(value, "mode", ""));
  }
  const bool is_size = key == "memory" || key == "disk" || key == "max_size";
  if (is_size && value.is_number_integer() && value > 0) {
    return format_bytes(value.get<std::uint64_t>());
  }
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const auto& item : value) {
      items.push_back(key == "ports" && item.is_object() ? port_text(item) : display_of("", item));
    }
    return items.empty() ? "none" : fmt::format("{}", fmt::join(items, ", "));
  }
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Lists of steps become maps by id, so that their fields have addresses.
bool is_step_list(const std::vector<std::string>& path, const Json& value) {
  return value.is_array() && !path.empty() && (path.back() == "setup" || path[0] == "prepare")
         && path.size() <= 2;
}

void flatten(const Json& value, std::vector<std::string>& path, std::map<std::string, Leaf>& leaves) {
  const auto descend = [&](const std::string& key, const Json& child) {
    path.push_back(key);
    flatten(child, path, leaves);
    path.pop_back();
  };
  if (is_step_list(path, value)) {
    for (const auto& step : value) {
      descend(step.is_object() ? string_or(step, "id", "") : "", step);
    }
  } else if (value.is_object()) {
    for (const auto& [key, child] : value.items()) {
      descend(key, child);
    }
  } else {
    leaves[fmt::format("{}", fmt::join(path, "."))] = {
        path, value, display_of(path.empty() ? "" : path.back(), value)};
  }
}

const Rule* rule_for(const std::vector<std::string>& path, std::size_t& length) {
  for (const auto& rule : k_rules) {
    const auto parts = fields_of(rule.pattern, '.');
    bool fits = parts.size() <= path.size();
    for (std::size_t i = 0; fits && i < parts.size(); ++i) {
      fits = parts[i] == "*" || parts[i] == path[i];
    }
    if (fits) {
      length = parts.size();
      return &rule;
    }
  }
  return nullptr;
}

std::string without_unit(std::string text) {
  if (text.ends_with("_ms")) {
    text.resize(text.size() - 3);
  }
  return text;
}

/// Things that are named by the user and may come or go as a whole: handled elsewhere.
std::optional<std::string> owner_of(const std::vector<std::string>& path) {
  if (path.size() > 2 && path[0] == "environment" && path[1] == "setup") {
    return fmt::format("environment.setup.{}.", path[2]);
  }
  if (path.size() > 1 && (path[0] == "services" || path[0] == "prepare")) {
    return fmt::format("{}.{}.", path[0], path[1]);
  }
  return std::nullopt;
}

bool has_owner(const std::map<std::string, Leaf>& leaves, const std::string& prefix) {
  const auto found = leaves.lower_bound(prefix);
  return found != leaves.end() && found->first.starts_with(prefix);
}

/// What stands at an address that may have parts: its value, or what kind of thing it is.
std::string display_of_whole(const std::map<std::string, Leaf>& leaves, const std::string& address) {
  if (const auto leaf = leaves.find(address); leaf != leaves.end()) {
    return leaf->second.display;
  }
  const auto kind = leaves.find(address + ".kind");
  return kind == leaves.end() ? "" : kind->second.display;
}

} // namespace

std::vector<FieldChange> field_changes(const Json& before, const Json& after) {
  std::map<std::string, Leaf> old_leaves;
  std::map<std::string, Leaf> new_leaves;
  std::vector<std::string> path;
  flatten(before, path, old_leaves);
  flatten(after, path, new_leaves);

  std::map<std::string, FieldChange> changes;
  const auto compare = [&](const std::string& address, const Leaf& leaf) {
    const auto old_leaf = old_leaves.find(address);
    const auto new_leaf = new_leaves.find(address);
    const bool both = old_leaf != old_leaves.end() && new_leaf != new_leaves.end();
    if (both && old_leaf->second.value == new_leaf->second.value) {
      return;
    }
    const auto owner = owner_of(leaf.path);
    if (owner && (!has_owner(old_leaves, *owner) || !has_owner(new_leaves, *owner))) {
      return;
    }
    std::size_t length = 0;
    const Rule* rule = rule_for(leaf.path, length);
    if (!rule) {
      return;
    }
    const auto first = leaf.path.begin();
    const auto cut = first + static_cast<std::ptrdiff_t>(length);
    const std::vector<std::string> group(first, cut);
    FieldChange change;
    change.address = without_unit(fmt::format("{}", fmt::join(group, ".")));
    change.field = without_unit(fmt::format("{}", fmt::join(cut - 1, leaf.path.end(), ".")));
    if (leaf.path.size() > 1 && leaf.path[0] == "services") {
      change.service = leaf.path[1];
    }
    change.effect = rule->effect;
    const auto whole = fmt::format("{}", fmt::join(group, "."));
    if (old_leaves.contains(whole)
        != new_leaves.contains(whole)) { // none on one side: "readiness", not its parts
      change.field = without_unit(group.back());
      change.before = display_of_whole(old_leaves, whole);
      change.after = display_of_whole(new_leaves, whole);
    } else {
      change.before = old_leaf == old_leaves.end() ? "" : old_leaf->second.display;
      change.after = new_leaf == new_leaves.end() ? "" : new_leaf->second.display;
    }
    changes.emplace(change.address, std::move(change));
  };
  for (const auto& [address, leaf] : new_leaves) {
    compare(address, leaf);
  }
  for (const auto& [address, leaf] : old_leaves) {
    if (!new_leaves.contains(address)) {
      compare(address, leaf);
    }
  }
  std::vector<FieldChange> result;
  for (auto& [address, change] : changes) {
    result.push_back(std::move(change));
  }
  return result;
}

} // namespace pyro::plan

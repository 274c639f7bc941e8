#include "policy.hpp"

#include <pyro/base/names.hpp>
#include <pyro/spec/yaml_tree.hpp>

#include <algorithm>
#include <optional>

namespace pyro::plan {

namespace {

using spec::Node;
using spec::NodeKind;

constexpr std::size_t k_most_rules = 1000;

template <typename Enum>
std::optional<Enum> enum_of(std::string_view name, std::vector<std::string>& known) {
  for (int number = 0;; ++number) {
    const auto value = static_cast<Enum>(number);
    if (name_of(value) == "?") {
      return std::nullopt;
    }
    if (name_of(value) == name) {
      return value;
    }
    known.emplace_back(name_of(value));
  }
}

class PolicyReader {
public:
  explicit PolicyReader(std::vector<spec::Diagnostic>& problems) : m_problems(problems) {}

  Policy read(const Node& root) {
    if (!root.is_map()) {
      refuse(root.place, "", "a policy is a map", "version: 1, and below deny: a list of rules");
      return {};
    }
    Policy policy;
    bool has_version = false;
    for (const auto& entry : root.entries) {
      if (entry.key == "version") {
        has_version = true;
        if (text_of(entry, "version") != "1") {
          refuse(entry.value.place, "version", "this pyro reads version 1 of policies");
        }
      } else if (entry.key == "deny") {
        read_rules(entry, policy);
      } else {
        unknown(entry, "", {"version", "deny"});
      }
    }
    if (!has_version) {
      refuse(root.place, "version", "'version' is missing", "write version: 1");
    }
    return policy;
  }

private:
  void refuse(const Position& place, std::string address, std::string message, std::string hint = {}) {
    m_problems.push_back(
        {spec::Severity::error, "policy", place, std::move(address), std::move(message), std::move(hint),
         std::nullopt});
  }

  void unknown(const spec::Entry& entry, const std::string& address, const std::vector<std::string>& known) {
    const auto near = nearest(entry.key, known);
    refuse(
        entry.key_place, address, fmt::format("unknown key '{}'", entry.key),
        near.empty() ? fmt::format("known here: {}", fmt::join(known, ", "))
                     : fmt::format("did you mean '{}'?", near));
  }

  std::string text_of(const spec::Entry& entry, const std::string& address) {
    if (!entry.value.is_scalar()) {
      refuse(entry.key_place, address, fmt::format("expected a text, found {}", words_for(entry.value.kind)));
      return {};
    }
    return entry.value.text;
  }

  void read_rules(const spec::Entry& list, Policy& policy) {
    if (!list.value.is_list() || list.value.items.size() > k_most_rules) {
      refuse(list.key_place, "deny", fmt::format("expected a list of at most {} rules", k_most_rules));
      return;
    }
    for (std::size_t i = 0; i < list.value.items.size(); ++i) {
      read_rule(list.value.items[i], fmt::format("deny[{}]", i), policy);
    }
  }

  void read_rule(const Node& node, const std::string& address, Policy& policy) {
    if (!node.is_map()) {
      refuse(node.place, address, fmt::format("a rule is a map, not {}", words_for(node.kind)));
      return;
    }
    PolicyRule rule;
    rule.place = node.place;
    bool names_something = false;
    for (const auto& entry : node.entries) {
      const auto here = address + "." + entry.key;
      const bool chooses = read_condition(entry, here, rule);
      names_something = names_something || chooses;
      if (entry.key == "name") {
        rule.name = text_of(entry, here);
      } else if (entry.key == "message") {
        rule.message = text_of(entry, here);
      } else if (!chooses) {
        unknown(entry, address, {"name", "message", "actions", "reasons", "addresses", "discards"});
      }
    }
    if (rule.name.empty()) {
      refuse(node.place, address, "a rule needs a name", "it is what a denied plan says");
    }
    if (!names_something) {
      refuse(
          node.place, address, "a rule that names nothing would deny everything",
          "write actions, reasons, addresses or discards: true");
    }
    policy.rules.push_back(std::move(rule));
  }

  /// False: the key is none that chooses actions.
  bool read_condition(const spec::Entry& entry, const std::string& address, PolicyRule& rule) {
    if (entry.key == "actions") {
      read_names(entry, address, "action", rule.actions);
    } else if (entry.key == "reasons") {
      read_names(entry, address, "reason", rule.reasons);
    } else if (entry.key == "addresses") {
      each_text(
          entry, address, [&](const Node& item, const std::string&) { rule.addresses.push_back(item.text); });
    } else if (entry.key == "discards") {
      const auto text = text_of(entry, address);
      if (text != "true" && text != "false") {
        refuse(entry.key_place, address, fmt::format("'{}' is neither true nor false", text));
      }
      rule.only_discards = text == "true";
    } else {
      return false;
    }
    return true;
  }

  template <typename Visit>
  void each_text(const spec::Entry& list, const std::string& address, const Visit& visit) {
    if (!list.value.is_list() || list.value.items.empty()) {
      refuse(list.key_place, address, "expected a list that is not empty", "write [a, b]");
      return;
    }
    for (const auto& item : list.value.items) {
      if (!item.is_scalar() || item.text.empty()) {
        refuse(item.place, address, fmt::format("expected a text, found {}", words_for(item.kind)));
      } else {
        visit(item, item.text);
      }
    }
  }

  template <typename Enum>
  void read_names(
      const spec::Entry& list, const std::string& address, std::string_view noun, std::vector<Enum>& out) {
    each_text(list, address, [&](const Node& item, const std::string& text) {
      std::vector<std::string> known;
      if (const auto value = enum_of<Enum>(text, known)) {
        out.push_back(*value);
        return;
      }
      const auto near = nearest(text, known);
      refuse(
          item.place, address, fmt::format("'{}' is no {}", text, noun),
          near.empty() ? fmt::format("they are: {}", fmt::join(known, ", "))
                       : fmt::format("did you mean '{}'?", near));
    });
  }

  std::vector<spec::Diagnostic>& m_problems;
};

template <typename List, typename Value>
bool is_open_or_has(const List& list, const Value& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

bool breaks(const PolicyRule& rule, const Action& action) {
  const bool fits =
      rule.addresses.empty()
      || std::any_of(rule.addresses.begin(), rule.addresses.end(), [&](const std::string& pattern) {
           return fits_address(pattern, action.address);
         });
  const bool is_meant = is_change(action.kind) || !rule.actions.empty();
  return is_meant && fits && is_open_or_has(rule.actions, action.kind)
         && is_open_or_has(rule.reasons, action.reason.code)
         && (!rule.only_discards || !action.discards.empty());
}

} // namespace

bool fits_address(std::string_view pattern, std::string_view address) {
  // Which beginnings of the address the pattern so far stands for.
  std::vector<bool> reached(address.size() + 1, false);
  reached[0] = true;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    std::vector<bool> next(address.size() + 1, false);
    if (pattern[p] == '*') {
      const bool takes_dots = pattern.substr(p).starts_with("**");
      p += takes_dots ? 1 : 0;
      for (std::size_t a = 0; a <= address.size(); ++a) {
        next[a] = reached[a] || (a > 0 && next[a - 1] && (takes_dots || address[a - 1] != '.'));
      }
    } else {
      for (std::size_t a = 0; a < address.size(); ++a) {
        next[a + 1] = reached[a] && address[a] == pattern[p];
      }
    }
    reached = std::move(next);
  }
  return reached.back();
}

Policy read_policy(std::string_view text, const std::string& file) {
  std::vector<spec::Diagnostic> problems;
  const auto tree = spec::parse_yaml(text, file, problems);
  Policy policy;
  if (problems.empty()) {
    policy = PolicyReader(problems).read(tree);
  }
  if (problems.empty()) {
    return policy;
  }
  std::vector<std::string> lines;
  for (std::size_t i = 0; problems.size() > 1 && i < std::min(problems.size(), spec::k_max_diagnostics);
       ++i) {
    lines.push_back(spec::to_string(problems[i]));
  }
  const auto& first = problems.front();
  throw Error(
      ErrorCode::invalid_file, "{}{}{}", first.address, first.address.empty() ? "" : ": ", first.message)
      .with_hint(first.hint)
      .at(first.place.line > 0 ? first.place : Position{file, 1, 1})
      .with_output(std::move(lines));
}

std::vector<Denial> denials_of(const Policy& policy, const Plan& plan) {
  std::vector<Denial> denials;
  for (const auto& action : plan.actions) {
    for (const auto& rule : policy.rules) {
      if (breaks(rule, action)) {
        denials.push_back({rule.name, rule.message, rule.place, action.address, action.kind});
      }
    }
  }
  return denials;
}

} // namespace pyro::plan

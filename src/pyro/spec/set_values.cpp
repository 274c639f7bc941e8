#include "set_values.hpp"

#include <algorithm>
#include <charconv>

namespace pyro::spec {

namespace {

/// "services.api.ports[0]" → services, api, ports, [0].
std::vector<std::string> parts_of(std::string_view address) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : address) {
    if (c == '.' || c == '[') {
      parts.push_back(std::move(part));
      part = c == '[' ? "[" : "";
    } else {
      part += c;
    }
  }
  parts.push_back(std::move(part));
  std::erase(parts, ""); // "a[0].b" has one between ] and .
  return parts;
}

std::optional<std::size_t> index_in(const std::string& part) {
  std::size_t index = 0;
  const auto* const end = part.data() + part.size();
  const auto* const first = part.data() + 1;
  const bool is_index = part.size() > 2 && part.front() == '[' && part.back() == ']';
  if (!is_index || std::from_chars(first, end - 1, index).ptr != end - 1) {
    return std::nullopt;
  }
  return index;
}

class Setter {
public:
  Setter(Context& context, std::string address, std::string value)
      : m_context(context), m_address(std::move(address)), m_value(std::move(value)) {
    m_place = {"--set " + m_address, 1, 1};
  }

  void apply(Node& tree) {
    const auto parts = parts_of(m_address);
    if (parts.empty() || m_address.ends_with('.') || m_address.starts_with('.')) {
      fail("value", fmt::format("'{}' is no address of a field", m_address), "services.api.env.PORT=8081");
      return;
    }
    if (parts.front() == "profiles" || parts.front() == "version") {
      fail("value", fmt::format("'{}' cannot be set", parts.front()), "--profile NAME chooses one");
      return;
    }
    auto value = read_value();
    if (!value) {
      return;
    }
    Node* node = &tree;
    for (std::size_t i = 0; i + 1 < parts.size() && node != nullptr; ++i) {
      node = step_into(*node, parts[i]);
    }
    if (node != nullptr) {
      put(*node, parts.back(), std::move(*value));
    }
  }

private:
  void fail(std::string code, std::string message, std::string hint = {}) {
    m_context.error_at(m_place, std::move(code), m_address, std::move(message), std::move(hint));
  }

  std::optional<Node> read_value() {
    Node node;
    node.place = m_place;
    const bool is_yaml =
        !m_value.empty() && std::string_view("[{\"'").find(m_value[0]) != std::string_view::npos;
    if (m_value == "null") {
      return node;
    }
    if (!is_yaml) {
      node.kind = NodeKind::scalar;
      node.text = m_value;
      return node;
    }
    std::vector<Diagnostic> problems;
    node = parse_yaml(m_value, m_place.file, problems);
    for (auto& problem : problems) {
      problem.address = m_address;
      m_context.diagnostics.push_back(std::move(problem));
    }
    return problems.empty() ? std::optional(std::move(node)) : std::nullopt;
  }

  /// The entry or item of that name; an entry is made where there is none. nullptr: there is a diagnostic.
  Node* step_into(Node& node, const std::string& part) {
    if (node.is_list()) {
      return item_of(node, part);
    }
    if (part.front() == '[') {
      fail("value", fmt::format("'{}' is no list", m_address.substr(0, m_address.find(part))));
      return nullptr;
    }
    if (node.kind == NodeKind::null) {
      node.kind = NodeKind::map;
      node.place = m_place;
    }
    if (!node.is_map()) {
      fail("value", fmt::format("'{}' has no fields: it is {}", part_before(part), words_for(node.kind)));
      return nullptr;
    }
    if (Node* found = node.find(part)) {
      return found;
    }
    node.entries.push_back({part, m_place, Node{}});
    node.entries.back().value.place = m_place;
    return &node.entries.back().value;
  }

  std::string part_before(const std::string& part) const {
    const auto at = m_address.find("." + part);
    return at == std::string::npos ? m_address : m_address.substr(0, at);
  }

  Node* item_of(Node& list, const std::string& part) {
    if (const auto index = index_in(part); index && *index < list.items.size()) {
      return &list.items[*index];
    }
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const Node* id = list.items[i].find("id");
      ids.push_back(id != nullptr && id->is_scalar() ? id->text : fmt::format("[{}]", i));
      if (ids.back() == part) {
        return &list.items[i];
      }
    }
    fail(
        "reference", fmt::format("there is no '{}' in this list", part),
        fmt::format("it has: {}", fmt::join(ids, ", ")));
    return nullptr;
  }

  void put(Node& node, const std::string& part, Node value) {
    if (value.kind == NodeKind::null && node.is_map()) {
      std::erase_if(node.entries, [&](const Entry& entry) { return entry.key == part; });
      return;
    }
    if (Node* target = step_into(node, part)) {
      *target = std::move(value);
    }
    for (auto& entry : node.entries) {
      if (entry.key == part) {
        entry.key_place = m_place; // an error of the field is one of the flag
      }
    }
  }

  Context& m_context;
  std::string m_address;
  std::string m_value;
  Position m_place;
};

} // namespace

void apply_sets(Context& context, Node& tree, const std::vector<std::pair<std::string, std::string>>& sets) {
  for (const auto& [address, value] : sets) {
    Setter(context, address, value).apply(tree);
  }
}

} // namespace pyro::spec

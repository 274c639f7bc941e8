#include "interpolate.hpp"

namespace pyro::spec {

namespace {

class Interpolator {
public:
  Interpolator(Context& context, const Lookup& lookup) : m_context(context), m_lookup(lookup) {}

  void visit(Node& node, const std::string& address) {
    if (node.is_scalar()) {
      m_variable.clear();
      m_variables.clear();
      node.text = expand(node, address);
      if (const auto declared = m_lookup.places.find(m_variable); declared != m_lookup.places.end()) {
        node.variable = m_variable;
        node.variable_place = declared->second;
      }
      node.variables = m_variables;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      visit(node.items[i], fmt::format("{}[{}]", address, i));
    }
    for (auto& entry : node.entries) {
      const bool own_rules = address.empty() && (entry.key == "vars" || entry.key == "profiles");
      const bool free_keys = address == "labels" || address.ends_with(".headers");
      if (!own_rules && (free_keys || !entry.key.starts_with("x-"))) {
        visit(entry.value, join(address, entry.key));
      }
    }
  }

private:
  /// Of a declared variable; empty: the file has none.
  std::string description_of(const std::string& name) const {
    const auto found = m_lookup.descriptions.find(name);
    return found == m_lookup.descriptions.end() ? std::string() : found->second;
  }

  std::string expand(const Node& node, const std::string& address) {
    const std::string_view text = node.text;
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '$' || i + 1 == text.size() || (text[i + 1] != '$' && text[i + 1] != '{')) {
        result += text[i];
        continue;
      }
      if (text[i + 1] == '$') {
        result += '$';
        ++i;
        continue;
      }
      const auto end = text.find('}', i);
      if (end == std::string_view::npos) {
        m_context.error(node, "interpolation", address, "'${' without '}'", "write $$ for a dollar sign");
        return result;
      }
      result += resolve(node, address, text.substr(i + 2, end - i - 2));
      i = end;
    }
    return result;
  }

  std::string resolve(const Node& node, const std::string& address, std::string_view expression) {
    const std::string_view body = expression.starts_with("env:") ? expression.substr(4) : expression;
    const bool of_host = body.size() != expression.size();
    const auto colon = body.find(':');
    const std::string name(body.substr(0, colon));
    const std::string_view rest =
        colon == std::string_view::npos ? std::string_view{} : body.substr(colon + 1);
    const bool bad_operator =
        colon != std::string_view::npos && !rest.starts_with('-') && !rest.starts_with('?');
    const bool bad_name = name.empty() || name.find_first_of(" ${\n") != std::string::npos;
    if (bad_name || bad_operator || rest.find("${") != std::string_view::npos) {
      m_context.error(
          node, "interpolation", address, fmt::format("'${{{}}}' is not understood", expression),
          "forms: ${name}, ${env:NAME}, ${name:-default}, ${name:?message}; $$ for a dollar sign");
      return {};
    }
    if (!of_host && m_lookup.withheld.contains(name)) {
      m_variables.push_back(name);
      m_context.note_withheld(node);
      return *m_lookup.vars.at(name);
    }
    const auto answer = of_host ? host_answer(address, name) : declared_value(node, address, name);
    if (answer.is_withheld()) {
      m_context.note_withheld(node);
      return fmt::format("${{{}}}", expression);
    }
    const auto& value = answer.value();
    if (value) {
      return *value;
    }
    if (rest.starts_with('-')) {
      return std::string(rest.substr(1));
    }
    const bool known = of_host || m_lookup.vars.contains(name);
    if (known) {
      const auto description = of_host ? std::string() : description_of(name);
      const auto message =
          rest.empty() ? std::string("it has no value and no default") : std::string(rest.substr(1));
      m_context.error(
          node, "interpolation", address,
          fmt::format("{} '{}': {}", of_host ? "host variable" : "variable", name, message),
          of_host ? fmt::format("set {} or write ${{env:{}:-default}}", name, name)
                  : fmt::format(
                      "pass --var {}=… or give it a default{}", name,
                      description.empty() ? "" : "; it is: " + description));
    }
    return {};
  }

  HostAnswer host_answer(const std::string& address, const std::string& name) {
    m_context.host_variables.push_back({name, address});
    return m_lookup.host_env ? m_lookup.host_env(name) : HostAnswer(std::nullopt);
  }

  std::optional<std::string>
  declared_value(const Node& node, const std::string& address, const std::string& name) {
    const auto found = m_lookup.vars.find(name);
    if (found != m_lookup.vars.end()) {
      m_variable = name;
      m_variables.push_back(name);
      return found->second;
    }
    std::vector<std::string> names;
    for (const auto& [declared, unused] : m_lookup.vars) {
      names.push_back(declared);
    }
    const auto near = nearest(name, names);
    m_context.error(
        node, "interpolation", address, fmt::format("'{}' is not declared in vars", name),
        near.empty()
            ? fmt::format("for the shell's own write $${{{}}}, for the host's ${{env:{}}}", name, name)
            : fmt::format("did you mean '{}'?", near));
    return std::nullopt;
  }

  Context& m_context;
  const Lookup& m_lookup;
  std::string m_variable;               // the last one whose value went into the present text
  std::vector<std::string> m_variables; // all of them
};

} // namespace

void interpolate(Context& context, Node& root, const Lookup& lookup) {
  Interpolator(context, lookup).visit(root, "");
}

} // namespace pyro::spec

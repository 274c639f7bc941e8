// Diagnostics, places and names: what the readers of one file share.
#include "reader.hpp"

namespace pyro::spec {

std::string join(std::string_view address, std::string_view key) {
  return address.empty() ? std::string(key) : fmt::format("{}.{}", address, key);
}

void Context::note(const std::string& address, const Position& place, const Node& value) {
  positions[address] = place;
  if (!value.variables.empty()) {
    variables[address].insert(value.variables.begin(), value.variables.end());
  }
}

bool is_name(std::string_view text) {
  const auto is_alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 63 && is_alnum(text[0])
         && std::all_of(
             text.begin(), text.end(), [&](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

void Context::error_at(
    Position place, std::string code, std::string address, std::string message, std::string hint) {
  diagnostics.push_back(
      {Severity::error, std::move(code), std::move(place), std::move(address), std::move(message),
       std::move(hint), std::nullopt});
}

void Context::warning_at(
    Position place, std::string code, std::string address, std::string message, std::string hint) {
  diagnostics.push_back(
      {Severity::warning, std::move(code), std::move(place), std::move(address), std::move(message),
       std::move(hint), std::nullopt});
}

void Context::error(
    const Node& node, std::string code, std::string address, std::string message, std::string hint) {
  error_at(node.place, std::move(code), std::move(address), std::move(message), std::move(hint));
  if (!node.profile.empty()) {
    auto& added = diagnostics.back();
    added.message += fmt::format(" (from profile {}", node.profile);
    added.message += node.overrides ? fmt::format(", overriding {})", to_string(*node.overrides)) : ")";
    added.other = node.overrides;
  }
  if (node.variable_place) {
    auto& added = diagnostics.back();
    added.message +=
        fmt::format(" (the value of vars.{} at {})", node.variable, to_string(*node.variable_place));
    added.other = added.other ? added.other : node.variable_place;
  }
}

bool Context::has_errors() const {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::error;
  });
}

} // namespace pyro::spec

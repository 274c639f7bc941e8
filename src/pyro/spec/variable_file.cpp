#include "variable_file.hpp"

#include "yaml_tree.hpp"

namespace pyro::spec {

std::vector<VariableValue> read_variable_file(std::string_view text, const std::string& file) {
  std::vector<Diagnostic> problems;
  const Node tree = parse_yaml(text, file, problems);
  const auto refuse = [&](const Position& place, std::string address, std::string message, std::string hint) {
    problems.push_back(
        {Severity::error, "type", place, std::move(address), std::move(message), std::move(hint),
         std::nullopt});
  };
  std::vector<VariableValue> values;
  if (problems.empty() && tree.kind != NodeKind::null && !tree.is_map()) {
    refuse(tree.place, "", "a file of variables is a map", "write a line NAME: value for each");
  }
  for (const auto& entry : tree.entries) {
    if (entry.value.is_scalar()) {
      values.push_back({entry.key, entry.value.text, entry.key_place});
    } else {
      refuse(
          entry.key_place, entry.key,
          fmt::format("expected one value, found {}", words_for(entry.value.kind)), "");
    }
  }
  if (problems.empty()) {
    return values;
  }
  std::vector<std::string> lines;
  for (std::size_t i = 0; problems.size() > 1 && i < std::min(problems.size(), k_max_diagnostics); ++i) {
    lines.push_back(to_string(problems[i]));
  }
  const auto& first = problems.front();
  throw Error(
      ErrorCode::invalid_file, "{}{}{}", first.address, first.address.empty() ? "" : ": ", first.message)
      .with_hint(first.hint)
      .at(first.place)
      .with_output(std::move(lines));
}

} // namespace pyro::spec

// Diagnostics, places and names: what the readers of one file share.
#include "reader.hpp"

namespace pyro::spec {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

} // namespace

std::string join(std::string_view address, std::string_view key) {
  return address.empty() ? std::string(key) : fmt::format("{}.{}", address, key);
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  if (word.size() > 64) {
    return best;
  }
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
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
}

bool Context::has_errors() const {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::error;
  });
}

} // namespace pyro::spec

#include "names.hpp"

#include "text.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace pyro {

namespace {

/// Edits between two words; two neighbours swapped count as one.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    const auto older = std::move(before);
    before = row;
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t change = left[i - 1] == right[j - 1] ? 0 : 1;
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + change});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
        row[j] = std::min(row[j], older[j - 2] + 1);
      }
    }
  }
  return row.back();
}

} // namespace

std::string nearest(std::string_view text, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, std::min<std::size_t>(3, text.size() / 2)) + 1;
  for (const auto& candidate : candidates) {
    if (text.size() > 64 || candidate.size() > 64) {
      continue;
    }
    const auto edits = distance(text, candidate);
    const bool has_something_in_common = edits < std::max(text.size(), candidate.size());
    if (edits < best_distance && has_something_in_common) {
      best_distance = edits;
      best = candidate;
    }
  }
  return best;
}

std::string listed(std::vector<std::string> names, std::size_t most) {
  const auto count = names.size();
  names.resize(std::min(count, most));
  return fmt::format(
      "{}{}", fmt::join(names, ", "), count > most ? fmt::format(" and {} more", count - most) : "");
}

std::string names_hint(std::string_view word, std::vector<std::string> names) {
  constexpr std::size_t k_most = 20;
  if (names.empty()) {
    return "";
  }
  const auto near = nearest(word, names);
  const std::string_view verb = names.size() == 1 ? "is" : "are";
  const auto all = listed(std::move(names), k_most);
  return near.empty() ? fmt::format("there {} {}", verb, all)
                      : fmt::format("did you mean '{}'? There {} {}", near, verb, all);
}

} // namespace pyro

#include "intervals.hpp"

#include <algorithm>
#include <iterator>

void Intervals::add(int first, int end) {
  if (first >= end) {
    return;
  }
  auto at = m_ends.upper_bound(first);
  if (at != m_ends.begin() && std::prev(at)->second >= first) {
    --at;
  }
  while (at != m_ends.end() && at->first <= end) {
    first = std::min(first, at->first);
    end = std::max(end, at->second);
    at = m_ends.erase(at);
  }
  m_ends.emplace(first, end);
}

bool Intervals::contains(int number) const {
  const auto after = m_ends.upper_bound(number);
  return after != m_ends.begin() && number < std::prev(after)->second;
}

// A set of whole numbers, kept as the intervals that it consists of.
#pragma once

#include <map>

class Intervals {
public:
  /// Adds the numbers from `first` up to, but not with, `end`.
  void add(int first, int end);
  bool contains(int number) const;
  /// Intervals with a gap between them.
  std::size_t count() const { return m_ends.size(); }

private:
  std::map<int, int> m_ends; // of each interval, by its first number
};

#include "line_diff.hpp"

#include <algorithm>
#include <unordered_map>

namespace pyro::store {

namespace {

using Ids = std::vector<int>;

/// Equal lines get equal numbers: comparing is then cheap.
Ids numbered(const std::vector<std::string_view>& lines, std::unordered_map<std::string_view, int>& ids) {
  Ids result;
  result.reserve(lines.size());
  for (const std::string_view line : lines) {
    result.push_back(ids.try_emplace(line, static_cast<int>(ids.size())).first->second);
  }
  return result;
}

/// The greedy forward search of Myers (1986). m_reach[k] is how far diagonal k = x - y got; one copy per
/// round of edits lets the path be read back.
class Search {
public:
  Search(const int* before, int before_count, const int* after, int after_count)
      : m_before(before), m_before_count(before_count), m_after(after), m_after_count(after_count) {}

  /// For each line of a side whether it is kept; false: needs more than `cap` edits.
  bool run(int cap, std::vector<char>& kept_before, std::vector<char>& kept_after) {
    const int most = std::min(cap, m_before_count + m_after_count);
    std::vector<int> reach(static_cast<std::size_t>(2 * most + 3), 0);
    const auto at = [most](int diagonal) {
      return static_cast<std::size_t>(diagonal + most + 1);
    };
    for (int edits = 0; edits <= most; ++edits) {
      for (int diagonal = -edits; diagonal <= edits; diagonal += 2) {
        const bool down =
            diagonal == -edits || (diagonal != edits && reach[at(diagonal - 1)] < reach[at(diagonal + 1)]);
        int x = down ? reach[at(diagonal + 1)] : reach[at(diagonal - 1)] + 1;
        while (x < m_before_count && x - diagonal < m_after_count && x - diagonal >= 0
               && m_before[x] == m_after[x - diagonal]) {
          ++x;
        }
        reach[at(diagonal)] = x;
        if (x >= m_before_count && x - diagonal >= m_after_count) {
          read_back(edits, kept_before, kept_after);
          return true;
        }
      }
      m_rounds.emplace_back(
          reach.begin() + static_cast<std::ptrdiff_t>(at(-edits)),
          reach.begin() + static_cast<std::ptrdiff_t>(at(edits)) + 1);
    }
    return false;
  }

private:
  void read_back(int edits, std::vector<char>& kept_before, std::vector<char>& kept_after) const {
    int x = m_before_count;
    int y = m_after_count;
    const auto keep = [&] {
      --x;
      --y;
      kept_before[static_cast<std::size_t>(x)] = 1;
      kept_after[static_cast<std::size_t>(y)] = 1;
    };
    for (int round = edits; round > 0; --round) {
      const std::vector<int>& reach = m_rounds[static_cast<std::size_t>(round - 1)];
      const auto got = [&reach, round](int diagonal) {
        const int index = diagonal + round - 1;
        return index < 0 || index >= static_cast<int>(reach.size()) ? -1
                                                                    : reach[static_cast<std::size_t>(index)];
      };
      const int diagonal = x - y;
      const bool down = diagonal == -round || (diagonal != round && got(diagonal - 1) < got(diagonal + 1));
      const int start_x = down ? got(diagonal + 1) : got(diagonal - 1) + 1;
      while (x > start_x) {
        keep();
      }
      x = down ? start_x : start_x - 1;
      y = x - (down ? diagonal + 1 : diagonal - 1);
    }
    while (x > 0 && y > 0) {
      keep();
    }
  }

  const int* m_before;
  int m_before_count;
  const int* m_after;
  int m_after_count;
  std::vector<std::vector<int>> m_rounds;
};

} // namespace

std::vector<LineChange> line_changes(
    const std::vector<std::string_view>& before, const std::vector<std::string_view>& after, int cap) {
  std::unordered_map<std::string_view, int> ids;
  const Ids left = numbered(before, ids);
  const Ids right = numbered(after, ids);
  std::size_t head = 0;
  while (head < left.size() && head < right.size() && left[head] == right[head]) {
    ++head;
  }
  std::size_t tail = 0;
  while (tail < left.size() - head && tail < right.size() - head
         && left[left.size() - 1 - tail] == right[right.size() - 1 - tail]) {
    ++tail;
  }
  const auto left_count = left.size() - head - tail;
  const auto right_count = right.size() - head - tail;
  std::vector<char> kept_left(left_count, 0);
  std::vector<char> kept_right(right_count, 0);
  Search(left.data() + head, static_cast<int>(left_count), right.data() + head, static_cast<int>(right_count))
      .run(cap, kept_left, kept_right);

  std::vector<LineChange> changes;
  for (std::size_t i = 0, j = 0; i < left_count || j < right_count;) {
    const std::size_t from_left = i;
    const std::size_t from_right = j;
    while (i < left_count && kept_left[i] == 0) {
      ++i;
    }
    while (j < right_count && kept_right[j] == 0) {
      ++j;
    }
    if (i > from_left || j > from_right) {
      changes.push_back(
          {static_cast<int>(head + from_left), static_cast<int>(i - from_left),
           static_cast<int>(head + from_right), static_cast<int>(j - from_right)});
    }
    while (i < left_count && j < right_count && kept_left[i] != 0 && kept_right[j] != 0) {
      ++i;
      ++j;
    }
  }
  return changes;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

} // namespace pyro::store

#include "difference_class.hpp"

#include <pyro/base/safe_text.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

namespace pyro::workspace {

namespace {

constexpr std::array<std::string_view, 19> k_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                                                   "Aug", "Sep", "Oct", "Nov", "Dec", "Mon", "Tue",
                                                   "Wed", "Thu", "Fri", "Sat", "Sun"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Text with every time in it replaced by one sign.
class TimesStripped {
public:
  TimesStripped(std::string_view text, const BuildSpan& span) : m_text(text), m_span(span) {
    while (m_at < text.size()) {
      const bool begins_word = m_at == 0 || !is_word(text[m_at - 1]);
      const auto length = begins_word ? std::max({date(), clock(), compact(), number(), name()}) : 0;
      if (length > 0) {
        m_result += '\x01';
        m_at += length;
      } else {
        m_result += text[m_at++];
      }
    }
  }

  const std::string& text() const { return m_result; }

private:
  std::size_t digits(std::size_t at) const {
    auto end = at;
    while (end < m_text.size() && is_digit(m_text[end])) {
      ++end;
    }
    return end - at;
  }

  bool has(std::size_t at, char c) const { return at < m_text.size() && m_text[at] == c; }

  /// 2026-11-30, 2026/11/30
  std::size_t date() const {
    const auto sign = m_at + 4 < m_text.size() ? m_text[m_at + 4] : '\0';
    const bool fits = digits(m_at) == 4 && (sign == '-' || sign == '/') && digits(m_at + 5) == 2
                      && has(m_at + 7, sign) && digits(m_at + 8) == 2;
    return fits ? 10 + after_t(m_at + 10) : 0;
  }

  std::size_t after_t(std::size_t at) const {
    return has(at, 'T') && digits(at + 1) == 2 ? 1 + clock_at(at + 1) : 0;
  }

  std::size_t clock() const { return clock_at(m_at); }

  /// 04:09, 04:09:10.123+01:00
  std::size_t clock_at(std::size_t at) const {
    if (digits(at) != 2 || !has(at + 2, ':') || digits(at + 3) != 2) {
      return 0;
    }
    auto end = at + 5;
    if (has(end, ':') && digits(end + 1) == 2) {
      end += 3;
      end += (has(end, '.') || has(end, ',')) && digits(end + 1) > 0 ? 1 + digits(end + 1) : 0;
    }
    end += has(end, 'Z') ? 1 : 0;
    return end - at;
  }

  /// 20261130, 20261130040910, 20261130T040910Z
  std::size_t compact() const {
    const auto count = digits(m_at);
    const bool fits = (count == 8 || count == 12 || count == 14) && m_text.substr(m_at, 2) == "20"
                      && m_text.substr(m_at + 4, 2) <= "12" && m_text.substr(m_at + 6, 2) <= "31";
    if (!fits) {
      return 0;
    }
    auto end = m_at + count;
    if ((has(end, 'T') || has(end, '-') || has(end, '_')) && digits(end + 1) == 6) {
      end += 7;
      end += has(end, 'Z') ? 1 : 0;
    }
    return end - m_at;
  }

  /// Seconds since the epoch, and parts of them.
  std::size_t number() const {
    constexpr std::size_t k_seconds = 10;
    const auto count = digits(m_at);
    if (count < k_seconds || count > 19) {
      return 0;
    }
    std::int64_t value = 0;
    for (const char c : m_text.substr(m_at, k_seconds)) {
      value = value * 10 + (c - '0');
    }
    if (value < m_span.from || value > m_span.to) {
      return 0;
    }
    const bool has_part = has(m_at + count, '.') && digits(m_at + count + 1) > 0;
    return count + (has_part ? 1 + digits(m_at + count + 1) : 0);
  }

  /// Of a month or a day of the week.
  std::size_t name() const {
    const auto here = m_text.substr(m_at, 3);
    const bool is_whole = m_at + 3 >= m_text.size() || !is_word(m_text[m_at + 3]);
    const bool is_it = is_whole && std::find(k_names.begin(), k_names.end(), here) != k_names.end();
    if (!is_it) {
      return 0;
    }
    auto end = m_at + 3;
    while (has(end, ' ')) {
      ++end;
    }
    const auto day = digits(end); // of the month
    return day == 1 || day == 2 ? end + day - m_at : 3;
  }

  std::string_view m_text;
  const BuildSpan& m_span;
  std::size_t m_at = 0;
  std::string m_result;
};

std::uint32_t number_at(std::string_view bytes, std::size_t at, bool big_endian) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[at + (big_endian ? i : 3 - i)]);
    value = (value << 8) | byte;
  }
  return value;
}

/// Is every byte that differs one of four that are a time within the builds on both sides?
bool differs_by_binary_times(std::string_view one, std::string_view other, const BuildSpan& span) {
  if (one.size() != other.size()) {
    return false;
  }
  const auto is_time = [&](std::string_view bytes, std::size_t at, bool big_endian) {
    const std::int64_t value = number_at(bytes, at, big_endian);
    return value >= span.from && value <= span.to;
  };
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i] == other[i]) {
      continue;
    }
    bool is_explained = false;
    for (std::size_t back = 0; back < 4 && !is_explained; ++back) {
      const auto at = i - back;
      for (const bool big_endian : {false, true}) {
        is_explained = is_explained
                       || (back <= i && at + 4 <= one.size() && is_time(one, at, big_endian)
                           && is_time(other, at, big_endian));
      }
    }
    if (!is_explained) {
      return false;
    }
  }
  return true;
}

std::vector<std::string_view> parts_of(std::string_view text, std::string_view ends) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(ends), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool same_parts(std::string_view one, std::string_view other, std::string_view ends) {
  auto left = parts_of(one, ends);
  auto right = parts_of(other, ends);
  if (left.size() != right.size() || left.size() < 2) {
    return false;
  }
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  return left == right;
}

/// Text with every 550e8400-e29b-41d4-a716-446655440000 replaced by one sign.
std::string without_uuids(std::string_view text) {
  constexpr std::string_view k_form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  const auto fits = [&](std::size_t at) {
    if (at + k_form.size() > text.size()) {
      return false;
    }
    for (std::size_t i = 0; i < k_form.size(); ++i) {
      const bool is_hex = std::isxdigit(static_cast<unsigned char>(text[at + i])) != 0;
      if (k_form[i] == 'x' ? !is_hex : text[at + i] != '-') {
        return false;
      }
    }
    return true;
  };
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const bool is_one = fits(at);
    result += is_one ? '\x02' : text[at];
    at += is_one ? k_form.size() : 1;
  }
  return result;
}

/// Words that differ have the same length, and are long or without meaning.
bool differs_by_random_words(std::string_view one, std::string_view other) {
  constexpr std::size_t k_shortest = 6;
  const auto words = [](std::string_view text) {
    std::vector<std::string_view> list;
    for (std::size_t at = 0; at < text.size();) {
      auto end = at;
      const bool is_in_word = is_word(text[at]);
      while (end < text.size() && is_word(text[end]) == is_in_word) {
        ++end;
      }
      list.push_back(text.substr(at, end - at));
      at = end;
    }
    return list;
  };
  const auto left = words(one);
  const auto right = words(other);
  if (left.size() != right.size()) {
    return false;
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    const bool is_random = left[i].size() == right[i].size() && left[i].size() >= k_shortest
                           && is_word(left[i].front()) && is_word(right[i].front());
    if (left[i] != right[i] && !is_random) {
      return false;
    }
  }
  return true;
}

/// Bytes that are no text, nearly all of them others.
bool differs_as_noise(std::string_view one, std::string_view other) {
  constexpr std::size_t k_shortest = 16;
  if (one.size() != other.size() || one.size() < k_shortest || is_utf8(one) || is_utf8(other)) {
    return false;
  }
  std::size_t same = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    same += one[i] == other[i] ? 1 : 0;
  }
  return same * 10 < one.size();
}

} // namespace

std::string_view name_of(DifferenceClass value) {
  switch (value) {
  case DifferenceClass::time:
    return "time";
  case DifferenceClass::order:
    return "order";
  case DifferenceClass::random:
    return "random";
  case DifferenceClass::network:
    return "network";
  case DifferenceClass::other:
    break;
  }
  return "other";
}

DifferenceClass class_of(std::string_view one, std::string_view other, const BuildSpan& span, bool network) {
  const TimesStripped left(one, span);
  const TimesStripped right(other, span);
  if (left.text() == right.text() || differs_by_binary_times(one, other, span)) {
    return DifferenceClass::time;
  }
  if (same_parts(one, other, "\n") || same_parts(one, other, " ,;:\t\n[]{}()")) {
    return DifferenceClass::order;
  }
  if (differs_by_random_words(without_uuids(left.text()), without_uuids(right.text()))
      || differs_as_noise(one, other)) {
    return DifferenceClass::random;
  }
  return network ? DifferenceClass::network : DifferenceClass::other;
}

} // namespace pyro::workspace

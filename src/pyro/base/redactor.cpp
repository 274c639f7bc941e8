#include "redactor.hpp"

#include "text.hpp"

#include <algorithm>
#include <set>

namespace pyro {

namespace {

constexpr std::size_t k_least_line = 8;

std::size_t byte_of(char letter) {
  return static_cast<unsigned char>(letter);
}

std::string_view without_line_ends(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

} // namespace

Redactor::Redactor(const std::map<std::string, std::string>& values)
    : Redactor(NamedValues(values.begin(), values.end())) {
}

Redactor::Redactor(const NamedValues& values) {
  std::set<std::string_view> known; // the first name of a value is as good as another
  const auto add = [&](std::string_view value, const std::string& name) {
    if (!value.empty() && known.insert(value).second) {
      m_patterns.push_back({std::string(value), name});
      m_starts[byte_of(value.front())] = true;
    }
  };
  for (const auto& [name, value] : values) {
    const auto whole = without_line_ends(value);
    add(whole, name);
    for (const auto line : lines_of(whole)) {
      const auto bare = without_line_ends(line);
      if (bare.size() >= k_least_line && bare.size() < whole.size()) {
        add(bare, name);
      }
    }
  }
  std::stable_sort(m_patterns.begin(), m_patterns.end(), [](const Pattern& one, const Pattern& other) {
    return one.value.size() > other.value.size();
  });
}

Redactor::Found Redactor::find(std::string_view text, bool is_end) const {
  Found found;
  std::size_t at = 0;
  while (at < text.size()) {
    if (!m_starts[byte_of(text[at])]) {
      ++at;
      continue;
    }
    const auto here = text.substr(at);
    const Pattern* match = nullptr;
    for (const auto& pattern : m_patterns) {
      if (here.starts_with(pattern.value)) {
        match = &pattern;
        break;
      }
      if (!is_end && std::string_view(pattern.value).starts_with(here)) {
        found.held = here.size(); // a longer value may be on its way
        return found;
      }
    }
    if (match != nullptr) {
      found.spans.push_back({at, match->value.size(), "[redacted:" + match->name + "]"});
      at += match->value.size();
    } else {
      ++at;
    }
  }
  return found;
}

std::string Redactor::take(std::string& rest, bool is_end) const {
  const auto found = find(rest, is_end);
  std::string shown;
  std::size_t at = 0;
  for (const auto& span : found.spans) {
    shown.append(rest, at, span.at - at).append(span.shown);
    at = span.at + span.length;
  }
  shown.append(rest, at, rest.size() - found.held - at);
  rest.erase(0, rest.size() - found.held);
  return shown;
}

std::string Redactor::redact(std::string_view text) const {
  if (empty()) {
    return std::string(text);
  }
  std::string rest(text);
  return take(rest, true);
}

std::string RedactedStream::add(std::string_view bytes) {
  if (m_redactor->empty()) {
    return std::string(bytes);
  }
  m_rest += bytes;
  return m_redactor->take(m_rest, false);
}

std::string RedactedStream::finish() {
  return m_redactor->take(m_rest, true);
}

} // namespace pyro

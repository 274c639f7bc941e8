#include "service_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pyro::agent {

namespace {

constexpr std::size_t k_line_overhead = sizeof(LogLine) + 32;
constexpr std::size_t k_mark = 64; // at most
constexpr std::size_t k_half_line = (ServiceLog::k_max_line - k_mark) / 2;

} // namespace

ServiceLog::~ServiceLog() {
  m_self.reset();
  for (auto& [id, listener] : std::exchange(m_listeners, {})) {
    if (listener.second) {
      listener.second();
    }
  }
}

void ServiceLog::Partial::add(std::string_view bytes) {
  const auto first = bytes.substr(0, k_half_line - std::min(begin.size(), k_half_line));
  begin.append(first);
  bytes.remove_prefix(first.size());
  end.append(bytes);
  if (end.size() > k_half_line) {
    left_out += end.size() - k_half_line;
    end.erase(0, end.size() - k_half_line);
  }
}

std::string ServiceLog::Partial::text() const {
  return left_out == 0 ? begin + end : fmt::format("{} [… {} bytes left out …] {}", begin, left_out, end);
}

void ServiceLog::append(LogStream stream, std::string_view bytes) {
  auto& partial = m_partial[static_cast<int>(stream)];
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    partial.add(bytes.substr(0, end));
    if (end == std::string_view::npos) {
      break;
    }
    bytes.remove_prefix(end + 1);
    add_line(stream, std::exchange(partial, {}).text());
  }
  if (!partial.end.empty() && m_on_long_line) {
    m_on_long_line();
  }
}

std::vector<LogLine> ServiceLog::unfinished() const {
  std::vector<LogLine> lines;
  for (const auto stream : {LogStream::out, LogStream::err}) {
    if (const auto& partial = m_partial[static_cast<int>(stream)]; !partial.empty()) {
      lines.push_back({partial.text(), stream});
    }
  }
  return lines;
}

void ServiceLog::mark_start() {
  finish_lines();
  m_lines_of_start = 0;
}

void ServiceLog::finish_lines() {
  for (auto stream : {LogStream::out, LogStream::err}) {
    if (const auto partial = std::exchange(m_partial[static_cast<int>(stream)], {}); !partial.empty()) {
      add_line(stream, partial.text());
    }
  }
}

void ServiceLog::add_line(LogStream stream, std::string text) {
  text.shrink_to_fit();
  m_bytes += text.size() + k_line_overhead;
  m_lines.push_back({std::move(text), stream});
  ++m_lines_of_start;
  while (m_bytes > k_capacity && m_lines.size() > 1) {
    m_bytes -= m_lines.front().text.size() + k_line_overhead;
    m_dropped_bytes += m_lines.front().text.size() + 1;
    m_lines.pop_front();
  }
  m_lines_of_start = std::min(m_lines_of_start, m_lines.size());
  auto listeners = m_listeners; // they may go away while they listen
  for (auto& [id, listener] : listeners) {
    listener.first(m_lines.back());
  }
}

std::vector<std::string> ServiceLog::tail(std::size_t count) const {
  std::vector<std::string> result;
  auto first = m_lines.size() - std::min(count, m_lines_of_start);
  for (auto i = first; i < m_lines.size(); ++i) {
    result.push_back(m_lines[i].text);
  }
  for (auto& line : unfinished()) {
    result.push_back(std::move(line.text));
  }
  if (result.size() > count) {
    result.erase(result.begin(), result.end() - static_cast<std::ptrdiff_t>(count));
  }
  return result;
}

bool ServiceLog::any_line(const std::function<bool(std::string_view)>& predicate) const {
  for (auto i = m_lines.size() - m_lines_of_start; i < m_lines.size(); ++i) {
    if (predicate(m_lines[i].text)) {
      return true;
    }
  }
  return std::any_of(std::begin(m_partial), std::end(m_partial), [&](auto& partial) {
    return !partial.empty() && predicate(partial.text());
  });
}

ServiceLog::ListenerId ServiceLog::listen(Listener listener, std::function<void()> on_end) {
  m_listeners[m_next_listener] = {std::move(listener), std::move(on_end)};
  return m_next_listener++;
}

} // namespace pyro::agent

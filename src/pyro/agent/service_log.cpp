#include "service_log.hpp"

#include <algorithm>
#include <utility>

namespace pyro::agent {

namespace {

constexpr std::size_t k_line_overhead = sizeof(LogLine) + 32;

} // namespace

ServiceLog::~ServiceLog() {
  m_self.reset();
  for (auto& [id, listener] : std::exchange(m_listeners, {})) {
    if (listener.second) {
      listener.second();
    }
  }
}

void ServiceLog::append(LogStream stream, std::string_view bytes) {
  auto& partial = m_partial[static_cast<int>(stream)];
  while (!bytes.empty()) {
    auto end = bytes.find('\n');
    auto piece = bytes.substr(0, std::min(end, k_max_line - partial.size()));
    partial.append(piece);
    bytes.remove_prefix(piece.size());
    bool complete = !bytes.empty() && bytes.front() == '\n';
    if (complete) {
      bytes.remove_prefix(1);
    }
    if (complete || partial.size() >= k_max_line) {
      add_line(stream, std::exchange(partial, {}));
    }
  }
}

void ServiceLog::mark_start() {
  finish_lines();
  m_lines_of_start = 0;
}

void ServiceLog::finish_lines() {
  for (auto stream : {LogStream::out, LogStream::err}) {
    if (auto text = std::exchange(m_partial[static_cast<int>(stream)], {}); !text.empty()) {
      add_line(stream, std::move(text));
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
  for (auto& partial : m_partial) {
    if (!partial.empty()) {
      result.push_back(partial);
    }
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
  return std::any_of(std::begin(m_partial), std::end(m_partial), [&](auto& text) {
    return !text.empty() && predicate(text);
  });
}

ServiceLog::ListenerId ServiceLog::listen(Listener listener, std::function<void()> on_end) {
  m_listeners[m_next_listener] = {std::move(listener), std::move(on_end)};
  return m_next_listener++;
}

} // namespace pyro::agent

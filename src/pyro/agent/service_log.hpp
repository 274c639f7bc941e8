// The output of one service: the last 256 KiB as lines, of all its starts. Never blocks the service.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::agent {

enum class LogStream : std::uint8_t { out, err };

struct LogLine {
  std::string text; // without the newline
  LogStream stream = LogStream::out;
};

class ServiceLog {
public:
  static constexpr std::size_t k_capacity = 256 << 10;
  /// Of longer ones the beginning and the end are kept, with a mark between them.
  static constexpr std::size_t k_max_line = 128 << 10;

  ServiceLog() = default;
  ~ServiceLog();
  ServiceLog(const ServiceLog&) = delete;
  ServiceLog& operator=(const ServiceLog&) = delete;

  using Listener = std::function<void(const LogLine& line)>;
  using ListenerId = std::uint64_t;

  void append(LogStream stream, std::string_view bytes);
  /// What follows belongs to a new start of the service.
  void mark_start();
  /// Ends unfinished lines: the process is gone.
  void finish_lines();

  const std::deque<LogLine>& lines() const { return m_lines; }

  /// The last `count` lines of this start, unfinished ones included.
  std::vector<std::string> tail(std::size_t count) const;
  /// What was written behind the last newline.
  std::vector<LogLine> unfinished() const;
  /// Calls the predicate for the lines of this start until it is true; tells whether it ever was.
  bool any_line(const std::function<bool(std::string_view)>& predicate) const;

  std::uint64_t dropped_bytes() const { return m_dropped_bytes; }

  /// `on_end` is called when the log goes away before forget().
  ListenerId listen(Listener listener, std::function<void()> on_end = nullptr);

  /// Called when there is more of a line of which not everything can be kept.
  void on_long_line(std::function<void()> callback) { m_on_long_line = std::move(callback); }

  void forget(ListenerId id) { m_listeners.erase(id); }

  /// For listeners that may outlive the log.
  std::weak_ptr<ServiceLog*> weak() const { return m_self; }

private:
  /// A line that has not ended.
  struct Partial {
    std::string begin;
    std::string end;
    std::size_t left_out = 0;

    bool empty() const { return begin.empty(); }

    void add(std::string_view bytes);
    std::string text() const;
  };

  void add_line(LogStream stream, std::string text);

  std::deque<LogLine> m_lines;
  Partial m_partial[2];
  std::function<void()> m_on_long_line;
  std::size_t m_bytes = 0;
  std::size_t m_lines_of_start = 0;
  std::uint64_t m_dropped_bytes = 0;
  std::map<ListenerId, std::pair<Listener, std::function<void()>>> m_listeners;
  ListenerId m_next_listener = 1;
  std::shared_ptr<ServiceLog*> m_self = std::make_shared<ServiceLog*>(this);
};

} // namespace pyro::agent

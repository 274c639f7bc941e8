#include "log_call.hpp"

namespace pyro::agent {

namespace {

using protocol::FrameType;

bool is_wanted(const std::string& stream, LogStream which) {
  return stream == "both" || (stream == "stdout") == (which == LogStream::out);
}

bool send_line(protocol::Call& call, const LogLine& line) {
  auto type = line.stream == LogStream::out ? FrameType::data_out : FrameType::data_err;
  return call.send(type, line.text + "\n");
}

} // namespace

void LogCall::start(
    Runtime&, const std::shared_ptr<protocol::Call>& call, const protocol::ServicesLogs& wanted,
    ServiceLog& log) {
  std::vector<const LogLine*> lines;
  for (auto& line : log.lines()) {
    if (is_wanted(wanted.stream, line.stream)) {
      lines.push_back(&line);
    }
  }
  // Who follows gets an unfinished line when it ends.
  const auto unfinished = wanted.follow ? std::vector<LogLine>() : log.unfinished();
  for (const auto& line : unfinished) {
    if (is_wanted(wanted.stream, line.stream)) {
      lines.push_back(&line);
    }
  }
  auto count = lines.size();
  if (wanted.tail >= 0) {
    count = std::min(count, static_cast<std::size_t>(wanted.tail));
  }
  bool truncated = count < lines.size() || (log.dropped_bytes() > 0 && count == lines.size());
  if (log.dropped_bytes() > 0) {
    call->send(Json{{"dropped_bytes", log.dropped_bytes()}});
  }
  for (auto i = lines.size() - count; i < lines.size(); ++i) {
    send_line(*call, *lines[i]);
  }
  if (!wanted.follow) {
    call->finish({{"truncated", truncated}, {"lines", count}});
    return;
  }
  auto missed = std::make_shared<std::uint64_t>(0);
  auto follower = log.listen(
      [call, missed, stream = wanted.stream](const LogLine& line) {
        if (!is_wanted(stream, line.stream)) {
          return;
        }
        if (call->is_full()) {
          *missed += line.text.size() + 1;
        } else {
          if (*missed > 0) {
            call->send(Json{{"dropped_bytes", std::exchange(*missed, 0)}});
          }
          send_line(*call, line);
        }
      },
      [call] {
        call->finish({{"truncated", false}, {"lines", 0}});
      });
  protocol::CallEvents events;
  events.on_gone = [weak = log.weak(), follower] {
    if (auto here = weak.lock()) {
      (*here)->forget(follower);
    }
  };
  call->set_events(std::move(events));
}

} // namespace pyro::agent

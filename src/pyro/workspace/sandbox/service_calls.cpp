#include "service_calls.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/protocol/requests.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

using std::chrono::milliseconds;

// The agent keeps a quarter of it, lines counted as here, and has it at hand.
constexpr std::size_t k_most_log = 1 << 20;
constexpr std::size_t k_line = 32;

std::string agent_path(std::string_view path) {
  return "/agent" + std::string(path);
}

/// A call that may take long, looking for interrupts.
Json patiently(
    const Context& context, backend::ControlClient& client, std::string_view path, const Json& request) {
  std::optional<Json> answer;
  std::optional<Error> failure;
  protocol::CallEvents events;
  events.on_result = [&](const Json& value) {
    answer = value;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  const auto call = client.open(agent_path(path), request, std::move(events));
  while (!answer && !failure) {
    client.loop().turn(milliseconds(100));
    context.check_interrupted();
  }
  if (failure) {
    throw *failure;
  }
  return *answer;
}

protocol::ServiceStatus only_one(const Json& answer, const std::string& name) {
  for (auto& status : protocol::services_result_from_json(answer).services) {
    if (status.name == name) {
      return status;
    }
  }
  throw Error(ErrorCode::protocol, "the agent does not tell of the service {}", name);
}

} // namespace

protocol::ServiceStatus
wait_for_service(const Context& context, backend::ControlClient& client, const std::string& name) {
  namespace path = protocol::path;
  const auto answer =
      patiently(context, client, path::k_services_wait, protocol::to_json(protocol::ServicesWait{{name}}));
  auto status = only_one(answer, name);
  if (status.state == protocol::ServiceState::failed && status.pid > 0) {
    status = only_one(
        patiently(context, client, path::k_services_ended, protocol::to_json(protocol::ServicesEnded{name})),
        name);
  }
  return status;
}

protocol::ServiceStatus stop_service(backend::ControlClient& client, const std::string& name) {
  const auto answer = client.call(
      agent_path(protocol::path::k_services_stop),
      protocol::to_json(protocol::ServicesSelect{{name}, false}));
  return only_one(answer, name);
}

std::string ServiceLogs::text_of(bool is_error) const {
  std::string text;
  for (const auto& line : lines) {
    if (line.is_error == is_error) {
      text += line.text + "\n";
    }
  }
  return text;
}

void ServiceLogs::keep_last(std::size_t count) {
  if (lines.size() > count) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
    truncated = true;
  }
}

void ServiceLogs::keep_before(std::uint64_t place) {
  std::erase_if(lines, [&](const Line& line) { return line.begin >= place; });
}

std::optional<std::uint64_t> ServiceLogs::place_before(const std::vector<Line>& kept) const {
  if (lines.empty() || kept.empty() || kept.front().begin >= lines.front().begin) {
    return std::nullopt;
  }
  return lines.front().begin;
}

ServiceLogs read_service_logs(backend::ControlClient& client, const std::string& name, milliseconds limit) {
  ServiceLogs logs;
  std::size_t received = 0;
  bool in_line = false; // the agent sends whole lines, but they may arrive in pieces
  std::optional<Json> answer;
  std::optional<Error> failure;
  std::shared_ptr<protocol::Call> call;
  std::uint64_t dropped = 0;
  protocol::CallEvents events;
  events.on_message = [&](const Json& message) {
    dropped = static_cast<std::uint64_t>(std::max<std::int64_t>(0, int_or(message, "dropped_bytes", 0)));
  };
  events.on_data = [&](protocol::FrameType type, std::string_view bytes) {
    received +=
        bytes.size() + k_line * static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    if (received > k_most_log) {
      throw Error(ErrorCode::protocol, "the agent sends more of a log than it keeps");
    }
    call->consume(bytes.size());
    while (!bytes.empty()) {
      if (!std::exchange(in_line, true)) {
        logs.lines.push_back({type == protocol::FrameType::data_err, {}});
      }
      const auto end = bytes.find('\n');
      logs.lines.back().text += bytes.substr(0, end);
      in_line = end == std::string_view::npos;
      bytes.remove_prefix(in_line ? bytes.size() : end + 1);
    }
  };
  events.on_result = [&](const Json& value) {
    answer = value;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  call = client.open(
      agent_path(protocol::path::k_services_logs),
      protocol::to_json(protocol::ServicesLogs{name, -1, false, "both"}), std::move(events));
  const auto deadline = os::now_monotonic() + limit;
  while (!answer && !failure) {
    client.loop().turn(milliseconds(200));
    if (os::now_monotonic() > deadline || interruption_wanted()) {
      call->cancel();
      check_interruption();
      throw Error(
          ErrorCode::timeout, "the agent did not tell the log of {} within {} ms", name, limit.count());
    }
  }
  if (failure) {
    throw *failure;
  }
  logs.truncated = get_bool(*answer, "truncated");
  for (auto& line : logs.lines) {
    line.begin = dropped;
    dropped += line.text.size() + 1;
  }
  return logs;
}

} // namespace pyro::workspace

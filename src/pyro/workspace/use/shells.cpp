#include "shells.hpp"

#include "logged_exec.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/random.hpp>
#include <pyro/workspace/context/login_shell.hpp>
#include <pyro/workspace/context/terminal_text.hpp>
#include <pyro/workspace/sandbox/delivered_secrets.hpp>
#include <pyro/workspace/sandbox/guest_exec.hpp>
#include <pyro/workspace/sandbox/input_feeder.hpp>
#include <pyro/workspace/state/locate.hpp>

namespace pyro::workspace {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t k_max_character = 4;

std::string state_of(bool running) {
  return running ? "running" : "exited";
}

struct Fetched {
  std::string bytes;
  protocol::ShellReadResult result;
};

Fetched fetch(backend::ControlClient& client, const protocol::ShellRead& request) {
  Fetched fetched;
  std::optional<Json> answer;
  std::optional<Error> failure;
  std::shared_ptr<protocol::Call> call;
  protocol::CallEvents events;
  events.on_data = [&](protocol::FrameType, std::string_view bytes) {
    if (fetched.bytes.size() + bytes.size() > protocol::k_shell_output) {
      throw Error(ErrorCode::protocol, "the agent sends more of a shell than it keeps");
    }
    fetched.bytes += bytes;
    call->consume(bytes.size());
  };
  events.on_result = [&](const Json& value) {
    answer = value;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  call = client.open(
      "/agent" + std::string(protocol::path::k_shells_read), protocol::to_json(request), std::move(events));
  while (!answer && !failure) {
    client.loop().turn(milliseconds(1000));
  }
  if (failure) {
    throw *failure;
  }
  fetched.result = protocol::shell_read_result_from_json(*answer);
  return fetched;
}

/// Where the read begins in what was fetched, and the secrets counted from there. More than was asked for is
/// fetched at both sides, so that a secret that lies across the ends of a read is found.
std::vector<Redactor::Span> spans_from(const Redactor::Found& found, std::size_t begin) {
  std::vector<Redactor::Span> spans;
  for (const auto& span : found.spans) {
    if (span.at >= begin) {
      spans.push_back({span.at - begin, span.length, span.shown});
    } else if (span.at + span.length > begin) {
      spans.push_back({0, span.at + span.length - begin, ""}); // the read before has shown its name
    }
  }
  return spans;
}

} // namespace

ShellHost shell_host(Context& context, const std::string& workspace, const std::string& operation) {
  context.base.prepare();
  const auto located = locate(context, workspace, {});
  auto running = connect_running(context, located.id, operation);
  return {
      store::WorkspacePaths(context.base, located.id), std::move(running.record), std::move(running.client)};
}

Json describe_shell(const ShellHost& host, const protocol::ShellStatus& status) {
  return {
      {"workspace_id", host.record.id},
      {"shell_id", status.shell_id},
      {"state", state_of(status.running)},
      {"cwd", status.cwd},
      {"cols", status.size.cols},
      {"rows", status.size.rows},
      {"pid", status.running ? Json(status.pid) : Json()},
      {"started_at", status.opened_at},
      {"exit_code", status.exit_code ? Json(*status.exit_code) : Json()},
      {"next_cursor", status.end},
      {"execution_mode", host.record.execution_mode}};
}

protocol::ShellStatus open_shell(ShellHost& host, const ShellRequest& request) {
  protocol::ShellOpen open;
  open.shell_id = "sh-" + os::random_hex(4);
  open.argv = login_shell();
  open.cwd = request.cwd.empty() ? host.record.workdir : request.cwd;
  open.env = process_environment(host.paths, host.record, request.env, request.secret_env);
  open.user = request.user.empty() ? host.record.user : request.user;
  open.size = {request.columns, request.rows};
  return protocol::shell_status_from_json(
      host.client->call("/agent" + std::string(protocol::path::k_shells_open), protocol::to_json(open)));
}

std::vector<protocol::ShellStatus> list_shells(ShellHost& host) {
  return protocol::shell_list_from_json(
      host.client->call("/agent" + std::string(protocol::path::k_shells_list), Json::object()));
}

Json read_shell(ShellHost& host, const ShellReadRequest& request) {
  LiveRedactor secrets(*host.client, host.paths, host.record);
  secrets.await();
  const auto& redactor = secrets.now();
  const auto margin = redactor.longest();
  const auto cursor = static_cast<std::uint64_t>(request.cursor);
  protocol::ShellRead wanted;
  wanted.shell_id = request.shell_id;
  wanted.cursor = cursor - std::min<std::uint64_t>(cursor, margin);
  const auto most =
      static_cast<std::size_t>(request.max_chars) * k_max_character + k_max_sequence + 2 * margin;
  wanted.max_bytes = static_cast<std::int64_t>(std::min(most, protocol::k_shell_output));
  wanted.idle_ms = request.wait_for_idle.count();
  const auto fetched = fetch(*host.client, wanted);
  const auto& result = fetched.result;

  // What is read begins at the cursor, at the oldest output where that has been dropped, at the end where the
  // cursor is beyond it.
  const auto start =
      std::clamp(cursor, std::max(result.start, result.first), std::max(result.start, result.end));
  const auto begin = std::min<std::size_t>(start - result.start, fetched.bytes.size());
  const bool all = result.start + fetched.bytes.size() >= result.end;
  TextWanted text_wanted;
  text_wanted.plain = request.plain;
  text_wanted.max_chars = static_cast<std::size_t>(request.max_chars);
  text_wanted.is_end = all && !result.running;
  const auto found = redactor.find(fetched.bytes, text_wanted.is_end);
  text_wanted.secrets = spans_from(found, begin);
  const auto known = std::max(begin, fetched.bytes.size() - found.held);
  const auto text =
      text_of_terminal(std::string_view(fetched.bytes).substr(begin, known - begin), text_wanted);
  const auto dropped = result.first > cursor ? result.first - cursor : 0;
  return {
      {"workspace_id", host.record.id},
      {"shell_id", request.shell_id},
      {"state", state_of(result.running)},
      {"output", text.text},
      {"cursor", request.cursor},
      {"next_cursor", start + text.consumed},
      {"truncated", text.is_full || !all},
      {"dropped_bytes", dropped},
      {"plain", request.plain},
      {"execution_mode", host.record.execution_mode}};
}

Json join_shell(
    ShellHost& host, const protocol::ShellAttach& request, const ExecStreams& streams,
    const std::function<std::optional<Json>()>& poll_control) {
  LiveRedactor secrets(*host.client, host.paths, host.record);
  secrets.await();
  RedactedStream shown(secrets.now());
  std::optional<Json> answer;
  std::optional<Error> failure;
  std::shared_ptr<protocol::Call> call;
  auto& client = *host.client;
  InputFeeder input(client.loop(), streams.in);
  const auto write = [&](std::string_view text) {
    write_output(streams, protocol::FrameType::data_out, text);
  };
  bool quiet = true;
  protocol::CallEvents events;
  events.on_data = [&](protocol::FrameType, std::string_view bytes) {
    quiet = false;
    write(shown.add(bytes));
    call->consume(bytes.size());
  };
  events.on_message = [&](const Json& message) {
    if (const auto dropped = maybe_int(message, "dropped_bytes")) {
      write(fmt::format("\r\n[pyro: {} bytes were dropped here]\r\n", *dropped));
    }
  };
  events.on_writable = [&] {
    input.resume();
  };
  events.on_result = [&](const Json& value) {
    answer = value;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  call = client.open(
      "/agent" + std::string(protocol::path::k_shells_attach), protocol::to_json(request), std::move(events));
  input.start(call);
  while (!answer && !failure) {
    quiet = true;
    client.loop().turn(k_show_after / 2);
    if (quiet) {
      write(shown.finish());
    }
    while (const auto message = poll_control ? poll_control() : std::nullopt) {
      call->send(*message);
    }
  }
  write(shown.finish());
  if (failure) {
    throw *failure;
  }
  auto document = describe_shell(host, protocol::shell_status_from_json(value_at(*answer, "status")));
  document["detached"] = get_bool(*answer, "detached");
  return document;
}

} // namespace pyro::workspace

#include "terminals.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/use/shells.hpp>

#include <array>

namespace pyro::workspace {

namespace {

constexpr std::int64_t k_most_chars = 1'000'000;
constexpr std::chrono::milliseconds k_longest_wait{60'000};

Json ask(ShellHost& host, std::string_view path, const Json& request) {
  return host.client->call("/agent" + std::string(path), request);
}

std::string checked_signal(std::string name) {
  if (name.starts_with("SIG")) {
    name.erase(0, 3);
  }
  for (const auto* known : {"HUP", "INT", "TERM", "KILL"}) {
    if (name == known) {
      return name;
    }
  }
  throw Error(ErrorCode::invalid_argument, "signal must be one of: HUP, INT, TERM, KILL; not '{}'", name);
}

} // namespace

Json open_workspace_shell(Context& context, const std::string& workspace, const ShellRequest& request) {
  auto host = shell_host(context, workspace, "shell_open");
  return describe_shell(host, open_shell(host, request));
}

Json list_workspace_shells(Context& context, const std::string& workspace) {
  auto host = shell_host(context, workspace, "shell_list");
  Json shells = Json::array();
  for (const auto& status : list_shells(host)) {
    shells.push_back(describe_shell(host, status));
  }
  return {{"workspace_id", host.record.id}, {"count", shells.size()}, {"shells", shells}};
}

Json read_workspace_shell(Context& context, const std::string& workspace, const ShellReadRequest& request) {
  if (request.cursor < 0) {
    throw Error(ErrorCode::invalid_argument, "cursor must not be negative");
  }
  if (request.max_chars < 1 || request.max_chars > k_most_chars) {
    throw Error(ErrorCode::invalid_argument, "max_chars must be between 1 and {}", k_most_chars);
  }
  if (request.wait_for_idle.count() < 0 || request.wait_for_idle > k_longest_wait) {
    throw Error(
        ErrorCode::invalid_argument, "wait_for_idle_ms must be between 0 and {}", k_longest_wait.count());
  }
  auto host = shell_host(context, workspace, "shell_read");
  return read_shell(host, request);
}

Json write_to_workspace_shell(
    Context& context, const std::string& workspace, const std::string& shell_id, const std::string& input,
    bool append_newline) {
  auto host = shell_host(context, workspace, "shell_write");
  const protocol::ShellWrite write{shell_id, append_newline ? input + "\n" : input};
  ask(host, protocol::path::k_shells_write, protocol::to_json(write));
  return {
      {"workspace_id", host.record.id},
      {"shell_id", shell_id},
      {"state", "running"},
      {"input_length", write.data.size()},
      {"append_newline", append_newline}};
}

Json signal_workspace_shell(
    Context& context, const std::string& workspace, const std::string& shell_id, const std::string& signal) {
  const auto name = checked_signal(signal);
  auto host = shell_host(context, workspace, "shell_signal");
  auto document = describe_shell(
      host, protocol::shell_status_from_json(
                ask(host, protocol::path::k_shells_signal, {{"shell_id", shell_id}, {"signal", name}})));
  document["signal"] = name;
  return document;
}

Json resize_workspace_shell(
    Context& context, const std::string& workspace, const std::string& shell_id, int columns, int rows) {
  auto host = shell_host(context, workspace, "shell_resize");
  return describe_shell(
      host, protocol::shell_status_from_json(
                ask(host, protocol::path::k_shells_resize,
                    {{"shell_id", shell_id}, {"cols", columns}, {"rows", rows}})));
}

Json close_workspace_shell(Context& context, const std::string& workspace, const std::string& shell_id) {
  auto host = shell_host(context, workspace, "shell_close");
  auto document = describe_shell(
      host,
      protocol::shell_status_from_json(ask(host, protocol::path::k_shells_close, {{"shell_id", shell_id}})));
  document["closed"] = true;
  return document;
}

Json attach_to_workspace_shell(
    Context& context, const std::string& workspace, const ShellAttachRequest& request,
    const ExecStreams& streams) {
  auto host = shell_host(context, workspace, "shell_attach");
  protocol::ShellAttach attach;
  attach.shell_id = request.shell_id;
  attach.size = protocol::TerminalSize{request.columns, request.rows};
  double newest = 0;
  for (const auto& status :
       request.shell_id.empty() ? list_shells(host) : std::vector<protocol::ShellStatus>{}) {
    if (status.running && status.opened_at > newest) {
      newest = status.opened_at;
      attach.shell_id = status.shell_id;
    }
  }
  if (attach.shell_id.empty()) {
    ShellRequest open;
    open.columns = request.columns;
    open.rows = request.rows;
    open.env = request.env;
    attach.shell_id = open_shell(host, open).shell_id;
  }
  return join_shell(host, attach, streams, request.poll_control);
}

} // namespace pyro::workspace

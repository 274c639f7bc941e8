#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace pyro::cli {

namespace ssh_config_command {

namespace {

constexpr std::array k_options{
    Option{"--write", "", "", "Put it into ~/.ssh/config.d/pyro, which ~/.ssh/config then includes"},
};

constexpr std::array k_operands{
    Operand{"WORKSPACE", Count::many, "Names or ids; default: all that there are"},
};

constexpr std::string_view k_page = R"(
Prints what ssh needs in its configuration to open workspaces as NAME.pyro: with ssh, scp, sftp, rsync, and with editors that
use them (VS Code Remote-SSH, JetBrains Gateway). Nothing listens anywhere: ssh starts pyro's server for each connection, and
only you can. The user `pyro` is the workspace's own; others are users of the inside. With --write it is kept in a file that
~/.ssh/config includes; it holds the workspaces of its last writing.

Examples:
  pyro ssh-config --write
  ssh shop.pyro
  scp report.html shop.pyro:                   into the workspace's workdir
  ssh -L 5432:127.0.0.1:5432 root@shop.pyro
  pyro ssh-config shop > ssh.conf; ssh -F ssh.conf shop.pyro make test
)";

/// As a word of ssh's configuration and of the shell that runs a ProxyCommand.
bool is_plain(const std::string& name) {
  return !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_'
           || c == '-';
  });
}

/// By name where that says which, else by id.
std::vector<SshHost> hosts_of(const Json& workspaces, const std::vector<std::string>& wanted) {
  std::map<std::string, int> alike;
  std::vector<std::string> known;
  for (const auto& one : workspaces) {
    ++alike[string_or(one, "name", "")];
    known.push_back(string_or(one, "name", ""));
  }
  std::vector<SshHost> hosts;
  const auto add = [&](const Json& one) {
    const auto name = string_or(one, "name", "");
    const auto called = is_plain(name) && alike[name] == 1 ? name : get_string(one, "workspace_id");
    hosts.push_back({called + ".pyro", called});
  };
  if (wanted.empty()) {
    std::for_each(workspaces.begin(), workspaces.end(), add);
  }
  for (const auto& word : wanted) {
    const auto found = std::find_if(workspaces.begin(), workspaces.end(), [&](const Json& one) {
      return string_or(one, "name", "") == word || get_string(one, "workspace_id") == word;
    });
    if (found == workspaces.end()) {
      throw Error(ErrorCode::not_found, "workspace {} does not exist", word)
          .with_hint(names_hint(word, known));
    }
    add(*found);
  }
  return hosts;
}

std::string text_of(const Json& result) {
  if (!bool_or(result, "written", false)) {
    return get_string(result, "config");
  }
  auto text = fmt::format("Written to {}\n", escape_controls(get_string(result, "path")));
  for (const auto& one : result["hosts"]) {
    text += fmt::format("  ssh {}\n", get_string(one, "host"));
  }
  return text;
}

int run(Session& session) {
  SshConfigRequest request;
  const auto list = session.call("workspace_list", Json::object());
  request.hosts = hosts_of(value_at(list, "workspaces"), session.arguments().operands);
  request.write = session.arguments().has("write");
  if (request.hosts.empty() && !request.write) {
    session.note("there is no workspace yet; `pyro apply` makes one");
  }
  session.show(session.configure_ssh(request), text_of);
  return 0;
}

} // namespace

} // namespace ssh_config_command

constinit const Command k_ssh_config{
    .name = "ssh-config",
    .summary = "What ssh and editors need to open workspaces as NAME.pyro",
    .page = ssh_config_command::k_page,
    .run = ssh_config_command::run,
    .options = ssh_config_command::k_options,
    .operands = ssh_config_command::k_operands,
    .takes = Takes::document,
};

} // namespace pyro::cli

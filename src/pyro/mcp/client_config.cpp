#include "client_config.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/jsonc.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <vector>

namespace pyro::mcp {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_largest_config = 16U << 20U;
constexpr const char* k_entry = "pyro";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path home() {
  const auto directory = variable("HOME");
  if (directory.empty()) {
    throw Error(ErrorCode::usage, "HOME is not set: where is the client's configuration?");
  }
  return directory;
}

fs::path xdg_config() {
  const auto directory = variable("XDG_CONFIG_HOME");
  return directory.starts_with('/') ? fs::path(directory) : home() / ".config";
}

/// A variable of the client's that moves its directory.
fs::path moved_by(const char* name, const fs::path& usual) {
  const auto directory = variable(name);
  return directory.empty() ? usual : fs::path(directory);
}

/// The one of two names that is there; the first where none is.
fs::path either(const fs::path& first, const fs::path& second) {
  return !fs::exists(first) && fs::exists(second) ? second : first;
}

/// Where a client keeps its servers, and how it writes one down.
struct Client {
  const char* name;
  const char* section;
  fs::path (*user_file)();
  fs::path (*project_file)(const fs::path&); // nullptr: it has none
  const char* project_path;                  // what it knows the project's directory by
  Json (*entry)(const std::vector<std::string>& argv);
};

std::vector<std::string> rest(const std::vector<std::string>& argv) {
  return {argv.begin() + 1, argv.end()};
}

Json typed(const std::vector<std::string>& argv) {
  return {{"type", "stdio"}, {"command", argv.front()}, {"args", rest(argv)}};
}

Json plain(const std::vector<std::string>& argv) {
  return {{"command", argv.front()}, {"args", rest(argv)}};
}

Json local(const std::vector<std::string>& argv) {
  return {{"type", "local"}, {"command", argv}, {"enabled", true}};
}

const std::array<Client, 6>& clients() {
  static const std::array<Client, 6> all{
      Client{
          "claude-code", "mcpServers", [] { return moved_by("CLAUDE_CONFIG_DIR", home()) / ".claude.json"; },
          [](const fs::path& project) { return project / ".mcp.json"; }, ".", typed},
      Client{
          "codex", "mcp_servers", [] { return moved_by("CODEX_HOME", home() / ".codex") / "config.toml"; },
          [](const fs::path& project) { return project / ".codex/config.toml"; }, ".", plain},
      Client{
          "opencode", "mcp",
          [] {
            return either(xdg_config() / "opencode/opencode.json", xdg_config() / "opencode/opencode.jsonc");
          },
          [](const fs::path& project) {
            return either(project / "opencode.json", project / "opencode.jsonc");
          },
          ".", local},
      Client{
          "cursor", "mcpServers", [] { return home() / ".cursor/mcp.json"; },
          [](const fs::path& project) { return project / ".cursor/mcp.json"; }, "${workspaceFolder}", typed},
      Client{
          "vscode", "servers", [] { return xdg_config() / "Code/User/mcp.json"; },
          [](const fs::path& project) { return project / ".vscode/mcp.json"; }, "${workspaceFolder}", typed},
      Client{
          "zed", "context_servers", [] { return xdg_config() / "zed/settings.json"; }, nullptr, "", plain}};
  return all;
}

const Client& client_of(const std::string& name) {
  for (const auto& client : clients()) {
    if (client.name == name) {
      return client;
    }
  }
  throw Error(ErrorCode::usage, "there is no client '{}'", name)
      .with_hint(
          "claude-code, codex, opencode, cursor, vscode or zed; others take the command `pyro mcp serve`");
}

std::string toml_entry(const Json& entry) {
  auto text = fmt::format("[mcp_servers.{}]\n", k_entry);
  for (const auto& [key, value] : entry.items()) {
    text += fmt::format("{} = {}\n", key, value.dump()); // strings and lists of them are written alike
  }
  return text;
}

/// A table at the end of a TOML file is safe unless the file says something of it elsewhere, or in another
/// form.
std::string with_table(const std::string& text, const std::string& table) {
  static const std::regex ours(R"((^|\n)\s*\[\s*["']?mcp_servers["']?\s*\.\s*["']?pyro["']?\s*[\].])");
  static const std::regex other_form(R"((^|\n)\s*["']?mcp_servers["']?\s*[=.])");
  static const std::regex parent(R"((^|\n)\s*\[\s*["']?mcp_servers["']?\s*\])");
  static const std::regex in_parent(R"((^|\n)\s*["']?pyro["']?\s*[=.])");
  if (std::regex_search(text, ours)
      || (std::regex_search(text, parent) && std::regex_search(text, in_parent))) {
    throw Error(ErrorCode::already_exists, "there is a 'pyro' in 'mcp_servers'");
  }
  if (std::regex_search(text, other_form)) {
    throw Error(
        ErrorCode::invalid_argument, "'mcp_servers' is written as a value, which a table cannot follow");
  }
  const bool needs_end = !text.empty() && !text.ends_with('\n');
  return text + (needs_end ? "\n" : "") + (text.empty() ? "" : "\n") + table;
}

bool has_entry(const std::string& text, const Client& client, const Json& entry, bool is_toml) {
  if (is_toml) {
    return text.find(toml_entry(entry)) != std::string::npos;
  }
  const auto document = parse_jsonc(text);
  const auto section = document.is_object() ? document.value(client.section, Json()) : Json();
  return section.is_object() && section.value(k_entry, Json()) == entry;
}

bool is_blank_file(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

} // namespace

ClientConfig client_config(const ClientConfigRequest& request) {
  const auto& client = client_of(request.client);
  const bool is_project = request.scope == ConfigScope::project;
  if (is_project && client.project_file == nullptr) {
    throw Error(ErrorCode::usage, "{} has no file of a project for MCP servers", client.name)
        .with_hint("leave --project out");
  }
  std::vector<std::string> argv{is_project ? "pyro" : request.program, "mcp", "serve"};
  if (is_project) {
    argv.insert(argv.end(), {"--project-path", client.project_path});
  }
  const auto entry = client.entry(argv);
  ClientConfig config;
  config.path = (is_project ? client.project_file(request.directory) : client.user_file()).string();
  const bool is_toml = config.path.ends_with(".toml");
  config.addition = is_toml ? toml_entry(entry) : Json{{client.section, {{k_entry, entry}}}}.dump(2) + "\n";
  config.is_private = !is_project;
  config.before = os::maybe_read_file(config.path, k_largest_config).value_or("");
  const auto& text = config.before;
  if (is_blank_file(text)) {
    config.changed = config.addition;
    return config;
  }
  try {
    config.is_there = has_entry(text, client, entry, is_toml);
    if (!config.is_there) {
      config.changed =
          is_toml ? with_table(text, config.addition) : with_member(text, {client.section}, k_entry, entry);
    }
  } catch (Error& error) {
    throw Error(error.code(), "{}: {}", config.path, error.message())
        .with_hint("it is left as it is; this is what belongs there:\n" + config.addition);
  }
  return config;
}

void write_client_config(const ClientConfig& config) {
  const auto path = fs::weakly_canonical(config.path).string(); // a symlink stays one
  os::make_directories(fs::path(path).parent_path().string(), 0755);
  if (os::maybe_read_file(path, k_largest_config).value_or("") != config.before) {
    throw Error(ErrorCode::stale, "{} was changed meanwhile", config.path).with_hint("run this again");
  }

  struct stat status {};

  const bool is_there = ::stat(path.c_str(), &status) == 0;
  os::write_file_atomically(
      path, config.changed,
      is_there            ? status.st_mode & 07777
      : config.is_private ? 0600
                          : 0644);
}

} // namespace pyro::mcp

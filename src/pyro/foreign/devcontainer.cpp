// A devcontainer.json: one container that somebody works in.
#include "dockerfile.hpp"
#include "import.hpp"
#include "json_comments.hpp"
#include "reading.hpp"
#include "text_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pyro::foreign {

namespace {

using spec::Node;

struct KnownKey {
  std::string_view key;
  std::string_view reason;
  bool is_needed;
};

constexpr std::array k_known_keys{
    KnownKey{"customizations", "settings of editors stay theirs", false},
    KnownKey{"extensions", "settings of editors stay theirs", false},
    KnownKey{"settings", "settings of editors stay theirs", false},
    KnownKey{"portsAttributes", "nothing stands for it", false},
    KnownKey{"otherPortsAttributes", "nothing stands for it", false},
    KnownKey{"shutdownAction", "`lifecycle: {idle: 30m}` stops a workspace that nobody uses", false},
    KnownKey{"overrideCommand", "a workspace runs its services, and stays without any", false},
    KnownKey{"updateRemoteUserUID", "the files are a copy, with an owner of their own", false},
    KnownKey{"userEnvProbe", "nothing stands for it", false},
    KnownKey{"waitFor", "apply waits for all", false},
    KnownKey{"init", "the agent is pid 1, and reaps", false},
    KnownKey{"$schema", "it is that of the other file", false},
    KnownKey{"features", "write each as a set-up step: apt: [...], or what its install script does", true},
    KnownKey{"forwardPorts", "ports belong to services: services.NAME.ports", true},
    KnownKey{"appPort", "ports belong to services: services.NAME.ports", true},
    KnownKey{
        "mounts",
        "the checkout is copied; `mounts` shows a directory of this machine, volumes are not needed", true},
    KnownKey{"workspaceMount", "the checkout is copied, not mounted", true},
    KnownKey{"runArgs", "the options of another program", true},
    KnownKey{"capAdd", "`isolation: vm` gives root of a kernel of its own", true},
    KnownKey{"securityOpt", "`isolation: vm` gives root of a kernel of its own", true},
    KnownKey{"initializeCommand", "nothing in a pyro.yaml runs on this machine", true},
    KnownKey{"postAttachCommand", "run it by hand: pyro exec", true},
    KnownKey{"dockerComposeFile", "`pyro import compose FILE` reads that one", true},
    KnownKey{"service", "it is one of the Compose file: `pyro import compose FILE`", true},
    KnownKey{"runServices", "they are of the Compose file: `pyro import compose FILE`", true},
    KnownKey{"secrets", "say where they come from: `secrets: {NAME: {env: NAME}}`", true},
};

constexpr std::array<std::string_view, 16> k_read_keys{
    "name",
    "image",
    "build",
    "dockerFile",
    "context",
    "containerEnv",
    "remoteEnv",
    "remoteUser",
    "containerUser",
    "workspaceFolder",
    "onCreateCommand",
    "updateContentCommand",
    "privileged",
    "hostRequirements",
    "postCreateCommand",
    "postStartCommand"};

/// Variables of this form in a text that no shell reads: ${localEnv:NAME:default} and places of the checkout.
/// What is left of "${" is text here.
std::string from_variables(std::string_view text, const std::string& inside) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at, 2) != "${") {
      result += text[at];
      continue;
    }
    const auto end = text.find('}', at);
    const auto whole = text.substr(at + 2, end == std::string_view::npos ? 0 : end - at - 2);
    const auto colon = whole.find(':');
    const auto kind = whole.substr(0, colon);
    const auto rest = colon == std::string_view::npos ? std::string_view{} : whole.substr(colon + 1);
    const auto name = rest.substr(0, rest.find(':'));
    if ((kind == "localEnv" || kind == "env") && is_variable_name(name)) {
      const auto otherwise =
          rest.find(':') == std::string_view::npos ? std::string_view{} : rest.substr(rest.find(':') + 1);
      result += fmt::format(
          "${{env:{}:-{}}}", name, otherwise.find_first_of("${}") == std::string_view::npos ? otherwise : "");
      at = end;
    } else if (kind == "containerWorkspaceFolder" || kind == "localWorkspaceFolder") {
      result += inside;
      at = end;
    } else if (kind == "containerWorkspaceFolderBasename" || kind == "localWorkspaceFolderBasename") {
      result += inside.substr(inside.rfind('/') + 1);
      at = end;
    } else {
      result += "$$"; // the brace follows as text
    }
  }
  return result;
}

class Reader {
public:
  Reader(const Node& root, const std::string& file, const ReadBeside& read) : m_root(root), m_read(read) {
    m_draft.source = file;
  }

  Draft run() {
    read_place();
    read_image();
    read_user();
    read_env();
    read_requirements();
    for (const auto* key : {"onCreateCommand", "updateContentCommand", "postCreateCommand"}) {
      read_command(key);
    }
    read_start();
    read_others();
    std::stable_sort(
        m_draft.unmapped.begin(), m_draft.unmapped.end(),
        [](const Unmapped& a, const Unmapped& b) { return a.place.line < b.place.line; });
    return std::move(m_draft);
  }

private:
  std::string text_at(std::string_view key) const {
    return from_variables(text_of_node(m_root.find(key)), m_inside);
  }

  void read_place() {
    m_draft.description = escape_dollars(text_of_node(m_root.find("name")));
    const auto folder = text_at("workspaceFolder");
    const bool is_plain =
        folder.starts_with('/') && folder.size() > 1 && folder.find('$') == std::string::npos;
    if (is_plain && folder != m_inside) {
      m_inside = folder;
      m_draft.seed_to = folder;
      m_draft.workdir = folder;
    }
  }

  static std::string escape_dollars(const std::string& text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
      result += text.compare(at, 2, "${") == 0 ? "$$" : std::string(1, text[at]);
    }
    return result;
  }

  void read_image() {
    const auto* build = m_root.find("build");
    const auto* image = m_root.find("image");
    const auto* dockerfile =
        build != nullptr && build->is_map() ? build->find("dockerfile") : m_root.find("dockerFile");
    if (image != nullptr) {
      m_draft.image = text_at("image");
      return;
    }
    if (dockerfile == nullptr) {
      m_draft.image_comment = "it names no image: a clean Debian";
      return;
    }
    const auto path = path_below(text_of_node(dockerfile));
    const auto text = path.empty() ? std::nullopt : m_read(path);
    const auto base = text ? base_of_dockerfile(*text) : std::nullopt;
    m_draft.image = base.value_or("debian:12");
    m_draft.image_comment = base ? "what its Dockerfile begins with; its other lines become set-up steps"
                                 : "what its Dockerfile does becomes set-up steps";
    m_draft.lost(dockerfile->place, "build", "what the Dockerfile runs goes into environment.setup");
  }

  void read_user() {
    for (const auto* key : {"containerUser", "remoteUser"}) {
      if (const auto user = text_at(key); !user.empty()) {
        m_draft.user = user;
      }
    }
    if (const auto* privileged = m_root.find("privileged"); text_of_node(privileged) == "true") {
      m_draft.isolation = "vm";
      m_draft.not_needed(privileged->place, "privileged", "a virtual machine: root of a kernel of its own");
    }
  }

  void read_env() {
    for (const auto* key : {"containerEnv", "remoteEnv"}) {
      const auto* node = m_root.find(key);
      for (const auto& entry : node != nullptr ? node->entries : std::vector<spec::Entry>{}) {
        const auto address = fmt::format("{}.{}", key, entry.key);
        if (!is_variable_name(entry.key) || !entry.value.is_scalar()) {
          m_draft.lost(entry.key_place, address, "it has no name of a variable, or no text");
        } else if (entry.value.text.find("${containerEnv:") != std::string::npos) {
          m_draft.lost(entry.key_place, address, "it stands on a variable of the image: write the value out");
        } else {
          m_draft.env[entry.key] = from_variables(entry.value.text, m_inside);
        }
      }
    }
  }

  void read_requirements() {
    const auto* needs = m_root.find("hostRequirements");
    for (const auto& entry : needs != nullptr ? needs->entries : std::vector<spec::Entry>{}) {
      const auto text = text_of_node(&entry.value);
      const auto bytes = bytes_of(text);
      const bool is_count = !text.empty() && text.size() < 4
                            && text.find_first_not_of("0123456789") == std::string::npos && text[0] != '0';
      if (entry.key == "cpus" && is_count) {
        m_draft.resources["cpus"] = text;
      } else if ((entry.key == "memory" || entry.key == "storage") && bytes) {
        m_draft.resources[entry.key == "memory" ? "memory" : "disk"] = mebibytes(*bytes);
      } else {
        m_draft.lost(entry.key_place, "hostRequirements." + entry.key, "there is no such thing here");
      }
    }
  }

  /// What it is in a shell; an object's commands one after the other, which run at once there.
  std::vector<std::string> commands_of(const Node* node) const {
    std::vector<std::string> commands;
    if (node == nullptr) {
      return commands;
    }
    if (node->is_map()) {
      for (const auto& entry : node->entries) {
        for (const auto& command : commands_of(&entry.value)) {
          commands.push_back(command);
        }
      }
      return commands;
    }
    const auto text = node->is_list() ? shell_text(texts_of_node(node)) : text_of_node(node);
    if (text.find_first_not_of(" \t\r\n") != std::string::npos) {
      commands.push_back(from_variables(text, m_inside));
    }
    return commands;
  }

  void read_command(const char* key) {
    const auto commands = commands_of(m_root.find(key));
    for (const auto& command : commands) {
      auto id = name_from(key) + (commands.size() > 1 ? fmt::format("-{}", ++m_steps) : "");
      if (command == "npm ci" || command == "npm install") {
        m_draft.setup.push_back(fmt::format("- {{id: {}, npm: {}}}", id, command.substr(4)));
        continue;
      }
      m_draft.prepare.push_back(fmt::format("- {{id: {}, run: {}}}", id, quoted(command)));
      m_draft.is_network_open = true; // as it is there
    }
  }

  void read_start() {
    const auto commands = commands_of(m_root.find("postStartCommand"));
    for (std::size_t i = 0; i < commands.size(); ++i) {
      m_draft.services.push_back(
          {commands.size() > 1 ? fmt::format("start-{}", i + 1) : "start",
           "at each start of the workspace; apply waits for its end",
           {"oneshot: true", "command: " + quoted(commands[i])}});
    }
  }

  void read_others() {
    for (const auto& entry : m_root.entries) {
      if (std::find(k_read_keys.begin(), k_read_keys.end(), entry.key) != k_read_keys.end()) {
        continue;
      }
      const auto known = std::find_if(k_known_keys.begin(), k_known_keys.end(), [&](const KnownKey& one) {
        return one.key == entry.key;
      });
      if (known == k_known_keys.end()) {
        m_draft.lost(entry.key_place, entry.key, "there is no such thing here");
      } else if (!known->is_needed) {
        m_draft.not_needed(entry.key_place, entry.key, std::string(known->reason));
      } else {
        list(entry, *known);
      }
    }
  }

  /// Each feature or port in its own line.
  void list(const spec::Entry& entry, const KnownKey& known) {
    if (entry.key == "features" && entry.value.is_map()) {
      for (const auto& feature : entry.value.entries) {
        m_draft.lost(feature.key_place, feature.key, std::string(known.reason));
      }
      return;
    }
    if (entry.key == "forwardPorts" && entry.value.is_list()) {
      for (const auto& port : entry.value.items) {
        m_draft.lost(port.place, "forwardPorts " + text_of_node(&port), std::string(known.reason));
      }
      return;
    }
    m_draft.lost(entry.key_place, entry.key, std::string(known.reason));
  }

  const Node& m_root;
  const ReadBeside& m_read;
  Draft m_draft;
  std::string m_inside = "/workspace";
  int m_steps = 0;
};

} // namespace

Draft import_devcontainer(std::string_view text, const std::string& file, const ReadBeside& read) {
  const auto root = read_map(without_comments(text), file);
  return Reader(root, file, read).run();
}

} // namespace pyro::foreign

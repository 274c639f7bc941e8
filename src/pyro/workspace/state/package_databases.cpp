#include "package_databases.hpp"

#include "pip_notes.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_longest_database = 64 << 20;
constexpr std::size_t k_most_packages = 50'000;
constexpr std::size_t k_most_files = 2'000'000;

std::optional<std::string> maybe_read(const store::LayeredView& root, const std::string& path) {
  return root.maybe_read(path, k_longest_database);
}

std::vector<std::string> names_in(const store::LayeredView& root, const std::string& path) {
  const auto directory = root.directory(path);
  auto names = directory ? directory->names() : std::vector<std::string>{};
  if (names.size() > k_most_packages) {
    names.resize(k_most_packages);
  }
  return names;
}

template <typename OnLine>
void each_line(std::string_view text, const OnLine& on_line) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    on_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// "Name: value" of a control file; empty where it is another field.
std::string_view value_of(std::string_view line, std::string_view field) {
  return line.starts_with(field) && line.size() > field.size() + 1 && line[field.size()] == ':'
             ? line.substr(field.size() + 2)
             : std::string_view{};
}

struct Stanza {
  std::string package;
  std::string version;
  std::string architecture;
  bool installed = false;
  bool automatic = false;
};

template <typename OnStanza>
void each_stanza(const std::string& text, const OnStanza& on_stanza) {
  Stanza stanza;
  std::size_t count = 0;
  const auto finish = [&] {
    if (!stanza.package.empty() && ++count <= k_most_packages) {
      on_stanza(stanza);
    }
    stanza = {};
  };
  each_line(text, [&](std::string_view line) {
    if (line.empty()) {
      finish();
    } else if (const auto package = value_of(line, "Package"); !package.empty()) {
      stanza.package = package;
    } else if (const auto version = value_of(line, "Version"); !version.empty()) {
      stanza.version = version;
    } else if (const auto architecture = value_of(line, "Architecture"); !architecture.empty()) {
      stanza.architecture = architecture;
    } else if (const auto status = value_of(line, "Status"); !status.empty()) {
      stanza.installed = status.ends_with(" installed");
    } else if (const auto automatic = value_of(line, "Auto-Installed"); !automatic.empty()) {
      stanza.automatic = automatic == "1";
    }
  });
  finish();
}

/// The architecture that most packages are of.
std::string usual_architecture(const std::string& status) {
  std::map<std::string, int> counts;
  each_stanza(status, [&](const Stanza& stanza) {
    if (stanza.architecture != "all") {
      ++counts[stanza.architecture];
    }
  });
  const auto most = std::max_element(counts.begin(), counts.end(), [](const auto& one, const auto& other) {
    return one.second < other.second;
  });
  return most == counts.end() ? "" : most->first;
}

std::string apt_name(const Stanza& stanza, const std::string& usual) {
  const bool is_usual =
      stanza.architecture.empty() || stanza.architecture == "all" || stanza.architecture == usual;
  return is_usual ? stanza.package : stanza.package + ":" + stanza.architecture;
}

/// Where /bin is a link to usr/bin, dpkg still says /bin.
std::string merged(const store::LayeredView& root, const std::string& path) {
  const auto slash = path.find('/');
  const auto top = path.substr(0, slash);
  if (slash == std::string::npos || (top != "bin" && top != "sbin" && !top.starts_with("lib"))) {
    return path;
  }
  const auto found = root.lookup(top);
  return found && found->is_symlink() ? "usr/" + path : path;
}

std::vector<std::string> apt_files(const store::LayeredView& root, const std::string& package) {
  std::vector<std::string> files;
  std::optional<std::string> list;
  for (const auto& name : names_in(root, "var/lib/dpkg/info")) {
    const bool is_its =
        name == package + ".list" || (name.starts_with(package + ":") && name.ends_with(".list"));
    if (is_its && (list = maybe_read(root, "var/lib/dpkg/info/" + name))) {
      break;
    }
  }
  each_line(list.value_or(""), [&](std::string_view line) {
    if (line.size() > 1 && line.front() == '/' && files.size() < k_most_files) {
      files.push_back(merged(root, std::string(line.substr(1))));
    }
  });
  return files;
}

/// The files of RECORD, relative to the root.
std::vector<std::string>
pip_files(const store::LayeredView& root, const std::string& place, const std::string& dist_info) {
  std::vector<std::string> files;
  each_line(maybe_read(root, place + "/" + dist_info + "/RECORD").value_or(""), [&](std::string_view line) {
    const auto name = line.substr(0, line.find(','));
    if (!name.empty() && files.size() < k_most_files) {
      files.push_back((std::filesystem::path(place) / name).lexically_normal().string());
    }
  });
  return files;
}

/// As many as name the interpreter of a script.
std::string first_bytes(const store::LayeredView& root, const std::string& path) {
  try {
    const auto found = root.lookup(path);
    std::array<char, 4096> bytes{};
    const auto count = found && found->is_file() ? os::read_some(found->open().get(), bytes) : std::nullopt;
    return {bytes.data(), count.value_or(0)};
  } catch (const Error&) {
    return ""; // it changes at this moment
  }
}

Json document_in(const store::LayeredView& root, const std::string& path) {
  try {
    auto document = parse_json(maybe_read(root, path).value_or("null"), path);
    return document.is_object() ? document : Json::object();
  } catch (const Error&) {
    return Json::object();
  }
}

/// "requests-2.31.0.dist-info" → {"requests", "2.31.0"}
std::optional<std::pair<std::string, std::string>> dist_info_of(const std::string& name) {
  constexpr std::string_view k_end = ".dist-info";
  const auto dash = name.find('-');
  if (!name.ends_with(k_end) || dash == std::string::npos || dash + 1 + k_end.size() >= name.size()) {
    return std::nullopt;
  }
  return std::pair{name.substr(0, dash), name.substr(dash + 1, name.size() - k_end.size() - dash - 1)};
}

/// The directory that ends with `end`, of a path below it; empty: the path is of none.
std::string directory_ending(const std::string& path, std::string_view end) {
  const auto at = path.find(std::string(end) + "/");
  const bool is_whole = at != std::string::npos && (at == 0 || end.front() == '/' || path[at - 1] == '/');
  return is_whole ? path.substr(0, at + end.size()) : "";
}

} // namespace

std::string_view name_of(PackageManager manager) {
  switch (manager) {
  case PackageManager::apt:
    return "apt";
  case PackageManager::pip:
    return "pip";
  case PackageManager::npm:
    break;
  }
  return "npm";
}

Packages apt_packages(const store::LayeredView& root) {
  const auto status = maybe_read(root, "var/lib/dpkg/status").value_or("");
  const auto usual = usual_architecture(status);
  std::set<std::string> automatic;
  each_stanza(maybe_read(root, "var/lib/apt/extended_states").value_or(""), [&](const Stanza& stanza) {
    if (stanza.automatic) {
      automatic.insert(apt_name(stanza, usual));
    }
  });
  Packages packages;
  each_stanza(status, [&](const Stanza& stanza) {
    if (stanza.installed) {
      const auto name = apt_name(stanza, usual);
      packages[name] = {stanza.version, !automatic.contains(name)};
    }
  });
  return packages;
}

Packages pip_packages(const store::LayeredView& root, const std::string& place) {
  Packages packages;
  for (const auto& name : names_in(root, place)) {
    const auto known = dist_info_of(name);
    if (!known) {
      continue;
    }
    const auto installer = maybe_read(root, place + "/" + name + "/INSTALLER").value_or("");
    if (installer.starts_with("pip") || installer.starts_with("uv")) {
      packages[known->first] = {
          known->second, root.lookup(place + "/" + name + "/REQUESTED").has_value(),
          pip_source(document_in(root, place + "/" + name + "/direct_url.json"))};
    }
  }
  return packages;
}

std::string pip_interpreter(const store::LayeredView& root, const PackageChange& change) {
  const auto dist_info = fmt::format("{}-{}.dist-info", change.name, change.after);
  for (const auto& file : pip_files(root, change.place, dist_info)) {
    if (std::filesystem::path(file).parent_path().filename() != "bin") {
      continue;
    }
    if (auto interpreter = interpreter_in(first_bytes(root, file)); !interpreter.empty()) {
      return interpreter;
    }
  }
  return "";
}

Packages npm_packages(const store::LayeredView& root, const std::string& place) {
  Packages packages;
  const auto add = [&](const std::string& name) {
    const auto version = document_in(root, place + "/" + name + "/package.json").value("version", Json());
    if (version.is_string()) {
      packages[name] = {version.get<std::string>(), true};
    }
  };
  for (const auto& name : names_in(root, place)) {
    if (name.starts_with('@')) {
      for (const auto& scoped : names_in(root, place + "/" + name)) {
        add(name + "/" + scoped);
      }
    } else if (!name.starts_with('.')) {
      add(name);
    }
  }
  return packages;
}

PackageChanges::PackageChanges(
    const store::LayeredView& before, const store::LayeredView& after,
    const std::vector<std::string>& changed) {
  std::set<std::string> pip;
  std::set<std::string> npm;
  bool apt = false;
  for (const auto& path : changed) {
    apt = apt || path == "var/lib/dpkg/status";
    for (const auto* end : {"site-packages", "dist-packages"}) {
      if (auto place = directory_ending(path, end); !place.empty()) {
        pip.insert(std::move(place));
      }
    }
    if (auto place = directory_ending(path, "lib/node_modules"); !place.empty()) {
      npm.insert(std::move(place));
    } else if (place = directory_ending(path, "node_modules"); !place.empty()) {
      m_directories.emplace(place, PackageManager::npm); // of a project: its package.json says what
    }
  }
  if (apt) {
    compare_apt(before, after);
  }
  for (const auto& place : pip) {
    compare_pip(before, after, place);
  }
  for (const auto& place : npm) {
    compare_npm(before, after, place);
  }
}

std::vector<std::string> PackageChanges::note_changes(
    PackageManager manager, const std::string& place, const Packages& before, const Packages& after) {
  std::vector<std::string> names;
  for (const auto& [name, package] : after) {
    const auto old = before.find(name);
    const bool is_new = old == before.end();
    if (is_new || old->second.version != package.version || old->second.source != package.source) {
      m_changes.push_back(
          {manager, place, name, is_new ? "" : old->second.version, package.version, package.wanted,
           package.source});
      names.push_back(name);
    }
  }
  for (const auto& [name, package] : before) {
    if (!after.contains(name)) {
      m_changes.push_back({manager, place, name, package.version, "", package.wanted});
      names.push_back(name);
    }
  }
  return names;
}

void PackageChanges::compare_apt(const store::LayeredView& before, const store::LayeredView& after) {
  const auto names = note_changes(PackageManager::apt, "", apt_packages(before), apt_packages(after));
  if (names.empty()) {
    return;
  }
  for (const auto* notes : {"var/lib/dpkg", "var/lib/apt", "var/cache", "etc/alternatives"}) {
    m_directories.emplace(notes, PackageManager::apt);
  }
  m_files.emplace("etc/ld.so.cache", PackageManager::apt);
  for (const auto& name : names) {
    for (const auto* root : {&before, &after}) {
      for (auto& file : apt_files(*root, name)) {
        m_files.emplace(std::move(file), PackageManager::apt);
      }
    }
  }
}

void PackageChanges::compare_pip(
    const store::LayeredView& before, const store::LayeredView& after, const std::string& place) {
  const auto names =
      note_changes(PackageManager::pip, place, pip_packages(before, place), pip_packages(after, place));
  const std::set<std::string> changed(names.begin(), names.end());
  for (const auto* root : {&before, &after}) {
    for (const auto& name : names_in(*root, place)) {
      const auto known = dist_info_of(name);
      if (!known || !changed.contains(known->first)) {
        continue;
      }
      m_directories.emplace(place + "/" + name, PackageManager::pip);
      for (auto& file : pip_files(*root, place, name)) {
        m_files.emplace(std::move(file), PackageManager::pip);
      }
    }
  }
}

void PackageChanges::compare_npm(
    const store::LayeredView& before, const store::LayeredView& after, const std::string& place) {
  for (const auto& name :
       note_changes(PackageManager::npm, place, npm_packages(before, place), npm_packages(after, place))) {
    m_directories.emplace(place + "/" + name, PackageManager::npm);
  }
  m_files.emplace(place + "/.package-lock.json", PackageManager::npm);
  // PREFIX/bin holds links into PREFIX/lib/node_modules.
  const auto prefix = place.substr(0, place.size() - std::string_view("lib/node_modules").size());
  for (const auto& name : names_in(after, prefix + "bin")) {
    const auto found = after.lookup(prefix + "bin/" + name);
    if (found && found->is_symlink() && found->link_target().starts_with("../lib/node_modules/")) {
      m_files.emplace(prefix + "bin/" + name, PackageManager::npm);
    }
  }
}

const PackageManager* PackageChanges::owner_of(const std::string& path) const {
  if (const auto file = m_files.find(path); file != m_files.end()) {
    return &file->second;
  }
  for (auto end = path.size(); end != std::string::npos && end > 0; end = path.rfind('/', end - 1)) {
    if (const auto found = m_directories.find(path.substr(0, end)); found != m_directories.end()) {
      return &found->second;
    }
  }
  return nullptr;
}

} // namespace pyro::workspace

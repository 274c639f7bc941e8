#include "capture_packages.hpp"

#include <pyro/base/path_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <regex>

namespace pyro::workspace {

namespace {

using Changes = std::vector<const PackageChange*>;

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::string apt_script(const Changes& changes) {
  std::vector<std::string> wanted;
  std::vector<std::string> needed;
  std::vector<std::string> automatic;
  std::vector<std::string> removed;
  for (const auto* change : changes) {
    if (change->after.empty()) {
      removed.push_back(shell_word(change->name));
      continue;
    }
    (change->wanted ? wanted : needed).push_back(shell_word(change->name + "=" + change->after));
    if (!change->wanted && change->before.empty()) {
      automatic.push_back(shell_word(change->name));
    }
  }
  std::string script = "export DEBIAN_FRONTEND=noninteractive\n";
  if (!wanted.empty() || !needed.empty()) {
    wanted.insert(wanted.end(), needed.begin(), needed.end());
    script += fmt::format(
        "apt-get update\napt-get install -y --no-install-recommends --allow-downgrades {}\n", joined(wanted));
  }
  if (!automatic.empty()) {
    script += fmt::format("apt-mark auto {}\n", joined(automatic));
  }
  if (!removed.empty()) {
    script += fmt::format("apt-get remove -y {}\n", joined(removed));
  }
  return script;
}

/// Of X/lib/python3.11/site-packages: X, and "python3.11".
struct PythonPlace {
  std::string prefix;
  std::string program = "python3";
};

PythonPlace python_place(const std::string& place) {
  const auto lib = place.rfind("/lib/python");
  if (lib == std::string::npos) {
    return {};
  }
  const auto name = lib + std::string_view("/lib/").size();
  return {place.substr(0, lib), place.substr(name, place.find('/', name) - name)};
}

/// "python3" where that is the name for it, as people and scripts write it.
std::string usual_name(const store::LayeredView& root, const std::string& program) {
  for (const auto* name : {"usr/local/bin/python3", "usr/bin/python3"}) {
    const auto found = root.lookup(name);
    if (found && found->is_symlink() && ("/" + found->link_target()).ends_with("/" + program)) {
      return "python3";
    }
  }
  return program;
}

/// How pip is told to install there: by the Python that the packages' own commands start, where they have
/// some.
std::string pip_command(const store::LayeredView& root, const std::string& place, const Changes& changes) {
  const auto [prefix, program] = python_place(place);
  std::string interpreter;
  for (auto change = changes.begin(); change != changes.end() && interpreter.empty(); ++change) {
    interpreter = pip_interpreter(root, **change);
  }
  const bool is_venv = !prefix.empty() && root.lookup(prefix + "/pyvenv.cfg");
  return (!interpreter.empty() ? interpreter
          : is_venv            ? shell_word("/" + prefix + "/bin/python")
                               : usual_name(root, program))
         + " -m pip";
}

/// What made a virtual environment, as it notes itself; else what makes one like it.
std::string
venv_command(const store::LayeredView& root, const std::string& prefix, const std::string& program) {
  static const std::regex s_command(
      "(?:^|\n)command = (/[A-Za-z0-9_./+-]+ -m venv (?:--[a-z-]+ )*)(/[^\n]+)\n");
  constexpr std::size_t k_longest = 1 << 16;
  const auto text = root.maybe_read(prefix + "/pyvenv.cfg", k_longest).value_or("");
  std::smatch parts;
  const bool is_noted = std::regex_search(text, parts, s_command) && parts[2].str() == "/" + prefix;
  return (is_noted ? parts[1].str() : usual_name(root, program) + " -m venv ") + shell_word("/" + prefix);
}

std::string pip_flags(const store::LayeredView& root, const std::string& place) {
  const auto [prefix, program] = python_place(place);
  if (!prefix.empty() && root.lookup(prefix + "/pyvenv.cfg")) {
    return "";
  }
  std::string flags = prefix.ends_with(".local")                 ? " --user"
                      : prefix == "usr" || prefix == "usr/local" ? ""
                      : prefix.empty() || place.find("lib/") == std::string::npos
                          ? " --target=" + shell_word("/" + place)
                          : "";
  if (root.lookup("usr/lib/" + program + "/EXTERNALLY-MANAGED")) {
    flags += " --break-system-packages";
  }
  return flags;
}

/// What pip is told to install: words of a shell.
std::string pip_requirement(const PackageChange& change) {
  constexpr std::string_view k_editable = "-e ";
  if (change.source.starts_with(k_editable)) {
    return "-e " + shell_word(change.source.substr(k_editable.size()));
  }
  return shell_word(
      change.source.empty() ? change.name + "==" + change.after
                            : fmt::format("{} @ {}", change.name, change.source));
}

std::string pip_script(const store::LayeredView& root, const std::string& place, const Changes& changes) {
  const auto command = pip_command(root, place, changes);
  const auto flags = pip_flags(root, place);
  // Of what others need only the version is said, if there are others.
  const bool has_wanted = std::any_of(changes.begin(), changes.end(), [](const auto* change) {
    return !change->after.empty() && change->wanted;
  });
  std::vector<std::string> wanted;
  std::vector<std::string> removed;
  std::string constraints;
  for (const auto* change : changes) {
    if (change->after.empty()) {
      removed.push_back(shell_word(change->name));
    } else if (change->wanted || !has_wanted) {
      wanted.push_back(pip_requirement(*change));
    } else {
      constraints += change->name + "==" + change->after + "\n";
    }
  }
  std::string script;
  if (!wanted.empty()) {
    const auto limits = constraints.empty() ? "" : " -c /dev/stdin";
    script = fmt::format("{} install{}{} {}", command, flags, limits, joined(wanted));
    script += constraints.empty() ? "\n" : fmt::format(" <<'PYRO_END'\n{}PYRO_END\n", constraints);
  }
  if (!removed.empty()) {
    script += fmt::format(
        "{} uninstall -y{} {}\n", command,
        flags.find("break-system") == std::string::npos ? "" : " --break-system-packages", joined(removed));
  }
  return script;
}

/// Is it installed from the checkout, which only steps after the seed have?
bool comes_from(const PackageChange& change, const std::string& directory) {
  std::string_view path(change.source);
  for (const std::string_view before : {"-e ", "file://", "/"}) {
    path.remove_prefix(path.starts_with(before) ? before.size() : 0);
  }
  const auto end = std::min(path.find('#'), path.size());
  const std::string place(path.substr(0, end));
  return !change.source.empty() && is_at_or_below(place, directory);
}

std::string npm_script(const std::string& place, const Changes& changes) {
  std::vector<std::string> wanted;
  std::vector<std::string> removed;
  for (const auto* change : changes) {
    auto& list = change->after.empty() ? removed : wanted;
    list.push_back(shell_word(change->after.empty() ? change->name : change->name + "@" + change->after));
  }
  const auto prefix =
      place.substr(0, place.size() - std::min(place.size(), std::string_view("/lib/node_modules").size()));
  const auto flags = fmt::format("--global --prefix {}", shell_word("/" + prefix));
  std::string script;
  script += wanted.empty() ? "" : fmt::format("npm install {} {}\n", flags, joined(wanted));
  script += removed.empty() ? "" : fmt::format("npm uninstall {} {}\n", flags, joined(removed));
  return script;
}

/// Directories of projects whose node_modules differ.
std::set<std::string> node_projects(const std::vector<std::string>& changed) {
  std::set<std::string> projects;
  for (const auto& path : changed) {
    const auto at = path.find("/node_modules/");
    if (at != std::string::npos && !path.substr(0, at).ends_with("/lib") && path.substr(0, at) != "lib") {
      projects.insert(path.substr(0, at));
    }
  }
  return projects;
}

} // namespace

std::string shell_word(const std::string& text) {
  constexpr std::string_view k_plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@+,~%";
  if (!text.empty() && text.front() != '~' && text.find_first_not_of(k_plain) == std::string::npos) {
    return text;
  }
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

PackageScripts package_scripts(
    const store::LayeredView& before, const store::LayeredView& after,
    const std::vector<PackageChange>& changes, const std::vector<std::string>& changed,
    const std::string& seed) {
  PackageScripts scripts;
  std::map<std::pair<PackageManager, std::string>, Changes> places;
  for (const auto& change : changes) {
    places[{change.manager, change.place}].push_back(&change);
  }
  const auto script_for = [&](const std::string& place, const Changes& its = {}) -> std::string& {
    const bool needs_seed =
        std::any_of(its.begin(), its.end(), [&](const auto* change) { return comes_from(*change, seed); });
    return needs_seed || is_below(place, seed) ? scripts.prepare : scripts.setup;
  };
  for (const auto& [where, its] : places) {
    const auto& [manager, place] = where;
    if (manager == PackageManager::apt) {
      scripts.setup += apt_script(its);
    } else if (manager == PackageManager::npm) {
      script_for(place) += npm_script(place, its);
      scripts.notes.emplace(
          "npm does not note where a global package came from, nor what it needed in which version: both are "
          "as the registry has them when the step runs");
    } else {
      const auto prefix = python_place(place).prefix;
      const bool is_new_venv =
          !prefix.empty() && after.lookup(prefix + "/pyvenv.cfg") && !before.lookup(prefix + "/pyvenv.cfg");
      auto& script = script_for(place, its);
      if (is_new_venv) {
        script += venv_command(after, prefix, python_place(place).program) + "\n";
        scripts.directories.push_back(prefix);
      }
      script += pip_script(after, place, its);
    }
  }
  for (const auto& project : node_projects(changed)) {
    if (after.lookup(project + "/package-lock.json")) {
      script_for(project + "/node_modules") += fmt::format("(cd {} && npm ci)\n", shell_word("/" + project));
      scripts.directories.push_back(project + "/node_modules");
    }
  }
  return scripts;
}

} // namespace pyro::workspace

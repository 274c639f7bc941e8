#include "dependency_files.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_text.hpp>
#include <pyro/os/atomic_file.hpp>

#include <filesystem>
#include <functional>
#include <regex>
#include <sstream>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

/// Those of ordinary length: nobody writes others, and what looks at them goes deeper with each character.
void each_line(const std::string& text, const std::function<void(const std::string&)>& use) {
  constexpr std::size_t k_longest = 2000;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    if (line.size() <= k_longest) {
      use(line);
    }
  }
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Names, extras and versions: what may stand in a command and in a comment as it is.
bool is_plain_requirement(const std::string& text) {
  static const std::regex s_plain(R"([A-Za-z0-9][A-Za-z0-9._\[\], -]*[A-Za-z0-9._*\[\],~=!<> -]*)");
  constexpr std::size_t k_longest = 200;
  return text.size() <= k_longest && std::regex_match(text, s_plain);
}

/// "[a.b]" is "a.b"; empty: the line begins no table.
std::string toml_table(const std::string& line) {
  const auto text = trimmed(line);
  const auto end = text.find(']');
  return text.starts_with('[') && !text.starts_with("[[") && end != std::string::npos
             ? trimmed(text.substr(1, end - 1))
             : "";
}

/// The keys of those tables of TOML.
std::set<std::string> toml_keys(const std::string& text, const std::set<std::string>& tables) {
  static const std::regex s_key(R"re(^\s*"?([A-Za-z0-9_-]+)"?\s*[=.])re");
  std::set<std::string> keys;
  bool is_in = false;
  each_line(text, [&](const std::string& line) {
    if (const auto table = toml_table(line); !table.empty()) {
      const auto dot = table.rfind('.');
      is_in = tables.contains(table);
      if (dot != std::string::npos && tables.contains(table.substr(0, dot))) {
        keys.insert(table.substr(dot + 1)); // [dependencies.serde]
      }
      return;
    }
    std::smatch match;
    if (is_in && std::regex_search(line, match, s_key)) {
      keys.insert(match[1].str());
    }
  });
  return keys;
}

/// The strings of the list KEY in the table of TOML.
std::vector<std::string>
toml_list(const std::string& text, const std::string& table, const std::string& key) {
  static const std::regex s_string(R"re("([^"]*)"|'([^']*)'|(\])|(#.*$))re");
  const std::regex assignment("^\\s*\"?" + key + "\"?\\s*=\\s*\\[");
  std::vector<std::string> strings;
  bool is_in_table = false;
  bool is_in_list = false;
  each_line(text, [&](const std::string& line) {
    auto rest = line;
    std::smatch match;
    if (!is_in_list) {
      if (const auto begins = toml_table(line); !begins.empty()) {
        is_in_table = begins == table;
      }
      is_in_list = is_in_table && std::regex_search(line, match, assignment);
      rest = is_in_list ? match.suffix().str() : "";
    }
    for (auto at = std::sregex_iterator(rest.begin(), rest.end(), s_string);
         is_in_list && at != std::sregex_iterator(); ++at) {
      if ((*at)[3].matched) {
        is_in_list = false;
      } else if (!(*at)[4].matched) {
        strings.push_back((*at)[1].matched ? (*at)[1].str() : (*at)[2].str());
      }
    }
  });
  return strings;
}

} // namespace

std::string text_of_file(const std::string& directory, const std::string& name) {
  constexpr std::size_t k_limit = 1 << 20;
  const auto path = fs::path(directory) / name;
  std::error_code none;
  if (!fs::is_regular_file(fs::symlink_status(path, none))) {
    return "";
  }
  try {
    return os::maybe_read_file(path.string(), k_limit).value_or("");
  } catch (const Error&) {
    return ""; // too large, or not to be read
  }
}

NodePackage node_package(const std::string& directory) {
  NodePackage package;
  const auto document = maybe_parse_json(text_of_file(directory, "package.json")).value_or(Json());
  const auto each = [&](const char* field, const auto& use) {
    const auto found = document.find(field);
    if (found != document.end() && found->is_object()) {
      for (const auto& [name, value] : found->items()) {
        use(name, value);
      }
    }
  };
  for (const char* field : {"dependencies", "devDependencies", "optionalDependencies"}) {
    each(field, [&](const std::string& name, const Json&) { package.dependencies.insert(name); });
  }
  each("scripts", [&](const std::string& name, const Json& script) {
    package.scripts[name] = script.is_string() ? script.template get<std::string>() : "";
  });
  return package;
}

PythonPackage python_package(const std::string& directory) {
  PythonPackage package;
  for (const char* name :
       {"requirements.txt", "requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt",
        "test-requirements.txt"}) {
    if (!fs::is_regular_file(fs::symlink_status(fs::path(directory) / name))) {
      continue;
    }
    package.files.emplace_back(name);
    each_line(text_of_file(directory, name), [&](const std::string& line) {
      const auto text = trimmed(line.starts_with('#') ? "" : line.substr(0, line.find(" #")));
      // "-r requirements.txt" in a file for development: that one is read anyway
      const bool is_known = text.starts_with("-r requirements.txt");
      if (is_plain_requirement(text)) {
        package.requirements.push_back(text);
      } else if (!text.empty() && !is_known) {
        package.has_more = true;
      }
    });
  }
  const auto project = text_of_file(directory, "pyproject.toml");
  const auto take = [&](const std::string& table, const std::string& key) {
    for (auto& requirement : toml_list(project, table, key)) {
      if (is_plain_requirement(requirement)) {
        package.requirements.push_back(std::move(requirement));
      } else {
        package.has_more = true;
      }
    }
  };
  if (package.files.empty()) {
    take("project", "dependencies");
  }
  for (const char* table : {"project.optional-dependencies", "dependency-groups"}) {
    for (const char* group : {"dev", "test", "tests", "testing"}) {
      take(table, group);
    }
  }
  return package;
}

std::set<std::string> go_modules(const std::string& directory) {
  static const std::regex s_module(R"(^\s*(?:require\s+)?([A-Za-z0-9._~/-]+\.[A-Za-z0-9._~/-]+)\s+v[0-9])");
  std::set<std::string> modules;
  each_line(text_of_file(directory, "go.mod"), [&](const std::string& line) {
    std::smatch match;
    if (std::regex_search(line, match, s_module)) {
      modules.insert(match[1].str());
    }
  });
  return modules;
}

std::set<std::string> crates(const std::string& directory) {
  return toml_keys(
      text_of_file(directory, "Cargo.toml"), {"dependencies", "dev-dependencies", "build-dependencies"});
}

ComposeFile compose_file(const std::string& directory) {
  static const std::regex s_image(R"re(^\s*image:\s*["']?(?:[^\s"'#]*/)?([A-Za-z0-9_.-]+))re");
  ComposeFile compose;
  for (const char* name : {"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}) {
    if (!compose.name.empty() || !fs::is_regular_file(fs::symlink_status(fs::path(directory) / name))) {
      continue;
    }
    compose.name = name;
    each_line(text_of_file(directory, name), [&](const std::string& line) {
      std::smatch match;
      if (std::regex_search(line, match, s_image)) {
        compose.images.insert(match[1].str());
      }
    });
  }
  return compose;
}

} // namespace pyro::workspace

// What pip leaves with a package beside its files: where it came from, and which Python it was installed for.
// For package_databases.cpp; written by anybody, so what makes no sense says nothing.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

/// Of a direct_url.json, as packaging.python.org specifies it, the text of a requirement; empty: the package
/// came by its name.
inline std::string pip_source(const Json& direct) {
  const auto text = [](const Json& object, const char* key) {
    const auto found = object.is_object() ? object.value(key, Json()) : Json();
    return found.is_string() ? found.get<std::string>() : std::string();
  };
  const auto part = [&](const char* key) {
    return direct.is_object() ? direct.value(key, Json()) : Json();
  };
  constexpr std::string_view k_file = "file://";
  const auto url = text(direct, "url");
  const auto version = part("vcs_info");
  const auto directory = part("dir_info");
  if (url.starts_with(k_file) && directory.is_object() && directory.value("editable", Json()) == Json(true)) {
    return "-e " + url.substr(k_file.size());
  }
  const auto source = version.is_object()
                          ? fmt::format("{}+{}@{}", text(version, "vcs"), url, text(version, "commit_id"))
                          : url;
  std::vector<std::string> fragments;
  if (const auto hash = text(part("archive_info"), "hash"); !hash.empty()) {
    fragments.push_back(hash);
  }
  if (const auto below = text(direct, "subdirectory"); !below.empty()) {
    fragments.push_back("subdirectory=" + below);
  }
  return fragments.empty() ? source : fmt::format("{}#{}", source, fmt::join(fragments, "&"));
}

/// "/usr/bin/python3" of a script that begins with it; empty: it is none, or begins with more.
inline std::string interpreter_in(std::string_view script) {
  constexpr std::string_view k_plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+";
  const auto line = script.substr(0, script.find('\n'));
  const auto path = line.starts_with("#!/") ? line.substr(2) : std::string_view();
  return path.find_first_not_of(k_plain) == std::string_view::npos ? std::string(path) : "";
}

} // namespace pyro::workspace

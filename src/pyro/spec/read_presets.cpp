// Set-up steps that say what is wanted instead of a script: each becomes an ordinary step, as `config` shows
// it.
#include "read_parts.hpp"

#include <regex>

namespace pyro::spec {

namespace {

bool has_unknown_key(const Node& step) {
  const auto& known = shape("setup_step");
  return std::any_of(step.entries.begin(), step.entries.end(), [&](const Entry& entry) {
    return known.find(entry.key) == nullptr && !entry.key.starts_with("x-");
  });
}

void read_apt(Context& context, MapReader& reader, Step& step) {
  static const std::regex s_package(R"([a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?([=/][A-Za-z0-9.+:~-]+)?)");
  std::vector<std::string> packages;
  reader.strings("apt", packages);
  for (std::size_t i = 0; i < packages.size(); ++i) {
    if (!packages[i].empty() && !std::regex_match(packages[i], s_package)) {
      const auto address = fmt::format("{}[{}]", reader.address_of("apt"), i);
      context.error_at(
          context.positions[address], "value", address,
          fmt::format("'{}' is no name of a package", packages[i]), "git, libpq-dev, nodejs=18.19.0");
    }
  }
  if (packages.empty()) {
    reader.error("apt", "value", "no package is named", "write [git, curl]");
  }
  step.run = fmt::format(
      "apt-get update && apt-get install -y --no-install-recommends {} && apt-get clean && rm -rf "
      "/var/lib/apt/lists/*",
      fmt::join(packages, " "));
  step.env.emplace("DEBIAN_FRONTEND", "noninteractive");
}

void read_npm(MapReader& reader, Step& step) {
  const auto choice = reader.choice_index("npm").value_or(0);
  step.run = choice == 0 ? "npm ci" : "npm install";
  if (!reader.has("inputs")) {
    step.inputs = {"package.json"};
    if (choice == 0) {
      step.inputs.emplace_back("package-lock.json");
    }
  }
}

void read_pip(MapReader& reader, Step& step) {
  static const std::regex s_path("[A-Za-z0-9_][A-Za-z0-9_./-]*");
  std::string file;
  reader.string("pip", file);
  if (!std::regex_match(file, s_path) || ("/" + file + "/").find("/../") != std::string::npos) {
    reader.error(
        "pip", "value", fmt::format("'{}' is no file of requirements in the seed", file),
        "requirements.txt; for anything else write the command into 'run'");
  }
  step.run = "python3 -m pip install --no-cache-dir -r " + file;
  // Debian's pip wants to be told that the system's Python is meant; others do not know these.
  step.env.emplace("PIP_BREAK_SYSTEM_PACKAGES", "1");
  step.env.emplace("PIP_ROOT_USER_ACTION", "ignore");
  if (!reader.has("inputs")) {
    step.inputs = {file};
  }
}

void read_tools(MapReader& reader, Step& step) {
  std::string file = "mise.toml";
  if (reader.choice_index("tools")) {
    reader.string("tools", file);
  }
  step.run = fmt::format(
      "command -v mise >/dev/null || {{ echo 'This environment has no mise: take an image that has it, or "
      "let a "
      "step before this one run: curl -fsSL https://mise.run | MISE_INSTALL_PATH=/usr/local/bin/mise sh' "
      ">&2; "
      "exit 127; }}; mise trust {} && mise install",
      file);
  step.env.emplace("MISE_YES", "1");
  if (!reader.has("inputs")) {
    step.inputs = {file};
  }
}

} // namespace

void read_preset(Context& context, MapReader& reader, Step& step) {
  const auto known = reader.ways();
  auto ways = known;
  std::erase_if(ways, [&](const auto& way) { return !reader.has(way); });
  if (ways.empty() && has_unknown_key(reader.node())) {
    return; // that is it, and was told
  }
  if (ways.empty()) {
    context.error(
        reader.node(), "required", reader.address(), "'run' is missing",
        fmt::format(
            "a shell script, or what to install: {}", fmt::join(known.begin() + 1, known.end(), ", ")));
    return;
  }
  if (ways.size() > 1) {
    context.error(
        reader.node(), "clash", reader.address(),
        fmt::format("a step has one of: {}; here are {}", fmt::join(known, ", "), fmt::join(ways, " and ")),
        "make a step of each");
    return;
  }
  if (ways.front() == "apt") {
    read_apt(context, reader, step);
  } else if (ways.front() == "npm") {
    read_npm(reader, step);
  } else if (ways.front() == "pip") {
    read_pip(reader, step);
  } else if (ways.front() == "tools") {
    read_tools(reader, step);
  }
}

} // namespace pyro::spec

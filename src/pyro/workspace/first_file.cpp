#include "first_file.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/workspace/editor_schema.hpp>
#include <pyro/workspace/first_services.hpp>
#include <pyro/workspace/host_programs.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <regex>
#include <unistd.h>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

bool has_postgresql(const CheckoutLook& look) {
  return std::any_of(look.databases.begin(), look.databases.end(), [](const Database& one) {
    return one.kind == Database::Kind::postgresql;
  });
}

bool is_on_host(const CheckoutLook& look) {
  return look.missing.empty() && !has_postgresql(look); // whose files its package makes
}

std::string image_of(const CheckoutLook& look) {
  if (is_on_host(look)) {
    return "  image: host                      # this machine's own system, read-only: nothing to download\n";
  }
  return fmt::format(
      "  image: debian:12                 # {}\n",
      look.missing.empty()
          ? std::string("a clean Debian, for a database of its own")
          : fmt::format("this machine has no {}: image `host` would not do", fmt::join(look.missing, ", ")));
}

std::string inputs_of(const std::vector<std::string>& files) {
  return fmt::format(
      "      inputs: [{}]  # only {} there while it runs\n", fmt::join(files, ", "),
      files.size() == 1 ? "this file is" : "these files are");
}

/// With the package manager that wrote the lock file. npm has the others.
std::string node_install(const CheckoutLook& look) {
  const auto is_there = [&](const char* program) {
    return is_on_host(look) && is_shown_by_host(program);
  };
  std::string command;
  if (look.lock_file == "yarn.lock") {
    command =
        (is_there("yarn") ? "" : "npm install -g yarn@1 && ") + std::string("yarn install --frozen-lockfile");
  } else if (look.lock_file == "pnpm-lock.yaml") {
    command =
        (is_there("pnpm") ? "" : "npm install -g pnpm@9 && ") + std::string("pnpm install --frozen-lockfile");
  } else {
    command = look.lock_file.empty() ? "npm install" : "npm ci";
  }
  // The project's own scripts expect its sources; those of its dependencies run.
  return look.has_install_scripts ? "npm pkg delete scripts && " + command : command;
}

std::string quoted(const std::vector<std::string>& arguments) {
  static const std::regex s_plain("[A-Za-z0-9._-]+");
  std::string text;
  for (const auto& argument : arguments) {
    text += std::regex_match(argument, s_plain) ? " " + argument : " '" + argument + "'";
  }
  return text;
}

std::string
pip_step(const CheckoutLook& look, std::string_view margin, const std::vector<std::string>& arguments) {
  const auto files =
      look.requirement_files.empty() ? std::vector<std::string>{"pyproject.toml"} : look.requirement_files;
  return fmt::format(
      "{0}- id: deps\n"
      "{0}  inputs: [{1}]\n"
      "{0}  run: |\n"
      "{0}    python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir{2}\n",
      margin, fmt::join(files, ", "), quoted(arguments));
}

std::string python_step(const CheckoutLook& look) {
  std::string notes;
  if (!look.not_in_debian.empty()) {
    notes += fmt::format("    # not in Debian 12: {}\n", fmt::join(look.not_in_debian, ", "));
  }
  if (look.is_more_required) {
    notes += "    # pyproject.toml lists more than names and versions: add that to the command\n";
  }
  if (!look.pip_arguments.empty()) {
    return notes + pip_step(look, "    ", look.pip_arguments);
  }
  if (look.requirement_files.empty() || !look.has_dependencies) {
    return "";
  }
  std::vector<std::string> arguments;
  for (const auto& file : look.requirement_files) {
    arguments.insert(arguments.end(), {"-r", file});
  }
  return "    # These are what it requires, as Debian has it. Newer ones are on PyPI (add python3-venv "
         "above, and\n"
         "    # PATH: /opt/venv/bin:/usr/local/bin:/usr/bin:/bin to `env`):\n"
         + pip_step(look, "    # ", arguments);
}

/// The steps before the seed, at four spaces below `setup:`.
std::string dependency_step(const CheckoutLook& look) {
  if (look.kind == "python") {
    return python_step(look);
  }
  if (!look.has_dependencies) {
    return "";
  }
  const auto with_lock = [&](const char* file) {
    return look.lock_file.empty() ? std::vector<std::string>{file}
                                  : std::vector<std::string>{file, look.lock_file};
  };
  if (look.kind == "node") {
    return "    - id: deps\n" + inputs_of(with_lock("package.json")) + "      run: " + node_install(look)
           + " && rm -rf /root/.npm\n";
  }
  if (look.kind == "go") {
    return "    - id: deps\n" + inputs_of(with_lock("go.mod")) + "      run: go mod download\n";
  }
  if (look.kind == "rust") {
    // cargo reads no manifest without a source
    return "    - id: deps\n" + inputs_of(with_lock("Cargo.toml"))
           + "      run: mkdir src && touch src/lib.rs && cargo fetch && rm -r src\n";
  }
  return "";
}

/// Step of the packages; a cluster of PostgreSQL is made by its package.
std::string packages_step(const CheckoutLook& look) {
  std::string text;
  if (!look.packages.empty()) {
    text += fmt::format("    - id: tools\n      run: {}\n", install_packages(look.packages));
  }
  if (has_postgresql(look)) {
    text += postgresql_step();
  }
  return text;
}

std::string setup_of(const CheckoutLook& look) {
  const auto steps = (is_on_host(look) ? "" : packages_step(look)) + dependency_step(look);
  if (!steps.empty()) {
    return "  setup:                           # each step is a cached layer\n" + steps;
  }
  return fmt::format(
      "  # image: debian:12               # a clean Debian, to install into:\n"
      "  # setup:                         # each step is a cached layer\n"
      "  #   - {{id: tools, run: {}}}\n",
      install_packages(look.packages.empty() ? std::vector<std::string>{"make"} : look.packages));
}

std::string env_of(const CheckoutLook& look) {
  std::string text;
  if (!look.pip_arguments.empty()) {
    text += "    PATH: /opt/venv/bin:/usr/local/bin:/usr/bin:/bin\n";
  }
  if (look.has_sources_below_src) {
    text += "    PYTHONPATH: /workspace/src     # where its packages are\n";
  }
  for (const auto& database : look.databases) {
    text += database_variables(database);
  }
  return text.empty() ? "" : "  env:                             # of commands and services\n" + text;
}

/// What runs on the seed; empty: nothing does.
std::string prepare_step(const CheckoutLook& look) {
  return look.kind == "cmake"                           ? "cmake -S . -B build && cmake --build build"
         : look.kind == "go"                            ? "go build ./..."
         : look.kind == "rust"                          ? "cargo build --offline"
         : look.kind == "make"                          ? "make"
         : look.kind == "node" && look.has_build_script ? "npm run build"
                                                        : "";
}

std::string prepare_of(const std::string& step) {
  return step.empty()
             ? "# prepare:                        # after the seed; runs again only if a file changed\n"
               "#   - {id: build, run: make}\n"
             : fmt::format(
                 "prepare:                           # after the seed; runs again only if a file changed\n"
                 "  - {{id: build, run: {}}}\n",
                 step);
}

/// The directory's name as a workspace's: lower case, nothing but letters, digits and dashes.
std::string workspace_name(const fs::path& directory) {
  std::string name;
  for (const char c : fs::weakly_canonical(fs::absolute(directory)).filename().string()) {
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool fits = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (fits) {
      name += lower;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && (name.back() == '-' || name.size() > 40)) {
    name.pop_back();
  }
  const bool is_digit = !name.empty() && name[0] >= '0' && name[0] <= '9';
  return name.empty() ? "work" : (is_digit ? "work-" + name : name);
}

void write_new_file(const std::string& path, std::string_view text) {
  const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) {
    if (errno == EEXIST) {
      throw Error(ErrorCode::already_exists, "{} is there already", path)
          .with_hint("pyro plan says what it would do; remove it to start again");
    }
    throw Error::from_errno(errno, "create " + path);
  }
  try {
    os::write_all(file.get(), text);
  } catch (Error& error) {
    ::unlink(path.c_str());
    throw error.add_context("while writing " + path);
  }
}

} // namespace

std::string first_file(const CheckoutLook& look, const std::string& name) {
  const auto step = prepare_step(look);
  auto text =
      editor_line()
      + fmt::format(
          "# A workspace for {0}. `pyro plan` says what this would do, `pyro apply` does it; `pyro validate` "
          "checks it.\n",
          name);
  if (!look.test.empty()) {
    text += fmt::format("# Its tests, then: pyro exec -- {}\n", look.test);
  }
  text += fmt::format("version: 1\nname: {}\n\nenvironment:\n", name);
  text += image_of(look) + env_of(look) + setup_of(look);
  text += fmt::format(
      "\n"
      "seed:                              # your files, copied in; the originals are never touched\n"
      "  from: .\n"
      "  to: /workspace\n"
      "  exclude: [{}]\n"
      "  # on_change: sync                # changed files go into the running workspace, without a reset\n"
      "\n",
      fmt::join(look.outputs, ", "));
  text += prepare_of(step) + "\n" + services_text(look);
  text += fmt::format(
      "\n"
      "snapshots:                         # points to come back to\n"
      "  start: {{at: {}}}\n"
      "\n"
      "reset: {{to: start}}                 # `pyro reset` goes there, `pyro undo` comes back\n",
      has_postgresql(look) ? "ready, services: stopped"
      : step.empty()       ? "seed"
                           : "prepare");
  return text;
}

Json write_first_file(const Project& project, const std::string& kind) {
  const auto look = look_at_checkout(project.directory, kind);
  const auto name = workspace_name(project.directory);
  const auto path = (fs::path(project.directory) / project.file).lexically_normal().string();
  write_new_file(path, first_file(look, name));
  install_schema(project, "");
  return {{"file", path}, {"kind", look.kind}, {"name", name}, {"test", look.test}};
}

} // namespace pyro::workspace

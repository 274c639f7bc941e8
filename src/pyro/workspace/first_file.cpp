#include "first_file.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/program_environment.hpp>
#include <pyro/seed/git_checkout.hpp>
#include <pyro/seed/git_index.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

struct Kind {
  std::string_view name;
  std::vector<std::string> signs;    // files that tell; the first that is there
  std::vector<std::string> programs; // that it needs
  std::string_view packages;         // of Debian, that have them
  std::vector<std::string> outputs;  // directories that it is built into
  std::vector<std::string> locks;    // files that pin the dependencies
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> s_kinds{
      {"cmake", {"CMakeLists.txt"}, {"cmake", "c++"}, "g++ cmake make", {"build/"}, {}},
      {"node",
       {"package.json"},
       {"node", "npm"},
       "nodejs npm",
       {"node_modules/", "dist/"},
       {"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"}},
      {"python",
       {"pyproject.toml", "requirements.txt"},
       {"python3"},
       "python3 python3-venv",
       {".venv/", "__pycache__/"},
       {}},
      {"go", {"go.mod"}, {"go"}, "golang-go ca-certificates", {"bin/"}, {"go.sum"}},
      {"rust", {"Cargo.toml"}, {"cargo"}, "cargo", {"target/"}, {"Cargo.lock"}},
      {"static", {"index.html"}, {"python3"}, "python3", {}, {}},
      {"generic", {}, {}, "make", {}, {}}};
  return s_kinds;
}

bool is_file(const std::string& directory, const std::string& name) {
  return fs::is_regular_file(fs::symlink_status(fs::path(directory) / name));
}

const Kind& kind_named(const std::string& name) {
  const auto found =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& one) { return one.name == name; });
  return found == kinds().end() ? kinds().back() : *found;
}

const Kind& kind_of(const std::string& directory) {
  const auto found = std::find_if(kinds().begin(), kinds().end(), [&](const Kind& one) {
    return std::any_of(
        one.signs.begin(), one.signs.end(), [&](const auto& sign) { return is_file(directory, sign); });
  });
  return found == kinds().end() ? kinds().back() : *found;
}

/// Those of the directories that git has files in. A checkout that cannot be read tells at `pyro plan`.
std::set<std::string> tracked_of(const std::string& directory, const std::vector<std::string>& candidates) {
  std::set<std::string> tracked;
  try {
    const auto checkout = seed::find_checkout(fs::absolute(directory).lexically_normal().string());
    if (!checkout) {
      return tracked;
    }
    const auto index = seed::GitIndex::read(*checkout);
    const auto below = fs::weakly_canonical(directory).lexically_relative(checkout->top);
    for (const auto& candidate : candidates) {
      const auto path = (below / candidate.substr(0, candidate.size() - 1)).lexically_normal().string();
      if (!index.below(path).empty() || index.is_unlisted(path)) {
        tracked.insert(candidate);
      }
    }
  } catch (const Error&) {
    return {};
  }
  return tracked;
}

bool has_build_script(const std::string& directory) {
  constexpr std::size_t k_limit = 1 << 20;
  try {
    const auto text = os::maybe_read_file(directory + "/package.json", k_limit);
    const auto document = text ? parse_json(*text, "package.json") : Json();
    return document.is_object() && document.value("scripts", Json()).is_object()
           && document["scripts"].contains("build");
  } catch (const Error&) {
    return false; // npm will say what is wrong with it
  }
}

std::string node_install(const std::string& lock_file) {
  return lock_file == "yarn.lock"        ? "yarn install --frozen-lockfile"
         : lock_file == "pnpm-lock.yaml" ? "pnpm install --frozen-lockfile"
         : lock_file.empty()             ? "npm install"
                                         : "npm ci";
}

/// The steps before the seed, at four spaces below `setup:`; those that are only proposed are comments.
std::string dependency_step(const CheckoutLook& look) {
  if (look.kind == "node") {
    return fmt::format(
        "    - id: deps\n"
        "      inputs: [package.json{}]  # only these files are there while it runs\n"
        "      run: {}\n"
        "      cache: [/root/.npm]          # kept between builds\n",
        look.lock_file.empty() ? "" : ", " + look.lock_file, node_install(look.lock_file));
  }
  if (look.kind == "python" && look.has_requirements) {
    return "    - id: deps\n"
           "      inputs: [requirements.txt]   # only this file is there while it runs\n"
           "      run: python3 -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt\n"
           "      cache: [/root/.cache/pip]    # kept between builds\n";
  }
  if (look.kind == "go") {
    return fmt::format(
        "    - id: deps\n"
        "      inputs: [go.mod{}]  # only these files are there while it runs\n"
        "      run: go mod download\n",
        look.lock_file.empty() ? "" : ", " + look.lock_file);
  }
  return "";
}

std::string setup_of(const CheckoutLook& look, const Kind& kind) {
  std::string tools;
  if (!look.missing.empty()) {
    tools = fmt::format(
        "    - id: tools\n"
        "      run: apt-get update && apt-get install -y --no-install-recommends {}\n"
        "      cache: [/var/cache/apt, /var/lib/apt/lists]\n",
        kind.packages);
  }
  const auto steps = tools + dependency_step(look);
  if (!steps.empty()) {
    return "  setup:                           # each step is a cached layer\n" + steps;
  }
  return fmt::format(
      "  # image: debian:12               # a clean Debian, to install into:\n"
      "  # setup:                         # each step is a cached layer\n"
      "  #   - {{id: tools, run: apt-get update && apt-get install -y --no-install-recommends {}}}\n",
      kind.packages);
}

std::string image_of(const CheckoutLook& look) {
  return look.missing.empty()
             ? "  image: host                      # this machine's own system, read-only: nothing to "
               "download\n"
             : fmt::format(
                 "  image: debian:12                 # this machine has no {}: image `host` would not do\n",
                 fmt::join(look.missing, ", "));
}

/// What runs on the seed; empty: nothing does.
std::string prepare_step(const CheckoutLook& look) {
  return look.kind == "cmake"                           ? "cmake -S . -B build && cmake --build build"
         : look.kind == "go"                            ? "go build ./..."
         : look.kind == "rust"                          ? "cargo build"
         : look.kind == "node" && look.has_build_script ? "npm run build"
                                                        : "";
}

std::string seed_of(const CheckoutLook& look, const Kind& kind) {
  std::vector<std::string> left_out;
  for (const auto& directory : kind.outputs) {
    if (!look.tracked.contains(directory)) {
      left_out.push_back(directory);
    }
  }
  return fmt::format(
      "seed:                              # your files, copied in; the originals are never touched\n"
      "  from: .\n"
      "  to: /workspace\n"
      "  exclude: [{}]\n",
      fmt::join(left_out, ", "));
}

std::string services_of(const CheckoutLook& look) {
  const std::string_view lines = "web:\n"
                                 "    command: python3 -m http.server 8080\n"
                                 "    ports: [\"8080\"]\n"
                                 "    readiness: {http: {port: 8080}}\n";
  if (look.kind == "static") {
    return fmt::format(
        "services:                          # started in order, watched, and ready before apply is done\n  "
        "{}",
        lines);
  }
  return "# services:                       # started in order, watched, and ready before apply is done\n"
         "#   web:\n"
         "#     command: python3 -m http.server 8080\n"
         "#     readiness: {http: {port: 8080}}\n";
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

CheckoutLook look_at_checkout(const std::string& directory, const std::string& kind) {
  const auto& found = kind.empty() ? kind_of(directory) : kind_named(kind);
  CheckoutLook look;
  look.kind = found.name;
  for (const auto& lock : found.locks) {
    if (look.lock_file.empty() && is_file(directory, lock)) {
      look.lock_file = lock;
    }
  }
  look.has_requirements = is_file(directory, "requirements.txt");
  look.has_build_script = found.name == "node" && has_build_script(directory);
  look.tracked = tracked_of(directory, found.outputs);
  std::copy_if(
      found.programs.begin(), found.programs.end(), std::back_inserter(look.missing),
      [](const std::string& program) { return !os::find_program(program); });
  return look;
}

std::string first_file(const CheckoutLook& look, const std::string& name) {
  const auto& kind = kind_named(look.kind);
  const auto step = prepare_step(look);
  std::string text = fmt::format(
      "# A workspace for {0}. `pyro plan` says what this would do, `pyro apply` does it; `pyro validate` "
      "checks it.\n"
      "version: 1\n"
      "name: {0}\n"
      "\n"
      "environment:\n",
      name);
  text += image_of(look);
  if (look.kind == "python" && look.has_requirements) {
    text += "  env: {PATH: \"/opt/venv/bin:/usr/local/bin:/usr/bin:/bin\"}\n";
  }
  text += setup_of(look, kind) + "\n" + seed_of(look, kind) + "\n";
  text += step.empty()
              ? "# prepare:                        # after the seed; runs again only if a file changed\n"
                "#   - {id: build, run: make}\n"
              : fmt::format(
                  "prepare:                           # after the seed; runs again only if a file changed\n"
                  "  - {{id: build, run: {}}}\n",
                  step);
  text += "\n" + services_of(look);
  text += fmt::format(
      "\n"
      "snapshots:                         # points to come back to\n"
      "  start: {{at: {}}}\n"
      "\n"
      "reset: {{to: start}}                 # `pyro reset` goes there, `pyro undo` comes back\n",
      step.empty() ? "seed" : "prepare");
  return text;
}

Json write_first_file(const Project& project, const std::string& kind) {
  const auto look = look_at_checkout(project.directory, kind);
  const auto name = workspace_name(project.directory);
  const auto path = (fs::path(project.directory) / project.file).lexically_normal().string();
  write_new_file(path, first_file(look, name));
  return {{"file", path}, {"kind", look.kind}, {"name", name}};
}

} // namespace pyro::workspace

#include "checkout_look.hpp"

#include <pyro/base/error.hpp>
#include <pyro/seed/git_checkout.hpp>
#include <pyro/seed/git_index.hpp>
#include <pyro/workspace/dependency_files.hpp>
#include <pyro/workspace/host_programs.hpp>
#include <pyro/workspace/python_requirements.hpp>
#include <pyro/workspace/test_commands.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

struct Kind {
  std::string name;
  std::vector<std::string> signs;    // files that tell; the first that is there
  std::vector<std::string> programs; // that it needs
  std::vector<std::string> packages; // of Debian, that have them
  std::vector<std::string> outputs;  // directories that it is built into
  std::vector<std::string> locks;    // files that pin the dependencies
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> s_kinds{
      {"cmake", {"CMakeLists.txt"}, {"cmake", "make", "c++"}, {"g++", "cmake", "make"}, {"build/"}, {}},
      {"node",
       {"package.json"},
       {"node", "npm"},
       {"nodejs", "npm"},
       {"node_modules/", "dist/"},
       {"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"}},
      {"python",
       {"pyproject.toml", "requirements.txt", "setup.py"},
       {"python3"},
       {"python3"},
       {".venv/", "__pycache__/"},
       {}},
      // gcc: packages of the standard library are partly C
      {"go", {"go.mod"}, {"go"}, {"golang-go", "gcc", "libc6-dev", "ca-certificates"}, {"bin/"}, {"go.sum"}},
      {"rust", {"Cargo.toml"}, {"cargo"}, {"cargo", "ca-certificates"}, {"target/"}, {"Cargo.lock"}},
      {"static", {"index.html"}, {"python3"}, {"python3"}, {}, {}},
      {"make", {"Makefile", "GNUmakefile", "makefile"}, {"make"}, {"make"}, {"build/"}, {}},
      {"generic", {}, {}, {}, {}, {}}};
  return s_kinds;
}

bool is_file_of(const std::string& directory, const std::string& name) {
  std::error_code none;
  return fs::is_regular_file(fs::symlink_status(fs::path(directory) / name, none));
}

const Kind& kind_named(const std::string& name) {
  const auto found =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& one) { return one.name == name; });
  return found == kinds().end() ? kinds().back() : *found;
}

const Kind& kind_of(const std::string& directory) {
  const auto found = std::find_if(kinds().begin(), kinds().end(), [&](const Kind& one) {
    return std::any_of(
        one.signs.begin(), one.signs.end(), [&](const auto& sign) { return is_file_of(directory, sign); });
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

void add_once(std::vector<std::string>& to, const std::string& name) {
  if (std::find(to.begin(), to.end(), name) == to.end()) {
    to.push_back(name);
  }
}

void need_program(CheckoutLook& look, const std::string& program, const std::vector<std::string>& packages) {
  if (!is_shown_by_host(program)) {
    add_once(look.missing, program);
  }
  for (const auto& package : packages) {
    add_once(look.packages, package);
  }
}

bool has(const CheckoutLook& look, Database::Kind kind) {
  return std::any_of(
      look.databases.begin(), look.databases.end(), [&](const Database& one) { return one.kind == kind; });
}

/// `sign` has names of drivers or images; any of these means that the database is used.
void look_for_driver(
    CheckoutLook& look, const std::set<std::string>& names, const std::string& sign, Database::Kind kind,
    std::initializer_list<const char*> drivers) {
  const bool is_named =
      std::any_of(drivers.begin(), drivers.end(), [&](const char* driver) { return names.contains(driver); });
  if (is_named && !has(look, kind)) {
    look.databases.push_back({kind, sign});
  }
}

void look_at_node(CheckoutLook& look, const std::string& directory) {
  const auto package = node_package(directory);
  look.has_dependencies = !package.dependencies.empty();
  look.has_build_script = package.scripts.contains("build");
  for (const char* script :
       {"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"}) {
    look.has_install_scripts = look.has_install_scripts || package.scripts.contains(script);
  }
  if (package.scripts.contains("migrate")) {
    look.migrations = "npm run migrate";
  }
  look_for_driver(
      look, package.dependencies, "package.json", Database::Kind::redis,
      {"redis", "ioredis", "bullmq", "bull", "connect-redis"});
  look_for_driver(
      look, package.dependencies, "package.json", Database::Kind::postgresql,
      {"pg", "postgres", "pg-promise"});
}

void look_at_python_requirements(CheckoutLook& look, const std::string& directory) {
  const auto package = python_package(directory);
  look.requirement_files = package.files;
  look.has_dependencies = !package.requirements.empty() || package.has_more;
  const auto sign = package.files.empty() ? std::string("pyproject.toml") : package.files.front();
  std::vector<std::string> packages;
  std::set<std::string> names;
  for (const auto& requirement : package.requirements) {
    names.insert(requirement_name(requirement));
    if (const auto found = debian_package_of(requirement)) {
      packages.push_back(*found);
    } else {
      look.not_in_debian.push_back(requirement);
    }
  }
  const bool tests_with_pytest = look.test == "python3 -m pytest";
  if (look.not_in_debian.empty() && !package.has_more) {
    if (tests_with_pytest) {
      packages.emplace_back("python3-pytest");
    }
    for (const auto& one : packages) {
      // What the project itself uses is not what happens to be on this machine.
      if (one != "python3-pytest" || !host_python_has("pytest")) {
        add_once(look.missing, one);
      }
      add_once(look.packages, one);
    }
  } else {
    for (const auto& file : package.files) {
      look.pip_arguments.insert(look.pip_arguments.end(), {"-r", file});
    }
    if (package.files.empty()) {
      look.pip_arguments = package.requirements;
      look.is_more_required = package.has_more;
    }
    if (tests_with_pytest && !names.contains("pytest")) {
      look.pip_arguments.emplace_back("pytest");
    }
    add_once(look.packages, "python3-venv");
    if (!host_python_has_ensurepip()) {
      look.missing.emplace_back("python3-venv");
    }
  }
  look_for_driver(
      look, names, sign, Database::Kind::postgresql,
      {"psycopg2", "psycopg2-binary", "psycopg", "psycopg-binary", "asyncpg", "pg8000"});
  look_for_driver(look, names, sign, Database::Kind::redis, {"redis", "rq", "django-redis", "flask-redis"});
  if (names.contains("flask")) {
    static const std::regex s_flask(R"(\bFlask\s*\()");
    look.has_flask_app = std::regex_search(text_of_file(directory, "app.py"), s_flask)
                         || std::regex_search(text_of_file(directory, "wsgi.py"), s_flask);
  }
}

void look_at_python(CheckoutLook& look, const std::string& directory) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(directory) / "src", none)) {
    look.has_sources_below_src = look.has_sources_below_src || entry.path().extension() == ".py"
                                 || fs::is_regular_file(entry.path() / "__init__.py", none);
  }
  look_at_python_requirements(look, directory);
}

void look_for_drivers(
    CheckoutLook& look, const std::set<std::string>& dependencies, const std::string& sign,
    const std::map<std::string, Database::Kind>& drivers) {
  std::set<Database::Kind> found;
  for (const auto& dependency : dependencies) {
    for (const auto& [driver, kind] : drivers) {
      // modules of Go have their major version behind the name
      if ((dependency == driver || dependency.starts_with(driver + "/")) && found.insert(kind).second) {
        look.databases.push_back({kind, sign});
      }
    }
  }
}

/// A compiler, where make has something for it.
void look_at_sources(CheckoutLook& look, const std::string& directory) {
  std::set<std::string> extensions;
  std::error_code none;
  for (const auto* place : {".", "src", "lib"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(directory) / place, none)) {
      extensions.insert(entry.path().extension().string());
    }
  }
  if (extensions.contains(".c")) {
    need_program(look, "cc", {"gcc", "libc6-dev"});
  }
  for (const char* extension : {".cpp", ".cc", ".cxx"}) {
    if (extensions.contains(extension)) {
      need_program(look, "c++", {"g++"});
      break;
    }
  }
}

/// Files of SQL that are run in the order of their names.
std::string sql_migrations(const std::string& directory) {
  for (const char* place : {"migrations", "db/migrations", "sql/migrations"}) {
    std::error_code none;
    std::size_t sql = 0;
    std::size_t others = 0;
    for (const auto& entry : fs::directory_iterator(fs::path(directory) / place, none)) {
      const auto name = entry.path().filename().string();
      // Backwards, or made by a tool that keeps its own list of what it did.
      const bool is_plain = name.ends_with(".sql") && !name.ends_with(".down.sql");
      ++(is_plain ? sql : others);
    }
    if (sql > 0 && others == 0) {
      return std::string("for file in ") + place
             + "/*.sql; do psql -q -1 -v ON_ERROR_STOP=1 -f \"$file\" || exit 1; done";
    }
  }
  return "";
}

void look_at_compose(CheckoutLook& look, const std::string& directory) {
  const auto compose = compose_file(directory);
  look.compose = compose.name;
  look_for_driver(look, compose.images, compose.name, Database::Kind::redis, {"redis", "valkey"});
  look_for_driver(look, compose.images, compose.name, Database::Kind::postgresql, {"postgres"});
}

} // namespace

const std::vector<std::string>& project_kinds() {
  static const auto s_names = [] {
    std::vector<std::string> names;
    for (const auto& kind : kinds()) {
      names.push_back(kind.name);
    }
    return names;
  }();
  return s_names;
}

CheckoutLook look_at_checkout(const std::string& directory, const std::string& kind) {
  const auto& found = kind.empty() ? kind_of(directory) : kind_named(kind);
  CheckoutLook look;
  look.kind = found.name;
  look.packages = found.packages;
  for (const auto& lock : found.locks) {
    if (look.lock_file.empty() && is_file_of(directory, lock)) {
      look.lock_file = lock;
    }
  }
  const auto tracked = tracked_of(directory, found.outputs);
  for (const auto& output : found.outputs) {
    if (!tracked.contains(output)) {
      look.outputs.push_back(output);
    }
  }
  for (const auto& program : found.programs) {
    need_program(look, program, {});
  }
  const auto tests = find_tests(directory, look.kind);
  look.test = tests.command;
  for (const auto& [program, package] : tests.programs) {
    need_program(look, program, {package});
  }

  using enum Database::Kind;
  if (look.kind == "node") {
    look_at_node(look, directory);
  } else if (look.kind == "python") {
    look_at_python(look, directory);
  } else if (look.kind == "go") {
    const auto modules = go_modules(directory);
    look.has_dependencies = !modules.empty();
    look_for_drivers(
        look, modules, "go.mod",
        {{"github.com/redis/go-redis", redis},
         {"github.com/go-redis/redis", redis},
         {"github.com/gomodule/redigo", redis},
         {"github.com/jackc/pgx", postgresql},
         {"github.com/lib/pq", postgresql}});
  } else if (look.kind == "rust") {
    const auto dependencies = crates(directory);
    look.has_dependencies = !dependencies.empty();
    look_for_drivers(
        look, dependencies, "Cargo.toml",
        {{"redis", redis}, {"postgres", postgresql}, {"tokio-postgres", postgresql}});
  } else if (look.kind == "make") {
    look_at_sources(look, directory);
  }
  look_at_compose(look, directory);
  if (has(look, redis)) {
    need_program(look, "redis-server", {"redis-server"});
  }
  if (has(look, postgresql) && look.migrations.empty()) {
    look.migrations = sql_migrations(directory);
  }
  return look;
}

} // namespace pyro::workspace

#include "home.hpp"

#include "leftovers.hpp"
#include "subordinate_ids.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace pyro::testing {

namespace {

Result to_result(const os::Captured& captured, std::chrono::steady_clock::time_point start) {
  return {
      captured.outcome.shell_status(), captured.out, captured.err,
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start)};
}

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

} // namespace

std::ostream& operator<<(std::ostream& out, const Result& result) {
  return out << "status " << result.status << " after " << result.took.count() << " ms\n--- stdout\n"
             << result.out << "--- stderr\n"
             << result.err;
}

Arguments git_command(const fs::path& directory, const Arguments& arguments) {
  Arguments argv{"git", "-C", directory.string()};
  for (const auto* setting :
       {"user.name=t", "user.email=t@example.org", "init.defaultBranch=main", "protocol.file.allow=always"}) {
    argv.insert(argv.end(), {"-c", setting});
  }
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

void Functional::SetUp() {
  if (const auto why = why_no_sandbox(); !why.empty()) {
    GTEST_SKIP() << "no sandboxes on this machine: " << why;
  }
  bin = variable("PYRO_TEST_BIN", (binary_dir() / "bin").c_str()); // another directory: an installation
  ASSERT_TRUE(fs::exists(bin / "pyro")) << bin / "pyro"
                                        << " is not built";
  auto pattern = variable("PYRO_TEST_DIR", "/tmp") + "/pyro-test-XXXXXX"; // short: it holds sockets
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  m_root = pattern;
  m_projects.push_back(project());
  fs::create_directories(project());
}

void Functional::TearDown() {
  if (m_root.empty()) {
    return;
  }
  note_ids();
  for (const auto& directory : m_projects) {
    RunOptions options;
    options.cwd = directory;
    if (!fs::exists(directory / "pyro.yaml")) {
      continue;
    }
    const auto destroyed = pyro({"destroy", "--yes", "--snapshots"}, options);
    (void)destroyed; // a workspace that never was is no mistake; what stays is found below
  }
  for (const auto& id : workspace_ids()) {
    const auto destroyed = pyro({"destroy", "--yes", "--snapshots", "-w", id});
    EXPECT_EQ(destroyed.status, 0) << "destroying workspace " << id << ": " << destroyed;
  }
  std::vector<std::string> left;
  eventually([&] { return (left = leftovers(state().string(), m_ids)).empty(); });
  for (const auto& line : left) {
    ADD_FAILURE() << "left behind: " << line;
  }
  for (const auto pid : processes_naming(state().string())) {
    ::kill(pid, SIGKILL); // of this test's own state directory, or later tests suffer
  }
  remove_with_subordinate_ids(m_root.string());
}

std::map<std::string, std::string> Functional::environment(const RunOptions& options) const {
  std::map<std::string, std::string> env{
      {"PATH", bin.string() + ":" + variable("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"},
      {"HOME", variable("HOME", "/root")},
      {"LANG", "C.UTF-8"},
      {"CI", "true"},
      {"PYRO_HOME", state().string()}};
  for (const auto* name :
       {"PYRO_ENVIRONMENT_CACHE_DIR", "PYRO_TEMPLATES", "PYRO_TEMPLATE_BUDGET", "PYRO_TRUST",
        "PYRO_NAME_SERVERS", "SSL_CERT_FILE", "TEST_TOKEN", "XDG_CACHE_HOME", "ASAN_OPTIONS", "http_proxy",
        "https_proxy"}) {
    if (const char* value = std::getenv(name)) {
      env[name] = value;
    }
  }
  for (const auto& [name, value] : options.env) {
    env[name] = value;
  }
  return env;
}

Result Functional::command(const Arguments& argv, const RunOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  os::Command command{.argv = argv, .env = environment(options)};
  command.cwd = options.cwd.empty() ? project().string() : options.cwd.string();
  try {
    return to_result(os::run(command, options.input, options.timeout), start);
  } catch (const Error& error) {
    ADD_FAILURE() << "running " << argv.at(0) << (argv.size() > 1 ? " " + argv[1] : "") << ": "
                  << error.what();
    return {.status = -1, .out = "", .err = error.what()};
  }
}

Result Functional::pyro(const Arguments& arguments, const RunOptions& options) {
  Arguments argv{(bin / "pyro").string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto result = command(argv, options);
  note_ids();
  return result;
}

Result Functional::expect(int status, const Arguments& arguments, const RunOptions& options) {
  auto result = pyro(arguments, options);
  std::string text = "pyro";
  for (const auto& argument : arguments) {
    text += " " + argument;
  }
  EXPECT_EQ(result.status, status) << text << ": " << result;
  return result;
}

Json Functional::json(Arguments arguments, const RunOptions& options) {
  arguments.push_back("--json");
  const auto result = expect(0, arguments, options);
  auto value = Json::parse(result.out, nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << arguments.at(0) << " --json printed no JSON: " << result;
  return value.is_discarded() ? Json::object() : value;
}

Result Functional::inside(const std::string& script, const RunOptions& options) {
  return pyro({"exec", "--", "/bin/sh", "-c", script}, options);
}

bool Functional::has_users(const RunOptions& options) {
  return inside("awk '{n += $3} END {print n}' /proc/self/uid_map", options).out != "1\n";
}

Json Functional::service_status(const std::string& name, const RunOptions& options) {
  const auto status = json({"status"}, options);
  for (const auto& one : status["services"]) {
    if (one["name"] == name) {
      return one;
    }
  }
  return nullptr;
}

fs::path Functional::cache_with(const std::string& name) const {
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(state() / "caches", none)) {
    if (entry.path().filename() == name) {
      return entry.path().parent_path();
    }
  }
  return {};
}

void Functional::touch(const fs::path& path) {
  const auto touched = command(with_subordinate_ids({"touch", path.string()}));
  EXPECT_EQ(touched.status, 0) << touched;
}

void Functional::umoci(Arguments arguments, const RunOptions& options) {
  if (::geteuid() != 0 && (arguments.at(0) == "unpack" || arguments.at(0) == "insert")) {
    arguments.insert(arguments.begin() + 1, "--rootless");
  }
  arguments.insert(arguments.begin(), "umoci");
  const auto result = command(arguments, options);
  EXPECT_EQ(result.status, 0) << arguments.at(1) << ": " << result;
}

os::Child Functional::start(const Arguments& arguments, const RunOptions& options) {
  os::Command command{.argv = {(bin / "pyro").string()}, .env = environment(options)};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.cwd = options.cwd.empty() ? project().string() : options.cwd.string();
  const auto null = os::open_file("/dev/null", O_RDWR | O_CLOEXEC);
  command.fds = {{0, null.get()}, {1, null.get()}, {2, null.get()}};
  return os::spawn(command);
}

bool Functional::ends_when_interrupted(os::Child& child, int seconds_of_first, int seconds_of_second) {
  const auto has_ended = [&] {
    return child.try_wait().has_value();
  };
  if (has_ended()) {
    return true;
  }
  for (const int seconds : {seconds_of_first, seconds_of_second}) {
    child.signal(SIGINT);
    if (eventually(has_ended, seconds)) {
      return true;
    }
  }
  return false;
}

std::string Functional::archive_of(const fs::path& tree) {
  const auto archive = (root() / "layer.tar").string();
  EXPECT_EQ(command({"tar", "-C", tree.string(), "--owner=0", "--group=0", "-cf", archive, "."}).status, 0);
  auto bytes = read_file(archive);
  fs::remove(archive);
  return bytes;
}

void Functional::spec(const std::string& body, const fs::path& directory) {
  const auto place = directory.empty() ? project() : directory;
  write_file(
      place / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: host, resources: {memory: 256MiB}}\nseed: {from: .}\n"
          + body);
}

std::set<std::string> Functional::workspace_ids() const {
  std::set<std::string> ids;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(state() / "workspaces", none)) {
    ids.insert(entry.path().filename().string());
  }
  return ids;
}

std::string Functional::state_of_workspace() {
  const auto status = json({"status"});
  return status.value("state", "");
}

fs::path Functional::another_project(const std::string& name) {
  m_projects.push_back(m_root / name);
  fs::create_directories(m_projects.back());
  return m_projects.back();
}

void Functional::note_ids() {
  for (const auto& id : workspace_ids()) {
    m_ids.insert(id);
  }
}

std::string why_no_sandbox() {
  static const auto answer = [] {
    const auto tried =
        ::geteuid() == 0
            ? os::run({.argv = {"unshare", "--mount", "--pid", "--fork", "true"}})
            : os::run(
                {.argv = {"unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "true"}});
    return tried.outcome.ok() ? std::string() : tried.err + " (unshare)";
  }();
  return answer;
}

std::string why_no_network() {
  static const auto answer = []() -> std::string {
    if (const char* value = std::getenv("PYRO_TEST_NETWORK");
        value != nullptr && std::string(value) == "off") {
      return "PYRO_TEST_NETWORK=off";
    }
    // Debian's own archive tool: fetch the small InRelease file of whatever this machine is set up to use.
    const auto tried = os::run(
        {.argv =
             {"sh", "-c",
              "uri=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | head -n 1); "
              "[ -n \"$uri\" ] && curl -sS -m 20 -o /dev/null \"$uri\""},
         .env = os::inherited_environment()});
    return tried.outcome.ok() ? "" : "the machine's package source cannot be reached: " + tried.err;
  }();
  return answer;
}

} // namespace pyro::testing

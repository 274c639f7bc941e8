#include "skopeo.hpp"

#include "image_watch.hpp"
#include "tool.hpp"

#include <pyro/backend/shared/guarded_network.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/oci/document.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <vector>

namespace pyro::environment {

namespace {

constexpr std::size_t k_kept_lines = 20;
constexpr std::size_t k_longest_line = 4096;
constexpr std::size_t k_largest_manifest = 4U << 20U;
/// A registry that stops answering must not hold us for ever.
constexpr const char* k_time_limit = "60m";

constexpr std::string_view k_registry_prefix = "docker://";
constexpr const char* k_no_certificates = "no-certificates"; // an empty directory
constexpr const char* k_how_to_agree = "an image that nobody agreed to is fetched without your accounts, and "
                                       "kept off this machine's own network. "
                                       "`pyro trust` agrees to it for this file, PYRO_TRUST=1 for one call";

bool is_anonymous(const SkopeoCopy& copy) {
  return copy.from.starts_with(k_registry_prefix) && copy.access == RegistryAccess::anonymous;
}

/// The program, what it is to assume, and the command.
std::vector<std::string> begin_of(const std::string& program, const char* command) {
  const auto platform = oci::host_platform();
  return {program,     "--command-timeout", k_time_limit,          "--override-os",
          platform.os, "--override-arch",   platform.architecture, command};
}

std::vector<std::string> arguments_of(const SkopeoCopy& copy, const std::string& program) {
  auto argv = begin_of(program, "copy");
  if (is_anonymous(copy)) {
    argv.insert(argv.end(), {"--src-no-creds", "--src-cert-dir", k_no_certificates});
  } else if (is_loopback_registry(copy.from)) {
    argv.emplace_back("--src-tls-verify=false");
  }
  if (is_loopback_registry(copy.to)) {
    argv.emplace_back("--dest-tls-verify=false");
  }
  argv.push_back(copy.from);
  argv.push_back(copy.to);
  return argv;
}

/// Of a manifest as the registry has it.
std::vector<std::string> arguments_of_look(const SkopeoCopy& look, const std::string& program) {
  auto argv = begin_of(program, "inspect");
  if (is_anonymous(look)) {
    argv.insert(argv.end(), {"--no-creds", "--cert-dir", k_no_certificates});
  } else if (is_loopback_registry(look.from)) {
    argv.emplace_back("--tls-verify=false");
  }
  argv.insert(argv.end(), {"--raw", look.from});
  return argv;
}

/// Of the caller's variables those that say where registries' accounts and certificates are.
os::Variables skopeo_environment(const SkopeoCopy& copy) {
  auto variables = os::made_environment_with_proxies();
  variables["TMPDIR"] = copy.directory; // what is left of one that was killed goes with the rest
  for (const auto* name :
       {"REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "SSL_CERT_FILE",
        "SSL_CERT_DIR"}) {
    const bool says_who_asks = name == std::string_view("REGISTRY_AUTH_FILE")
                               || name == std::string_view("DOCKER_CONFIG")
                               || name == std::string_view("XDG_RUNTIME_DIR");
    if (const char* value = std::getenv(name); value != nullptr && !(says_who_asks && is_anonymous(copy))) {
      variables[name] = value;
    }
  }
  return variables;
}

backend::GuardedNetwork guarded_network() {
  try {
    return backend::GuardedNetwork();
  } catch (Error& error) {
    const auto hint = error.hint();
    throw error.add_context("a network without this machine in it")
        .with_hint(hint.empty() ? k_how_to_agree : fmt::format("{}; or: {}", hint, k_how_to_agree));
  }
}

/// EFBIG, which the kernel answers to a write beyond Command::max_file_bytes, in skopeo's words.
bool is_too_large(const std::vector<std::string>& lines) {
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("file too large") != std::string::npos;
  });
}

/// Passes lines on until the other end is closed.
class Lines {
public:
  explicit Lines(const std::function<void(const std::string&)>& line) : m_line(line) {}

  /// `watch` is called all the time.
  void read(int output, const std::function<void()>& watch) {
    std::array<char, 4096> buffer{};
    for (;;) {
      pollfd waiting{output, POLLIN, 0};
      if (::poll(&waiting, 1, 200) > 0) {
        const auto count = os::read_some(output, buffer).value_or(0);
        if (count == 0) {
          break;
        }
        add({buffer.data(), count});
      }
      check_interruption();
      watch();
    }
    end_line();
  }

  std::vector<std::string> last() const { return {m_last.begin(), m_last.end()}; }

private:
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n' || c == '\r' || m_pending.size() >= k_longest_line) {
        end_line();
      } else {
        m_pending.push_back(c);
      }
    }
  }

  void end_line() {
    if (m_pending.empty()) {
      return;
    }
    if (m_line) {
      m_line(m_pending);
    }
    m_last.push_back(std::move(m_pending));
    m_pending.clear();
    if (m_last.size() > k_kept_lines) {
      m_last.pop_front();
    }
  }

  const std::function<void(const std::string&)>& m_line;
  std::string m_pending;
  std::deque<std::string> m_last;
};

} // namespace

bool is_loopback_registry(const std::string& reference) {
  if (!reference.starts_with(k_registry_prefix)) {
    return false;
  }
  const auto name = reference.substr(k_registry_prefix.size());
  const auto end = name.find('/');
  if (end == std::string::npos) {
    return false; // "localhost" alone would be an image of the default registry
  }
  auto host = name.substr(0, end);
  if (host.starts_with('[')) {
    return host.substr(0, host.find(']') + 1) == "[::1]";
  }
  host = host.substr(0, host.find(':'));
  const bool is_address = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || (is_address && host.starts_with("127."));
}

void require_copy_tools(RegistryAccess access) {
  const auto* purpose = "fetching an image";
  required_program("skopeo", "skopeo", purpose);
  if (access == RegistryAccess::anonymous) {
    required_program("pasta", "passt", purpose);
  }
}

/// Runs skopeo in the copy's directory; what it prints goes to `output` where there is one, all else to
/// `line`.
static void run_skopeo(
    const SkopeoCopy& copy, std::vector<std::string> argv, const os::Fd& output,
    const std::function<void(const std::string&)>& line) {
  os::Command command;
  command.argv = std::move(argv);
  command.cwd = copy.directory;
  command.env = skopeo_environment(copy);
  command.die_with_parent = true;
  std::optional<backend::GuardedNetwork> network;
  if (is_anonymous(copy)) {
    os::make_directories(copy.directory + "/" + k_no_certificates);
    network.emplace(guarded_network());
    command.seclusion = network->seclusion(copy.directory);
  }
  std::optional<ImageWatch> watch;
  if (copy.to.starts_with("oci:") || output) {
    const auto limits = image_limits();
    command.max_file_bytes = output ? k_largest_manifest : limits.bytes;
    const bool is_sent = copy.from.starts_with(k_registry_prefix);
    watch.emplace(
        copy.from, copy.directory, limits,
        is_sent ? ImageWatch::Silence::limited : ImageWatch::Silence::allowed);
  }
  auto pipe = os::make_pipe();
  const auto nothing = os::open_file("/dev/null", O_RDONLY);
  command.fds = {
      {0, nothing.get()}, {1, output ? output.get() : pipe.write_end.get()}, {2, pipe.write_end.get()}};
  if (copy.archive >= 0) {
    command.fds.emplace_back(3, copy.archive);
  }
  auto child = os::spawn(command);
  pipe.write_end.reset();
  Lines lines(line);
  lines.read(pipe.read_end.get(), [&] { // interrupted: the child is killed with its owner
    if (watch) {
      watch->check();
    }
  });
  const auto outcome = child.wait();
  if (watch && !outcome.ok() && is_too_large(lines.last())) {
    watch->throw_too_large(); // one file came faster than was looked
  }
  if (!outcome.ok()) {
    throw Error(ErrorCode::failed, "skopeo cannot copy {}: {}", copy.from, os::to_string(outcome))
        .with_output(lines.last())
        .with_hint(
            is_anonymous(copy) ? k_how_to_agree
                               : "is the name right, and does it need an account? `skopeo login` keeps one");
  }
}

void copy_image(const SkopeoCopy& copy, const std::function<void(const std::string&)>& line) {
  const auto program = required_program("skopeo", "skopeo", "copying " + copy.from);
  run_skopeo(copy, arguments_of(copy, program), os::Fd(), line);
}

HexDigest digest_in_registry(const SkopeoCopy& look, const std::function<void(const std::string&)>& line) {
  const auto program = required_program("skopeo", "skopeo", "looking up " + look.from);
  const auto path = look.directory + "/manifest";
  {
    const auto output = os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    run_skopeo(look, arguments_of_look(look, program), output, line);
  }
  return sha256_of(os::read_file(path, k_largest_manifest));
}

} // namespace pyro::environment

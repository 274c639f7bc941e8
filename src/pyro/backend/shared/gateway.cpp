#include "gateway.hpp"

#include "gateway_network.hpp"
#include "privileges.hpp"

#include <pyro/base/error.hpp>
#include <pyro/egress/policy.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace pyro::backend {

namespace {

constexpr int k_control = 3;
constexpr int k_ready_limit_ms = 10'000;
/// One message carries no more descriptors (os/unix_socket.hpp).
constexpr std::size_t k_most_ports = 60;
constexpr std::size_t k_most_secrets = 128 << 10;

std::pair<os::Fd, os::Fd> message_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0) {
    throw Error::from_errno(errno, "socketpair");
  }
  return {os::Fd(ends[0]), os::Fd(ends[1])};
}

/// It has the network of this machine, the id of the sandbox's root there (nobody's) and no power over
/// either.
[[noreturn]] void
execute(const os::Fd& program, const os::Fd& user_namespace, const os::Fd& control, pid_t starter) {
  try {
    become_root_of(user_namespace);
    give_up_privileges();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != starter) {
      ::_exit(1);
    }
    const auto far_program = os::duplicate(program.get(), 100);
    const auto far_control = os::duplicate(control.get(), 100);
    const auto nowhere = os::open_file("/dev/null", O_RDWR);
    constexpr int k_program = 4;
    for (const auto& [number, fd] :
         {std::pair(0, nowhere.get()), {1, nowhere.get()}, {k_control, far_control.get()}}) {
      if (::dup2(fd, number) < 0) {
        throw Error::from_errno(errno, "dup2");
      }
    }
    if (::dup3(far_program.get(), k_program, O_CLOEXEC) < 0 || ::syscall(SYS_close_range, 5U, ~0U, 0U) < 0) {
      throw Error::from_errno(errno, "close what is not needed");
    }
    std::array<const char*, 2> argv{"pyro-gateway", nullptr};
    std::array<const char*, 1> env{nullptr};
    ::execveat(k_program, "", const_cast<char**>(argv.data()), const_cast<char**>(env.data()), AT_EMPTY_PATH);
    throw Error::from_errno(errno, "execute pyro-gateway");
  } catch (const Error& error) {
    const auto text = Json{{"error", to_json(error)}}.dump();
    std::ignore = ::send(k_control, text.data(), text.size(), MSG_NOSIGNAL);
  }
  ::_exit(1);
}

os::Child start_program(const std::string& path, const os::Fd& user_namespace, const os::Fd& control) {
  const auto program = os::open_file(path, O_RDONLY);
  const pid_t starter = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    execute(program, user_namespace, control, starter);
  }
  return os::Child(pid);
}

std::string name_servers() {
  const char* servers = std::getenv("PYRO_NAME_SERVERS");
  return servers == nullptr ? "" : servers;
}

/// Whom OpenSSL's programs on this machine trust, where the user says so (man openssl-env); else nothing.
os::Fd trusted_bundle() {
  const char* file = std::getenv("SSL_CERT_FILE");
  return file == nullptr || *file == '\0' ? os::Fd() : os::open_file(file, O_RDONLY);
}

} // namespace

Gateway::Gateway(
    SandboxNamespaces namespaces, const std::string& program, const std::vector<std::string>& rules)
    : m_namespaces(std::move(namespaces)) {
  const auto ports = new_ports(rules);
  auto network = make_gateway_network(m_namespaces, ports);
  m_network = std::move(network.name_space);
  auto [ours, theirs] = message_pair();
  m_control = std::move(ours);
  m_program = start_program(program, m_namespaces.user, theirs);
  theirs.reset();
  os::send_with_fds(
      m_control.get(), Json{{"rules", rules}, {"name_servers", name_servers()}, {"ports", ports}}.dump(),
      os::numbers_of(network.sockets));
  await_ready();
  m_ports.insert(ports.begin(), ports.end());
}

std::vector<std::uint16_t> Gateway::new_ports(const std::vector<std::string>& rules) const {
  std::vector<std::uint16_t> ports;
  for (const auto port : egress::Policy(rules).ports()) {
    if (!m_ports.contains(port)) {
      ports.push_back(port);
    }
  }
  if (ports.size() > k_most_ports) {
    throw Error(
        ErrorCode::invalid_argument, "network.egress names {} different ports, more than {}", ports.size(),
        k_most_ports);
  }
  return ports;
}

void Gateway::set_rules(const std::vector<std::string>& rules) {
  const auto ports = new_ports(rules);
  const auto listeners = listen_in_gateway_network(m_namespaces, m_network, ports);
  os::send_with_fds(
      m_control.get(), Json{{"rules", rules}, {"ports", ports}}.dump(), os::numbers_of(listeners));
  await_ready();
  m_ports.insert(ports.begin(), ports.end());
}

std::string Gateway::set_secrets(const Json& secrets) {
  const auto text = Json{{"secrets", secrets}}.dump();
  if (text.size() > k_most_secrets) {
    throw Error(
        ErrorCode::invalid_argument, "the secrets that go into requests are too large: {} bytes, at most {}",
        text.size(), k_most_secrets);
  }
  const auto bundle = trusted_bundle();
  os::send_with_fds(m_control.get(), text, bundle ? std::vector<int>{bundle.get()} : std::vector<int>{});
  return get_string(await_ready(), "authority");
}

/// What comes before it are records.
Json Gateway::await_ready() {
  while (true) {
    pollfd waiting{m_control.get(), POLLIN, 0};
    if (::poll(&waiting, 1, k_ready_limit_ms) <= 0) {
      throw Error(ErrorCode::timeout, "the gateway does not answer within {} s", k_ready_limit_ms / 1000);
    }
    auto message = receive();
    if (message.contains("error")) {
      throw error_from_json(message["error"]).add_context("the gateway");
    }
    if (message.contains("ready")) {
      return message;
    }
    m_records.push_back(std::move(message));
  }
}

/// null: nothing is there.
Json Gateway::receive() {
  std::string bytes(8 << 10, '\0');
  const auto count = ::recv(m_control.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return nullptr;
  }
  if (count <= 0) {
    throw Error(ErrorCode::failed, "the gateway has ended: {}", os::to_string(m_program.wait()));
  }
  bytes.resize(static_cast<std::size_t>(count));
  return parse_json(bytes, "a message of the gateway");
}

void Gateway::settle() {
  os::send_with_fds(m_control.get(), Json{{"settle", true}}.dump(), {});
  await_ready();
}

Json Gateway::take_record() {
  if (m_records.empty()) {
    return receive();
  }
  auto record = std::move(m_records.front());
  m_records.pop_front();
  return record;
}

} // namespace pyro::backend

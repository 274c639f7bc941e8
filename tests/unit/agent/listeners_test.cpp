#include <pyro/agent/address.hpp>
#include <pyro/agent/listeners.hpp>
#include <pyro/os/process.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <unistd.h>

namespace pyro::agent {
namespace {

/// A listener of this process that a child holds alone after close().
struct Socket {
  os::Fd fd;
  int port = 0;
};

Socket listen_at(const std::string& host) {
  const auto address = resolve_host(host, 0).front();
  Socket socket;
  socket.fd = os::Fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(socket.fd.get(), address.get(), address.size), 0) << std::strerror(errno);
  EXPECT_EQ(::listen(socket.fd.get(), 1), 0);
  socket.port = os::own_address(socket.fd.get()).port();
  return socket;
}

/// A process that holds what we have open, and does nothing.
class Holder {
public:
  Holder() : pid(::fork()) {
    if (pid == 0) {
      ::setsid();
      while (true) {
        ::pause();
      }
    }
  }

  ~Holder() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }

  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  pid_t pid;
};

class Listeners : public ::testing::Test {
protected:
  Listening at(const std::string& host, int port, const std::string& service) {
    const auto found = find_listener(m_runtime, service, resolve_host(host, port).front());
    m_name = found.name;
    return found.who;
  }

  os::EventLoop m_loop;
  Reaper m_reaper;
  Runtime m_runtime{m_loop, m_reaper};
  std::string m_name;
};

TEST_F(Listeners, AreTheServicesOwnOrSomebodyElses) {
  auto socket = listen_at("127.0.0.1");
  const Holder holder;
  socket.fd.reset();
  m_runtime.services["db"] = {holder.pid, "marker of db"};
  m_runtime.services["web"] = {::getpid(), "marker of web"};
  EXPECT_EQ(at("127.0.0.1", socket.port, "db"), Listening::as_wanted);
  m_runtime.services["web"] = {0, "marker of web"};
  EXPECT_EQ(at("127.0.0.1", socket.port, "web"), Listening::foreign);
  EXPECT_EQ(m_name, "the service db");
}

TEST_F(Listeners, AtEveryAddressAndOfBothFamilies) {
  for (const auto* host : {"0.0.0.0", "::", "127.0.0.1", "::1"}) {
    auto socket = listen_at(host);
    const Holder holder;
    socket.fd.reset();
    m_runtime.services = {{"db", {holder.pid, "a"}}, {"web", {0, "b"}}};
    const bool is_six = std::string(host) == "::1";
    const bool is_four = std::string(host).find('.') != std::string::npos;
    EXPECT_EQ(at("127.0.0.1", socket.port, "web"), is_six ? Listening::nobody : Listening::foreign) << host;
    EXPECT_EQ(at("::1", socket.port, "web"), is_four ? Listening::nobody : Listening::foreign) << host;
    EXPECT_EQ(at("192.0.2.1", socket.port, "web"), Listening::nobody) << "another machine's: " << host;
    EXPECT_EQ(at("127.0.0.1", 1, "web"), Listening::nobody) << host;
  }
}

TEST_F(Listeners, OfNoServiceAreForeignWhereTheyWereThereBefore) {
  const auto pause = [] {
    ::usleep(50'000); // the kernel counts starts in hundredths of a second
  };
  auto socket = listen_at("127.0.0.1");
  const Holder holder;
  socket.fd.reset();
  pause();
  const Holder later;
  m_runtime.services["web"] = {later.pid, "a"};
  EXPECT_EQ(at("127.0.0.1", socket.port, "web"), Listening::foreign);
  EXPECT_NE(m_name.find("which is older than the service"), std::string::npos) << m_name;
  auto handed_over = listen_at("127.0.0.1");
  pause();
  const Holder latest;
  handed_over.fd.reset();
  EXPECT_EQ(at("127.0.0.1", handed_over.port, "web"), Listening::as_wanted) << "it may be the service's own";
}

} // namespace
} // namespace pyro::agent

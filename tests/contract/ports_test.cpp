// Ports of services by hand, published on this machine.
#include "services.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

namespace pyro::contract {
namespace {

/// What a connection to that port of this machine says first; nullopt: nobody takes it.
std::optional<std::string> greeting(int port) {
  const os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    return std::nullopt;
  }
  std::string text(100, '\0');
  const auto count = ::read(socket.get(), text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

bool closes(int port) {
  for (int i = 0; i < 100 && greeting(port); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return !greeting(port);
}

TEST_P(ContractSandbox, ws_ports) {
  const Services services(*this);
  const auto started = services.start(
      "greet", k_greeter,
      {{"readiness", k_greeter_ready}, {"published_ports", Json::array({{{"guest_port", 4711}}})}});
  ASSERT_EQ(started["state"], "running") << started;
  ASSERT_EQ(started["published_ports"].size(), 1U);
  const auto port = started["published_ports"][0]["host_port"].get<int>();
  EXPECT_EQ(started["published_ports"][0]["guest_port"], 4711);
  EXPECT_EQ(started["published_ports"][0]["host"], "127.0.0.1");
  EXPECT_EQ(greeting(port), "hello\n");
  reopen();
  EXPECT_EQ(services.status("greet")["published_ports"], started["published_ports"]);

  const Json fixed{
      {"readiness", k_greeter_ready},
      {"published_ports", Json::array({{{"guest_port", 4711}, {"host_port", port}}})}};
  fails(
      "service_start",
      services.with(
          "other", Json{{"command", "exec sleep 1000"}, {"published_ports", fixed["published_ports"]}}),
      ErrorCode::already_exists, "taken");
  EXPECT_NE(services.status("other")["state"], "running") << "a service that cannot be reached is stopped";

  services.stop("greet");
  EXPECT_TRUE(closes(port)) << "it dies with the service";
  services.start("greet", k_greeter, fixed);
  EXPECT_EQ(greeting(port), "hello\n");
  exec(services.id, "kill -KILL $(pidof nc)");
  EXPECT_TRUE(closes(port)) << "however it ends";

  services.becomes("greet", "exited");
  services.start("greet", k_greeter, fixed);
  call("workspace_reset", {{"workspace_id", services.id}});
  EXPECT_TRUE(closes(port)) << "it dies with the reset";
  services.start("greet", k_greeter, fixed);
  EXPECT_EQ(greeting(port), "hello\n");
  call("workspace_stop", {{"workspace_id", services.id}});
  EXPECT_TRUE(closes(port)) << "it dies with the workspace";
}

} // namespace
} // namespace pyro::contract

#include <pyro/base/error.hpp>
#include <pyro/workspace/port_forwarding.hpp>

#include <gtest/gtest.h>

namespace pyro::workspace {
namespace {

TEST(WantedForward, IsAPortOrAServiceWithAPortOfThisMachineBefore) {
  const auto is = [](std::string_view text, int local, const std::string& service, int port) {
    const auto wanted = parse_forward(text);
    EXPECT_EQ(wanted.local_port, local) << text;
    EXPECT_EQ(wanted.service, service) << text;
    EXPECT_EQ(wanted.port, port) << text;
  };
  is("8080", 0, "", 8080);
  is("0:8080", 0, "", 8080);
  is("9000:8080", 9000, "", 8080);
  is("web", 0, "web", 0);
  is("65535:web-2", 65535, "web-2", 0);
}

TEST(WantedForward, RefusesOthers) {
  for (const auto* text :
       {"", ":", ":80", "80:", "0", "65536", "99999999999", "65536:80", "-1:80", "a:80", "80:0", "80:81:82",
        "1.2.3.4:80", "we b", "80/tcp", "+80", "web:80"}) {
    EXPECT_THROW(parse_forward(text), Error) << text;
  }
}

} // namespace
} // namespace pyro::workspace

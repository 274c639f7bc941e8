#include <pyro/base/error.hpp>
#include <pyro/os/socket_address.hpp>
#include <pyro/os/tcp_socket.hpp>

#include <gtest/gtest.h>

namespace pyro::os {
namespace {

TEST(SocketAddresses, AreWhatTheirTextSays) {
  for (const auto* text : {"127.0.0.1", "::1", "::ffff:10.0.0.1"}) {
    const auto address = socket_address_from(text, 8080);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_string(destination_of(*address->get())), text);
    EXPECT_EQ(address->port(), 8080);
  }
  for (const auto* text : {"", "localhost", "10.0.0", "10.0.0.0/8", "[::1]"}) {
    EXPECT_FALSE(socket_address_from(text, 8080)) << text;
  }
}

TEST(SocketAddresses, OfAListenerAreWhereItIsReached) {
  const auto listener = listen_tcp("127.0.0.1", 0);
  const auto address = own_address(listener.get());
  EXPECT_EQ(to_string(destination_of(*address.get())), "127.0.0.1");
  ASSERT_NE(address.port(), 0);
  const auto client = start_connect(address);
  EXPECT_EQ(connect_error(client.get()), 0);
}

} // namespace
} // namespace pyro::os

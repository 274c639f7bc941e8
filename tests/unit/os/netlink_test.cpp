// Answers of netlink: made by hand where the kernel would have to misbehave, and asked of the kernel where
// not.
#include <pyro/base/error.hpp>
#include <pyro/os/netlink.hpp>

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <net/if.h>

namespace pyro::os {
namespace {

constexpr std::uint32_t k_sequence = 7;

std::string bytes_of(const auto& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string message(
    std::uint16_t type, const std::string& payload, std::uint32_t sequence = k_sequence,
    std::uint16_t flags = 0) {
  nlmsghdr front{};
  front.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(payload.size()));
  front.nlmsg_type = type;
  front.nlmsg_flags = flags;
  front.nlmsg_seq = sequence;
  auto bytes = bytes_of(front) + payload;
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  return bytes;
}

std::string refusal(int error_number, std::uint32_t sequence = k_sequence) {
  return message(NLMSG_ERROR, bytes_of(-error_number) + std::string(sizeof(nlmsghdr), '\0'), sequence);
}

std::string attribute(std::uint16_t type, const std::string& value) {
  nlattr front{};
  front.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + value.size());
  front.nla_type = type;
  auto bytes = bytes_of(front) + value;
  bytes.resize(NLA_ALIGN(bytes.size()));
  return bytes;
}

NetlinkAnswer answer(std::vector<int> accepted = {}) {
  return {k_sequence, "ask", std::move(accepted)};
}

ErrorCode code_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(Netlink, AnAnswerEndsWithTheKernelsWord) {
  auto whole = answer();
  ifinfomsg info{};
  info.ifi_index = 5;
  EXPECT_FALSE(whole.take(
      message(RTM_NEWLINK, bytes_of(info) + attribute(IFLA_IFNAME, std::string("eth5\0", 5)))
      + message(NLMSG_NOOP, "")));
  EXPECT_TRUE(whole.take(message(NLMSG_DONE, bytes_of(0))));
  const auto messages = std::move(whole).messages();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].header<ifinfomsg>().ifi_index, 5);
  EXPECT_EQ(text_in(messages[0].attributes<ifinfomsg>(), IFLA_IFNAME), "eth5");
}

TEST(Netlink, ARefusalIsTheKernelsErrorUnlessItIsAsGood) {
  EXPECT_EQ(code_of([] { answer().take(refusal(EPERM)); }), ErrorCode::permission);
  EXPECT_TRUE(answer({ENODEV}).take(refusal(ENODEV)));
  EXPECT_THROW(answer({ENODEV}).take(refusal(EPERM)), Error);
}

TEST(Netlink, AListingThatFailsAtItsEndIsARefusal) {
  auto listing = answer();
  EXPECT_FALSE(listing.take(message(RTM_NEWLINK, bytes_of(ifinfomsg{}))));
  EXPECT_EQ(code_of([&] { listing.take(message(NLMSG_DONE, bytes_of(-ENOMEM))); }), ErrorCode::io);
}

TEST(Netlink, WhatAnswersAnotherQuestionIsPassedOver) {
  auto mine = answer();
  EXPECT_FALSE(mine.take(refusal(EPERM, k_sequence - 1)));
  EXPECT_FALSE(mine.take(message(NLMSG_DONE, bytes_of(0), k_sequence - 1)));
  EXPECT_FALSE(mine.take(message(RTM_NEWLINK, bytes_of(ifinfomsg{}), 0)));
  EXPECT_TRUE(mine.take(refusal(0)));
  EXPECT_TRUE(std::move(mine).messages().empty());
}

TEST(Netlink, WhatIsCutShortIsRefusedAndNotRead) {
  const auto whole = message(RTM_NEWLINK, bytes_of(ifinfomsg{}) + attribute(IFLA_IFNAME, "eth5"));
  for (std::size_t length = 1; length < whole.size(); ++length) {
    EXPECT_EQ(code_of([&] { answer().take(whole.substr(0, length)); }), ErrorCode::protocol) << length;
  }
  EXPECT_EQ(code_of([] { answer().take(message(NLMSG_ERROR, "no")); }), ErrorCode::protocol);
  EXPECT_EQ(code_of([] { answer().take(message(NLMSG_OVERRUN, "")); }), ErrorCode::protocol);

  const auto headless = netlink_messages(message(RTM_NEWLINK, "short"));
  EXPECT_EQ(code_of([&] { headless[0].header<ifinfomsg>(); }), ErrorCode::protocol);
  EXPECT_EQ(code_of([&] { headless[0].attributes<ifinfomsg>(); }), ErrorCode::protocol);

  auto beyond = attribute(IFLA_IFNAME, "eth5");
  beyond.pop_back();
  EXPECT_EQ(code_of([&] { netlink_attributes(beyond); }), ErrorCode::protocol);
  EXPECT_EQ(code_of([] { netlink_attributes(std::string(4, '\0')); }), ErrorCode::protocol);
}

TEST(Netlink, AListingThatChangedMeanwhileSaysSo) {
  auto listing = answer();
  listing.take(message(RTM_NEWLINK, bytes_of(ifinfomsg{}), k_sequence, NLM_F_DUMP_INTR));
  EXPECT_TRUE(listing.is_inconsistent());
  EXPECT_FALSE(answer().is_inconsistent());
}

/// Sends without waiting for the answer.
void ask_only(int socket, std::uint16_t type, const std::string& payload) {
  auto request = message(type, payload, 0, NLM_F_REQUEST | NLM_F_ACK);
  ASSERT_EQ(::send(socket, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
}

TEST(Netlink, TheAnswerToAnEarlierQuestionIsNotTakenForThatToALaterOne) {
  const auto socket = open_route_netlink();
  ask_only(
      socket.get(), RTM_GETLINK, bytes_of(ifinfomsg{}) + attribute(IFLA_IFNAME, std::string("none0\0", 6)));
  ifinfomsg info{};
  info.ifi_index = static_cast<int>(::if_nametoindex("lo"));
  const auto answers = NetlinkRequest(RTM_GETLINK, 0, info).send_over(socket.get(), "look for lo");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(text_in(answers[0].attributes<ifinfomsg>(), IFLA_IFNAME), "lo");
}

TEST(Netlink, AnAnswerThatDoesNotFitIsAnError) {
  const auto socket = open_route_netlink();
  // The kernel repeats in a refusal what it refuses.
  ask_only(
      socket.get(), RTM_GETLINK,
      bytes_of(ifinfomsg{}) + attribute(IFLA_IFNAME, "none0") + std::string(80 << 10, '\0'));
  EXPECT_EQ(code_of([&] { receive_netlink(socket.get()); }), ErrorCode::protocol);
}

TEST(Netlink, WhatOtherProcessesSendIsPassedOver) {
  const auto open = [] {
    return Fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK));
  };
  const auto receiver = open();
  const auto sender = open();
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(::getsockname(receiver.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto forged = refusal(0);
  ASSERT_GT(
      ::sendto(
          sender.get(), forged.data(), forged.size(), 0, reinterpret_cast<sockaddr*>(&address),
          sizeof address),
      0);
  EXPECT_EQ(receive_netlink(receiver.get(), MSG_DONTWAIT), std::nullopt);
}

} // namespace
} // namespace pyro::os

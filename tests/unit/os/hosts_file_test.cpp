#include <pyro/os/hosts_file.hpp>

#include <gtest/gtest.h>

namespace pyro::os {
namespace {

constexpr const char* k_localhost = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
constexpr const char* k_name = "127.0.0.1\twork # the name of this sandbox, by pyro\n";

TEST(HostsFile, NamesLocalhostAndTheSandbox) {
  EXPECT_EQ(hosts_with_name("", "work"), std::string(k_localhost) + k_name);
}

TEST(HostsFile, KeepsWhatIsThere) {
  const std::string own = "127.0.0.1 localhost # ours\n::1 localhost\n\n10.0.0.1 a work\n";
  EXPECT_EQ(hosts_with_name(own, "work"), own);
  EXPECT_EQ(hosts_with_name("10.0.0.1 a", "work"), std::string("10.0.0.1 a\n") + k_localhost + k_name);
}

TEST(HostsFile, ANameInACommentOrAsAnAddressIsNone) {
  EXPECT_EQ(
      hosts_with_name("# 127.0.0.1 work\nwork x\n", "work"),
      std::string("# 127.0.0.1 work\nwork x\n") + k_localhost + k_name);
}

TEST(HostsFile, AnEarlierNameOfOursGoes) {
  const auto before = hosts_with_name("10.0.0.1 a\n", "before");
  EXPECT_EQ(hosts_with_name(before, "work"), hosts_with_name("10.0.0.1 a\n", "work"));
}

TEST(HostsFile, OfAStepIsAsItIs) {
  EXPECT_EQ(hosts_with_name(k_localhost, k_step_hostname), k_localhost);
}

TEST(HostsFile, HasALineForEachService) {
  const auto text = hosts_with_services("127.0.0.1 localhost\n", {"db", "web"});
  EXPECT_EQ(
      text, "127.0.0.1 localhost\n127.0.0.1\tdb # a service, by pyro\n127.0.0.1\tweb # a service, by pyro\n");
  EXPECT_EQ(hosts_with_services(text, {"db", "web"}), text);
}

TEST(HostsFile, LinesOfServicesThatAreGoneGo) {
  const auto text =
      hosts_with_services(hosts_with_services("10.0.0.1 a\n", {"db"}) + "10.0.0.2 mine\n", {"web"});
  EXPECT_EQ(text, "10.0.0.1 a\n10.0.0.2 mine\n127.0.0.1\tweb # a service, by pyro\n");
}

TEST(HostsFile, WhatIsNamedAlreadyIsNoService) {
  EXPECT_EQ(hosts_with_services("10.0.0.1 db work\n", {"db", "work"}), "10.0.0.1 db work\n");
}

} // namespace

TEST(HostsFile, OursIsToldFromAContainers) {
  const std::string theirs = "127.0.0.1 localhost\n172.17.0.2 0a1b2c3d\n";
  EXPECT_FALSE(is_hosts_with_name(theirs));
  EXPECT_TRUE(is_hosts_with_name(hosts_with_name(theirs, "shop")));
}

} // namespace pyro::os

#include <pyro/base/error.hpp>
#include <pyro/egress/policy.hpp>
#include <pyro/egress/reserved.hpp>

#include <gtest/gtest.h>

namespace pyro::egress {
namespace {

std::string normal(const std::string& text) {
  return to_string(rule_from(text));
}

TEST(EgressRule, HasOneTextHoweverItIsWritten) {
  for (const auto& [written, read] : std::vector<std::pair<std::string, std::string>>{
           {"API.Example.Org", "api.example.org"},
           {"example.org.", "example.org"},
           {"*.Example.Net:80", "*.example.net:80"},
           {"_srv.example.org", "_srv.example.org"},
           {"10.0.0.5:5432", "10.0.0.5:5432"},
           {"10.0.0.0/8", "10.0.0.0/8"},
           {"10.0.0.5/32", "10.0.0.5"},
           {"[2001:DB8::1]:443", "[2001:db8::1]:443"},
           {"[2001:db8::]/32", "[2001:db8::]/32"},
           {"[2001:db8::]/32:8443", "[2001:db8::]/32:8443"},
           {"*", "*"},
           {"*:8080", "*:8080"}}) {
    EXPECT_EQ(normal(written), read) << written;
    EXPECT_EQ(normal(read), read);
  }
}

TEST(EgressRule, ThatCanNeverMatchIsRefusedWithWhatToWrite) {
  for (const auto* wrong :
       {"",
        " ",
        "a b",
        "http://example.org",
        "https://example.org/x",
        "example.org/x",
        "example.org:0",
        "example.org:65536",
        "example.org:http",
        "example.org:",
        ":80",
        "*.",
        "a.*.example",
        "*example.org",
        "**",
        "-a.example",
        "a-.example",
        "a..example",
        ".example",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.5/8",
        "10.0.0.0/33",
        "2001:db8::1",
        "[2001:db8::1",
        "[10.0.0.1]",
        "[example.org]",
        "[2001:db8::1]/129",
        "[::1]:0",
        "localhost",
        "localhost:80",
        "x.localhost",
        "1.2.3.4.",
        "99999",
        "example.org:80:80",
        "exa\nmple.org",
        "m\xc3\xbcller.example"}) {
    try {
      FAIL() << wrong << " is read as " << normal(wrong);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << wrong;
      EXPECT_FALSE(error.hint().empty()) << wrong << ": " << error.what();
    }
  }
  EXPECT_THROW(rule_from(std::string(64, 'a') + ".example"), Error);
  std::string longest;
  for (int i = 0; i < 130; ++i) {
    longest += "a.";
  }
  EXPECT_THROW(rule_from(longest + "example"), Error);
}

TEST(EgressRule, HoldsItsNamesAndPortsAndNoOthers) {
  const Policy policy({"api.example.org", "*.example.net:8080", "10.1.0.0/16:5432", "[2001:db8::1]"});
  EXPECT_NE(policy.rule_for_name("api.example.org", 80), nullptr);
  EXPECT_NE(policy.rule_for_name("api.example.org", 443), nullptr);
  EXPECT_EQ(policy.rule_for_name("api.example.org", 8080), nullptr);
  EXPECT_EQ(policy.rule_for_name("x.api.example.org", 443), nullptr);
  EXPECT_EQ(policy.rule_for_name("example.org", 443), nullptr);
  EXPECT_NE(policy.rule_for_name("a.example.net", 8080), nullptr);
  EXPECT_NE(policy.rule_for_name("a.b.example.net", 8080), nullptr);
  EXPECT_EQ(policy.rule_for_name("example.net", 8080), nullptr);
  EXPECT_EQ(policy.rule_for_name("evilexample.net", 8080), nullptr);
  EXPECT_EQ(policy.rule_for_name("a.example.net.evil", 8080), nullptr);
  EXPECT_TRUE(policy.knows("a.example.net"));
  EXPECT_FALSE(policy.knows("example.net"));
  EXPECT_NE(policy.rule_for_address(destination_from("10.1.2.3"), 5432, false), nullptr);
  EXPECT_EQ(policy.rule_for_address(destination_from("10.1.2.3"), 443, false), nullptr);
  EXPECT_EQ(policy.rule_for_address(destination_from("10.2.0.1"), 5432, false), nullptr);
  EXPECT_NE(policy.rule_for_address(destination_from("2001:db8::1"), 443, false), nullptr);
  EXPECT_EQ(policy.ports(), (std::set<std::uint16_t>{80, 443, 5432, 8080}));
}

TEST(EgressRule, EverythingIsEveryNameAndPublicAddressesOnly) {
  const Policy policy({"*"});
  EXPECT_TRUE(policy.knows("any.example"));
  EXPECT_EQ(policy.rule_for_name("any.example", 22), nullptr);
  EXPECT_NE(policy.rule_for_address(destination_from("9.9.9.9"), 443, true), nullptr);
  EXPECT_EQ(policy.rule_for_address(destination_from("10.0.0.1"), 443, false), nullptr);
  EXPECT_FALSE(policy.names_address(destination_from("9.9.9.9"), 443));
}

TEST(EgressRule, PresetsStandForRulesThatAreWrittenAsTheyAreRead) {
  for (const auto& name : preset_names()) {
    const auto hosts = preset(name);
    ASSERT_TRUE(hosts) << name;
    EXPECT_FALSE(hosts->empty());
    EXPECT_TRUE(std::is_sorted(hosts->begin(), hosts->end())) << name;
    for (const auto& host : *hosts) {
      EXPECT_EQ(normal(host), host);
    }
  }
  EXPECT_EQ(preset("example.org"), std::nullopt);
}

TEST(EgressReserved, PrivateNetworksInBothSpellings) {
  for (const auto* address :
       {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1", "fd00::1",
        "fc12::", "64:ff9b::10.0.0.1", "2001:db8::1"}) {
    EXPECT_TRUE(is_in(private_destinations(), destination_from(address))) << address;
  }
  for (const auto* address :
       {"9.9.9.9", "172.32.0.1", "100.63.255.255", "2606:4700::1", "64:ff9b::9.9.9.9"}) {
    EXPECT_FALSE(is_in(private_destinations(), destination_from(address))) << address;
  }
}

TEST(EgressRule, TheNarrowestForWhatWasAskedFor) {
  EXPECT_EQ(to_string(rule_for("api.example.org", 0)), "api.example.org");
  EXPECT_EQ(to_string(rule_for("api.example.org", 443)), "api.example.org");
  EXPECT_EQ(to_string(rule_for("api.example.org", 8443)), "api.example.org:8443");
  EXPECT_EQ(to_string(rule_for(destination_from("10.0.0.5"), 5432)), "10.0.0.5:5432");
  EXPECT_EQ(to_string(rule_for(destination_from("2001:db8::1"), 80)), "[2001:db8::1]");
  for (const auto& rule : {rule_for("a.example", 25), rule_for(destination_from("2001:db8::1"), 25)}) {
    EXPECT_EQ(rule_from(to_string(rule)), rule);
  }
}

} // namespace
} // namespace pyro::egress

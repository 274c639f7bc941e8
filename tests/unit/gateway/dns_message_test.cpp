#include <pyro/gateway/dns_message.hpp>

#include <gtest/gtest.h>

#include <arpa/nameser.h>
#include <resolv.h>

namespace pyro::gateway {
namespace {

std::string query(const std::string& name, int type, int opcode = ns_o_query) {
  std::string bytes(512, '\0');
  const int size = ::res_mkquery(
      opcode, name.c_str(), ns_c_in, type, nullptr, 0, nullptr,
      reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  EXPECT_GT(size, 0);
  bytes.resize(static_cast<std::size_t>(std::max(size, 0)));
  return bytes;
}

std::string with_extension(std::string message) {
  message[11] = 1;
  return message + std::string("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
}

struct Read {
  ns_msg message{};
  std::string bytes;

  explicit Read(std::string text) : bytes(std::move(text)) {
    EXPECT_EQ(
        ::ns_initparse(
            reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), &message),
        0);
  }

  int code() { return ns_msg_getflag(message, ns_f_rcode); }

  ns_rr record(ns_sect section) {
    ns_rr found{};
    EXPECT_EQ(::ns_parserr(&message, section, 0, &found), 0);
    return found;
  }
};

TEST(DnsMessage, AQuestionIsReadAndAnswered) {
  const auto question = dns_question_from(query("Web.Example", ns_t_a));
  ASSERT_TRUE(question);
  EXPECT_EQ(question->name, "Web.Example");
  EXPECT_EQ(question->type, ns_t_a);
  EXPECT_FALSE(question->has_extension);
  Read answer(dns_message_of(*question, {DnsCode::ok, destination_from("198.18.1.7"), "", ""}));
  EXPECT_EQ(answer.code(), 0);
  EXPECT_EQ(ns_msg_count(answer.message, ns_s_an), 1);
  const auto record = answer.record(ns_s_an);
  EXPECT_EQ(ns_rr_type(record), ns_t_a);
  EXPECT_STREQ(ns_rr_name(record), "Web.Example");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(ns_rr_rdata(record)), 4), "\xc6\x12\x01\x07");
}

TEST(DnsMessage, TheReasonIsSaidToWhoCanReadIt) {
  const auto plain = dns_question_from(query("no.example", ns_t_aaaa));
  const auto extended = dns_question_from(with_extension(query("no.example", ns_t_aaaa)));
  ASSERT_TRUE(plain && extended);
  const DnsAnswer answer{DnsCode::no_such_name, {}, "", "no rule"};
  Read short_one(dns_message_of(*plain, answer));
  EXPECT_EQ(short_one.code(), 3);
  EXPECT_EQ(ns_msg_count(short_one.message, ns_s_ar), 0);
  Read long_one(dns_message_of(*extended, answer));
  ASSERT_EQ(ns_msg_count(long_one.message, ns_s_ar), 1);
  const auto option = long_one.record(ns_s_ar);
  EXPECT_EQ(ns_rr_type(option), ns_t_opt);
  EXPECT_NE(long_one.bytes.find("no rule"), std::string::npos);
}

TEST(DnsMessage, NamesOfAddresses) {
  EXPECT_EQ(reverse_name("2.1.18.198.in-addr.arpa"), destination_from("198.18.1.2"));
  for (const auto* wrong :
       {"1.18.198.in-addr.arpa", "2.1.18.298.in-addr.arpa", "web.example", "x.1.18.198.in-addr.arpa"}) {
    EXPECT_EQ(reverse_name(wrong), std::nullopt) << wrong;
  }
  const auto question = dns_question_from(query("2.1.18.198.in-addr.arpa", ns_t_ptr));
  ASSERT_TRUE(question);
  Read answer(dns_message_of(*question, {DnsCode::ok, {}, "web.example", ""}));
  const auto record = answer.record(ns_s_an);
  std::array<char, 256> name{};
  EXPECT_GT(
      ::ns_name_uncompress(
          ns_msg_base(answer.message), ns_msg_end(answer.message), ns_rr_rdata(record), name.data(),
          name.size()),
      0);
  EXPECT_STREQ(name.data(), "web.example");
}

TEST(DnsMessage, WhatIsNoQuestionIsPassedOver) {
  EXPECT_FALSE(dns_question_from(""));
  EXPECT_FALSE(dns_question_from("short"));
  EXPECT_FALSE(dns_question_from(query("a.example", ns_t_a, ns_o_notify)));
  const auto whole = query("a.example", ns_t_a);
  auto answer = whole;
  answer[2] = static_cast<char>(answer[2] | 0x80);
  EXPECT_FALSE(dns_question_from(answer)) << "an answer is no question";
  auto two = whole;
  two[5] = 2;
  EXPECT_FALSE(dns_question_from(two));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(dns_question_from(whole.substr(0, size))) << size;
  }
  auto loop = whole;
  loop[12] = static_cast<char>(0xc0);
  loop[13] = 12;
  EXPECT_FALSE(dns_question_from(loop)) << "a name that points to itself";
}

} // namespace
} // namespace pyro::gateway

#include <pyro/gateway/client_hello.hpp>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace pyro::gateway {
namespace {

/// What OpenSSL's client says first.
std::string hello_of(const char* server_name) {
  auto* context = ::SSL_CTX_new(::TLS_client_method());
  auto* ssl = ::SSL_new(context);
  if (server_name != nullptr) {
    SSL_set_tlsext_host_name(ssl, server_name);
  }
  auto* output = ::BIO_new(::BIO_s_mem());
  ::SSL_set_bio(ssl, ::BIO_new(::BIO_s_mem()), output);
  ::SSL_set_connect_state(ssl);
  ::SSL_do_handshake(ssl);
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(output, &bytes);
  std::string hello(bytes, static_cast<std::size_t>(size));
  ::SSL_free(ssl);
  ::SSL_CTX_free(context);
  return hello;
}

/// The same message in records of so many bytes.
std::string in_records(const std::string& hello, std::size_t size) {
  constexpr std::size_t k_front = 5;
  const auto message = hello.substr(k_front);
  std::string records;
  for (std::size_t at = 0; at < message.size(); at += size) {
    const auto part = message.substr(at, size);
    records += hello.substr(0, 3);
    records.push_back(static_cast<char>(part.size() >> 8U));
    records.push_back(static_cast<char>(part.size()));
    records += part;
  }
  return records;
}

TEST(ClientHello, TheServersNameHoweverItIsSplit) {
  const auto hello = hello_of("web.example");
  for (const auto& bytes : {hello, in_records(hello, 7), in_records(hello, 100)}) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{50}, bytes.size()}) {
      ClientHello read;
      auto state = ClientHello::State::needs_more;
      for (std::size_t at = 0; at < bytes.size() && state == ClientHello::State::needs_more; at += step) {
        state = read.feed(std::string_view(bytes).substr(at, step));
      }
      EXPECT_EQ(state, ClientHello::State::complete);
      EXPECT_EQ(read.server_name(), "web.example");
    }
  }
}

TEST(ClientHello, NoNameIsNone) {
  ClientHello read;
  EXPECT_EQ(read.feed(hello_of(nullptr)), ClientHello::State::complete);
  EXPECT_EQ(read.server_name(), std::nullopt);
}

TEST(ClientHello, RubbishIsWrong) {
  for (const auto& bytes :
       {std::string("\x16\x03\x01\0\x05rubbish", 12), std::string(100, '\x16'),
        hello_of("web.example").replace(5, 1, "\x02")}) {
    ClientHello read;
    EXPECT_EQ(read.feed(bytes), ClientHello::State::wrong);
  }
  ClientHello half;
  EXPECT_EQ(half.feed(hello_of("web.example").substr(0, 60)), ClientHello::State::needs_more);
}

/// Two names, or one of another kind, are what no honest client sends.
TEST(ClientHello, AListOfNamesIsNone) {
  auto hello = hello_of("web.example");
  const auto at = hello.find("web.example");
  ASSERT_NE(at, std::string::npos);
  hello[at - 3] = 1; // the type
  ClientHello read;
  const auto state = read.feed(hello);
  EXPECT_TRUE(state == ClientHello::State::wrong || read.server_name() == std::nullopt);
}

} // namespace
} // namespace pyro::gateway

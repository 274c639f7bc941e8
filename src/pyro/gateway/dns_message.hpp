// Questions and answers of the DNS (RFC 1035, RFC 6891, RFC 8914), as far as a resolver for one workspace
// needs them. Pure.
#pragma once

#include <pyro/base/destination.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::gateway {

enum class DnsType : std::uint16_t { a = 1, ptr = 12, aaaa = 28, srv = 33 };

enum class DnsCode : std::uint8_t { ok = 0, server_failure = 2, no_such_name = 3, refused = 5 };

struct DnsQuestion {
  std::string name; // as it stands there, without the dot at its end
  std::uint16_t type = 0;
  std::string front;          // header and question, for the answer
  bool has_extension = false; // EDNS: the answer may say why
};

/// nullopt: it is no query with one question of the internet's class.
std::optional<DnsQuestion> dns_question_from(std::string_view message);

struct DnsAnswer {
  DnsCode code = DnsCode::ok;
  std::optional<Destination> address; // of IPv4; nullopt: there is no such record
  std::string name;                   // for PTR; empty: there is no such record
  std::string reason;                 // said to who can read it (RFC 8914, "Filtered")
};

/// How long an answer may be kept, in seconds.
inline constexpr std::uint32_t k_dns_ttl = 60;

std::string dns_message_of(const DnsQuestion& question, const DnsAnswer& answer);

/// "198.18.1.2" of "2.1.18.198.in-addr.arpa"; nullopt: it is no such name.
std::optional<Destination> reverse_name(const std::string& name);

} // namespace pyro::gateway

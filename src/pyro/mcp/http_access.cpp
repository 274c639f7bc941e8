#include "http_access.hpp"

#include "json_rpc.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/regular_file.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <unistd.h>

namespace pyro::mcp {

namespace {

using http_server::Answer;
using http_server::HttpRequest;

constexpr std::size_t k_shortest_token = 16;
constexpr std::size_t k_longest_token = 4096;
constexpr std::string_view k_blanks = " \t\r\n";

/// Takes the same time wherever the two differ.
bool is_same(std::string_view one, std::string_view other) {
  unsigned different = one.size() == other.size() ? 0 : 1;
  for (std::size_t at = 0; at < std::min(one.size(), other.size()); ++at) {
    different |= static_cast<unsigned char>(one[at]) ^ static_cast<unsigned char>(other[at]);
  }
  return different == 0;
}

/// "localhost" of "localhost:8931", "::1" of "[::1]:8931".
std::string name_of_host(const std::string& host) {
  if (host.starts_with('[')) {
    return host.substr(1, host.find(']') - 1);
  }
  return host.substr(0, host.find(':'));
}

std::string name_of_this_machine() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::optional<Answer> refused_kind(const HttpRequest& request) {
  if (request.path != "/mcp") {
    return refused_with(404, "there is nothing here: the endpoint is /mcp");
  }
  if (request.method != "POST" && request.method != "GET" && request.method != "DELETE") {
    return refused_with(405, "POST, GET or DELETE", {{"Allow", "POST, GET, DELETE"}});
  }
  if (request.method != "POST") {
    return std::nullopt;
  }
  const auto type = request.field("content-type").value_or("");
  if (type.substr(0, type.find(';')) != "application/json" || request.field("content-encoding")) {
    return refused_with(415, "the Content-Type is application/json, without a Content-Encoding");
  }
  return std::nullopt;
}

} // namespace

Answer refused_with(int status, const std::string& why, http_server::Fields fields) {
  fields.emplace_back("Content-Type", "application/json");
  return {status, std::move(fields), to_line(error_message(nullptr, RpcError(k_invalid_request, why)))};
}

std::string read_token(const std::string& path) {
  const auto file = os::open_regular(path);

  struct stat status {};

  if (::fstat(file.get(), &status) < 0) {
    throw Error::from_errno(errno, "fstat " + path);
  }
  if ((status.st_mode & 0077) != 0) {
    throw Error(ErrorCode::permission, "others may read the token in {}", path)
        .with_hint(fmt::format("chmod 600 {}", path));
  }
  auto token = os::read_all(file.get(), k_longest_token);
  const auto begin = token.find_first_not_of(k_blanks);
  token = begin == std::string::npos ? "" : token.substr(begin, token.find_last_not_of(k_blanks) - begin + 1);
  const bool is_printable =
      std::all_of(token.begin(), token.end(), [](char letter) { return letter > ' ' && letter <= '~'; });
  if (token.size() < k_shortest_token || !is_printable) {
    throw Error(
        ErrorCode::invalid_argument, "{} holds no token: one line of at least {} printable characters", path,
        k_shortest_token)
        .with_hint(fmt::format("(umask 077; openssl rand -hex 32 > {})", path));
  }
  return token;
}

HttpAccess::HttpAccess(HttpAddress address, const std::optional<std::string>& token)
    : m_address(std::move(address)) {
  if (token) {
    m_token_digest = sha256_of(*token);
  }
}

/// A name that somebody else's DNS server answers for is none, or a page in a browser could reach us by it.
bool HttpAccess::is_our_name(const std::string& host) const {
  const auto name = name_of_host(host);
  if (!m_address.unix_path.empty() || name == "localhost") {
    return true;
  }
  if (m_address.is_loopback()) {
    return name == "::1" || (is_ip(name) && name.starts_with("127."));
  }
  return is_ip(name) || name == name_of_this_machine();
}

bool HttpAccess::has_token(const HttpRequest& request) const {
  if (!m_token_digest) {
    return true;
  }
  const auto said = request.field("authorization").value_or("");
  const auto blank = said.find(' ');
  const auto scheme = lower_case(std::string_view(said).substr(0, blank));
  if (scheme != "bearer" || blank == std::string::npos) {
    return false;
  }
  return is_same(sha256_of(said.substr(blank + 1)), *m_token_digest);
}

std::optional<Answer> HttpAccess::refusal(const HttpRequest& request) const {
  const auto host = request.field("host").value_or("");
  if (!is_our_name(host)) {
    return refused_with(403, "the Host '" + host + "' is no name of this server");
  }
  if (const auto origin = request.field("origin"); origin && *origin != "http://" + host) {
    return refused_with(403, "the Origin '" + *origin + "' may not call this server");
  }
  if (!has_token(request)) {
    return refused_with(
        401, "the token is missing or wrong: Authorization: Bearer TOKEN",
        {{"WWW-Authenticate", "Bearer realm=\"pyro\""}});
  }
  return refused_kind(request);
}

} // namespace pyro::mcp

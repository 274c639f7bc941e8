#include "unix_http_client.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <fcntl.h>
#include <filesystem>
#include <memory>

namespace pyro::http {

namespace {

struct Received {
  const Limits* limits;
  std::size_t header_bytes = 0;
  std::string body;
  bool too_large = false;
};

std::size_t take_header(const char*, std::size_t size, std::size_t count, void* target) {
  auto& received = *static_cast<Received*>(target);
  received.header_bytes += size * count;
  received.too_large = received.header_bytes > received.limits->header_bytes;
  return received.too_large ? 0 : size * count;
}

std::size_t take_body(const char* bytes, std::size_t size, std::size_t count, void* target) {
  auto& received = *static_cast<Received*>(target);
  if (received.body.size() + size * count > received.limits->body_bytes) {
    received.too_large = true;
    return 0; // curl ends the transfer
  }
  received.body.append(bytes, size * count);
  return size * count;
}

void require(CURLcode code) {
  if (code != CURLE_OK) {
    throw Error(ErrorCode::internal, "libcurl: {}", ::curl_easy_strerror(code));
  }
}

using Handle = std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)>;

Handle make_handle() {
  static const CURLcode ready = ::curl_global_init(CURL_GLOBAL_NOTHING);
  require(ready);
  Handle handle(::curl_easy_init(), &::curl_easy_cleanup);
  if (!handle) {
    throw Error(ErrorCode::internal, "libcurl: no handle");
  }
  return handle;
}

Headers make_headers() {
  Headers headers(nullptr, &::curl_slist_free_all);
  for (const auto* line : {"Accept: application/json", "Content-Type: application/json", "Expect:"}) {
    auto* longer = ::curl_slist_append(headers.get(), line);
    if (longer == nullptr) {
      throw Error(ErrorCode::internal, "libcurl: no memory");
    }
    std::ignore = headers.release();
    headers.reset(longer);
  }
  return headers;
}

void require_plain(const Request& request) {
  const auto plain = [](const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char letter) {
      return letter > ' ' && letter < 0x7f;
    });
  };
  if (!plain(request.method) || !plain(request.path) || request.path.front() != '/') {
    throw Error(ErrorCode::internal, "'{} {}' is no HTTP request", request.method, request.path);
  }
}

[[noreturn]] void fail(
    CURLcode code, const Received& received, const Request& request, const std::string& socket_path,
    const Limits& limits) {
  const auto what = fmt::format("{} {} at {}", request.method, request.path, socket_path);
  if (received.too_large) {
    throw Error(
        ErrorCode::protocol, "{}: the answer is larger than {} bytes", what,
        received.header_bytes > limits.header_bytes ? limits.header_bytes : limits.body_bytes);
  }
  switch (code) {
  case CURLE_COULDNT_CONNECT:
    throw Error(ErrorCode::unavailable, "{}: nobody listens there", what);
  case CURLE_OPERATION_TIMEDOUT:
    throw Error(ErrorCode::timeout, "{}: no answer within {} ms", what, limits.time.count());
  default:
    throw Error(ErrorCode::protocol, "{}: {}", what, ::curl_easy_strerror(code));
  }
}

} // namespace

UnixHttpClient::UnixHttpClient(std::string socket_path, Limits limits)
    : m_socket_path(std::move(socket_path)), m_limits(limits) {
}

Answer UnixHttpClient::call(const Request& request) const {
  require_plain(request);
  // A path may be longer than sun_path: name its directory by a descriptor instead.
  const std::filesystem::path whole(m_socket_path);
  const auto directory = os::maybe_open(whole.parent_path().string(), O_PATH | O_DIRECTORY);
  if (!directory) {
    throw Error(
        ErrorCode::unavailable, "{} {} at {}: there is no such directory", request.method, request.path,
        m_socket_path);
  }
  const auto address = fmt::format("/proc/self/fd/{}/{}", directory->get(), whole.filename().string());
  const auto url = "http://localhost" + request.path;
  Received received{&m_limits};
  const auto handle = make_handle();
  const auto headers = make_headers();
  const auto set = [&](CURLoption option, auto value) {
    require(::curl_easy_setopt(handle.get(), option, value));
  };
  set(CURLOPT_UNIX_SOCKET_PATH, address.c_str());
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(m_limits.time.count()));
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, &received);
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, &received);
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
  }
  const auto code = ::curl_easy_perform(handle.get());
  if (code != CURLE_OK) {
    fail(code, received, request, m_socket_path, m_limits);
  }
  Answer answer;
  require(::curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.status));
  answer.body = std::move(received.body);
  return answer;
}

} // namespace pyro::http

#include "api_client.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_text.hpp>
#include <pyro/os/clock.hpp>

#include <thread>

namespace pyro::backend::firecracker {

namespace {

constexpr std::chrono::milliseconds k_poll{2};
constexpr std::size_t k_max_answer = 256 << 10;
constexpr std::size_t k_max_message = 2000;

http::Limits limits_of(std::chrono::milliseconds time) {
  http::Limits limits;
  limits.time = time;
  limits.body_bytes = k_max_answer;
  return limits;
}

/// The text of an answer of status 400 and above.
std::string fault_of(const http::Answer& answer) {
  const auto body = maybe_parse_json(answer.body).value_or(Json());
  std::string text = body.is_object() && body.contains("fault_message") && body["fault_message"].is_string()
                         ? body["fault_message"].get<std::string>()
                         : fmt::format("status {}", answer.status);
  if (text.size() > k_max_message) {
    text = text.substr(0, k_max_message) + "...";
  }
  std::replace_if(
      text.begin(), text.end(), [](unsigned char letter) { return letter < ' ' || letter == 0x7f; }, ' ');
  return text;
}

std::string body_of(const ApiRequest& request) {
  try {
    return request.body.is_null() ? "" : request.body.dump();
  } catch (const Json::exception&) {
    throw Error(ErrorCode::invalid_argument, "{}: paths must be UTF-8", to_string(request));
  }
}

} // namespace

ApiClient::ApiClient(std::string socket_path, std::chrono::milliseconds call_limit)
    : m_http(std::move(socket_path), limits_of(call_limit)) {
}

void ApiClient::await(std::chrono::milliseconds limit, const std::function<void()>& still_there) const {
  const auto deadline = os::now_monotonic() + limit;
  while (true) {
    try {
      std::ignore = state();
      return;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unavailable) {
        throw;
      }
    }
    if (still_there) {
      still_there();
    }
    if (os::now_monotonic() >= deadline) {
      throw Error(
          ErrorCode::timeout, "Firecracker did not listen at {} within {} ms", m_http.socket_path(),
          limit.count());
    }
    std::this_thread::sleep_for(k_poll);
  }
}

Json ApiClient::send(const ApiRequest& request) const {
  const auto answer = m_http.call({request.method, request.path, body_of(request)});
  if (answer.status < 200 || answer.status >= 300) {
    throw Error(ErrorCode::failed, "Firecracker refused {}: {}", to_string(request), fault_of(answer));
  }
  return answer.body.empty() ? Json()
                             : parse_json(answer.body, "Firecracker's answer to " + to_string(request));
}

void ApiClient::send_all(const std::vector<ApiRequest>& requests) const {
  for (const auto& request : requests) {
    std::ignore = send(request);
  }
}

MachineState ApiClient::state() const {
  const auto text = get_string(send({"GET", "/", nullptr}), "state");
  if (text == "Not started") {
    return MachineState::not_started;
  }
  if (text == "Running") {
    return MachineState::running;
  }
  if (text == "Paused") {
    return MachineState::paused;
  }
  throw Error(ErrorCode::protocol, "Firecracker is in the unknown state '{}'", text.substr(0, 100));
}

std::string ApiClient::version() const {
  return get_string(send({"GET", "/version", nullptr}), "firecracker_version");
}

} // namespace pyro::backend::firecracker

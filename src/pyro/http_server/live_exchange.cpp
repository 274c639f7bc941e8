#include "live_exchange.hpp"

#include <algorithm>
#include <cstring>

namespace pyro::http_server {

namespace {

constexpr std::size_t k_piece = 32 << 10;

MHD_Result send(MHD_Connection* connection, const Answer& answer, MHD_Response* response) {
  if (response == nullptr) {
    return MHD_NO;
  }
  for (const auto& [name, value] : answer.fields) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  const auto result = MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return result;
}

ssize_t read_stream(void* exchange, std::uint64_t /*position*/, char* buffer, std::size_t size) {
  return (*static_cast<std::shared_ptr<LiveExchange>*>(exchange))->read(buffer, size);
}

void drop_stream(void* exchange) {
  delete static_cast<std::shared_ptr<LiveExchange>*>(exchange);
}

} // namespace

MHD_Result send_whole(MHD_Connection* connection, const Answer& answer) {
  auto* body = const_cast<char*>(answer.body.data()); // copied
  return send(
      connection, answer, MHD_create_response_from_buffer(answer.body.size(), body, MHD_RESPMEM_MUST_COPY));
}

LiveExchange::LiveExchange(HttpRequest request, MHD_Connection* connection)
    : Exchange(std::move(request)), m_connection(connection) {
}

MHD_Result LiveExchange::serve(const std::shared_ptr<LiveExchange>& self) {
  const std::lock_guard guard(m_mutex);
  if (m_is_gone) {
    return MHD_NO;
  }
  if (m_phase == Phase::open) {
    sleep();
    return MHD_YES;
  }
  if (m_phase == Phase::whole) {
    return send_whole(m_connection, m_answer);
  }
  auto* held = new std::shared_ptr<LiveExchange>(self); // drop_stream()
  auto* response =
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, k_piece, read_stream, held, drop_stream);
  if (response == nullptr) {
    delete held;
  }
  return send(m_connection, m_answer, response);
}

ssize_t LiveExchange::read(char* buffer, std::size_t size) {
  const std::lock_guard guard(m_mutex);
  if (m_is_gone) {
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  m_last_read = std::chrono::steady_clock::now();
  if (!m_unsent.empty()) {
    const auto count = std::min(size, m_unsent.size());
    std::memcpy(buffer, m_unsent.data(), count);
    m_unsent.erase(0, count);
    return static_cast<ssize_t>(count);
  }
  if (m_phase == Phase::ended) {
    return MHD_CONTENT_READER_END_OF_STREAM;
  }
  sleep();
  return 0;
}

void LiveExchange::leave() {
  std::function<void()> callback;
  {
    const std::lock_guard guard(m_mutex);
    const bool is_answered = m_phase == Phase::whole || (m_phase == Phase::ended && m_unsent.empty());
    if (m_is_gone || is_answered) {
      return;
    }
    m_is_gone = true;
    m_unsent.clear();
    callback = std::exchange(m_when_gone, {});
    wake();
  }
  if (callback) {
    callback();
  }
}

void LiveExchange::forget_connection() {
  const std::lock_guard guard(m_mutex);
  m_connection = nullptr;
}

void LiveExchange::fill(std::chrono::steady_clock::time_point quiet_since) {
  const std::lock_guard guard(m_mutex);
  if (m_phase == Phase::streaming && m_is_asleep && m_last_read < quiet_since && !m_filler.empty()) {
    m_unsent += m_filler;
    wake();
  }
}

void LiveExchange::sleep() {
  m_is_asleep = true;
  MHD_suspend_connection(m_connection);
}

void LiveExchange::wake() {
  if (m_connection != nullptr && std::exchange(m_is_asleep, false)) {
    MHD_resume_connection(m_connection);
  }
}

} // namespace pyro::http_server

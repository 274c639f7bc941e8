#include "stream.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace pyro::ssh {

namespace {

constexpr std::size_t k_piece = 32 << 10;
/// After so long without output, what was held back as the possible beginning of a secret is shown: a letter
/// that was typed, or a question of a protocol, would wait for ever.
constexpr std::chrono::milliseconds k_show_after{200};

} // namespace

Stream::Stream(ssh_channel channel, os::EventLoop& loop, const Redactor* secrets, Handlers handlers)
    : m_channel(channel), m_loop(loop), m_secrets(secrets), m_handlers(std::move(handlers)),
      m_out(secrets == nullptr ? m_none : *secrets), m_err(secrets == nullptr ? m_none : *secrets) {
}

Stream::~Stream() {
  m_loop.cancel(m_timer);
  if (m_call) {
    m_call->set_events({});
    m_call->cancel();
  }
}

protocol::CallEvents Stream::events() {
  protocol::CallEvents events;
  events.on_data = [this](protocol::FrameType type, std::string_view bytes) {
    take(type == protocol::FrameType::data_err ? m_err : m_out, bytes);
  };
  events.on_result = [this](const Json& result) {
    show_held();
    m_has_answer = true;
    m_handlers.on_result(result);
  };
  events.on_failure = [this](const Error& error) {
    show_held();
    m_has_answer = true;
    m_handlers.on_failure(error);
  };
  return events;
}

void Stream::start(std::shared_ptr<protocol::Call> call) {
  m_call = std::move(call);
}

void Stream::take(Output& output, std::string_view bytes) {
  m_owed += bytes.size();
  output.pending += output.redacted.add(bytes);
  if (m_secrets != nullptr && !m_secrets->empty()) {
    m_loop.cancel(m_timer);
    m_timer = m_loop.after(k_show_after, [this] {
      m_timer = 0;
      show_held();
    });
  }
}

void Stream::show_held() {
  m_out.pending += m_out.redacted.finish();
  m_err.pending += m_err.redacted.finish();
}

bool Stream::read_input() {
  bool has_read = false;
  std::array<char, k_piece> buffer{};
  while (!m_input_ended && m_call->is_open() && !m_call->is_full()) {
    const auto count =
        ssh_channel_read_nonblocking(m_channel, buffer.data(), static_cast<std::uint32_t>(buffer.size()), 0);
    if (count > 0) {
      m_call->send(protocol::FrameType::data_in, {buffer.data(), static_cast<std::size_t>(count)});
    } else if (count == SSH_EOF) {
      m_input_ended = true;
      m_call->end_in();
    } else {
      break;
    }
    has_read = true;
  }
  return has_read;
}

/// A little at a time: what the client's window allows may be much, and libssh keeps all that it is given.
bool Stream::write_output(Output& output, bool is_error) {
  auto& text = output.pending;
  if (text.empty() || (ssh_get_poll_flags(ssh_channel_get_session(m_channel)) & SSH_WRITE_PENDING) != 0) {
    return false;
  }
  const auto size = static_cast<std::uint32_t>(std::min(text.size(), k_piece));
  const auto count = is_error ? ssh_channel_write_stderr(m_channel, text.data(), size)
                              : ssh_channel_write(m_channel, text.data(), size);
  if (count <= 0) {
    return false; // no window, or new keys are being agreed upon; a closed channel is seen by pump()
  }
  text.erase(0, static_cast<std::size_t>(count));
  return true;
}

bool Stream::pump() {
  if (m_is_over) {
    return false;
  }
  if (ssh_channel_is_closed(m_channel) != 0) {
    close();
    return true;
  }
  bool has_done = m_call && read_input();
  has_done = write_output(m_out, false) || has_done;
  has_done = write_output(m_err, true) || has_done;
  const auto left = m_out.pending.size() + m_err.pending.size();
  if (m_call && m_owed > left) {
    m_call->consume(m_owed - left);
    m_owed = left;
  }
  if (left == 0 && m_has_answer) {
    m_handlers.before_close();
    close();
  }
  return has_done || m_is_over;
}

void Stream::close() {
  if (m_call) {
    m_call->cancel(); // nothing where it is over
  }
  ssh_channel_close(m_channel);
  m_is_over = true;
}

} // namespace pyro::ssh

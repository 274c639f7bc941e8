#include "shell_attachment.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>

namespace pyro::agent {

namespace {

using protocol::FrameType;

constexpr std::size_t k_piece = 16 << 10;
/// How long the shell's program waits for a client that takes nothing.
constexpr std::chrono::milliseconds k_attach_patience{5000};

} // namespace

void ShellAttachment::start(
    Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const std::shared_ptr<Shell>& shell,
    const protocol::ShellAttach& request) {
  std::make_shared<ShellAttachment>(runtime, call, shell)->listen(request);
}

void ShellAttachment::listen(const protocol::ShellAttach& request) {
  const auto& output = m_shell->output();
  m_cursor = output.end() - std::min<std::uint64_t>(output.end() - output.first(), request.replay);
  if (m_cursor > 0) { // not in the middle of a line, and of a control sequence
    const auto line = output.view(m_cursor, k_piece).find('\n');
    m_cursor += line == std::string_view::npos ? 0 : line + 1;
  }
  auto self = shared_from_this();
  protocol::CallEvents events;
  events.on_data = [self](FrameType, std::string_view bytes) {
    self->m_call->consume(bytes.size());
    try {
      self->m_shell->write(bytes);
    } catch (const Error&) {
      // Typed faster than the shell reads for more than k_shell_input: lost, as in a full terminal.
    }
  };
  events.on_end_in = [self] {
    self->finish(true);
  };
  events.on_message = [self](const Json& message) {
    self->on_message(message);
  };
  events.on_writable = [self] {
    self->pump();
  };
  events.on_gone = [self] {
    self->finish(true);
  };
  m_call->set_events(std::move(events));
  if (request.size) {
    m_shell->resize(*request.size);
  }
  m_watch = m_shell->watch([self] { self->pump(); });
  pump();
}

void ShellAttachment::on_message(const Json& message) {
  if (const auto size = message.find("resize"); size != message.end()) {
    m_shell->resize(protocol::terminal_size_from_json(*size));
  }
  if (bool_or(message, "detach", false)) {
    finish(true);
  }
}

void ShellAttachment::pump() {
  if (m_over) {
    return;
  }
  const auto& output = m_shell->output();
  while (m_cursor < output.end() && !m_call->is_full()) {
    if (m_cursor < output.first()) {
      m_call->send(Json{{"dropped_bytes", output.first() - m_cursor}});
      m_cursor = output.first();
    }
    const auto piece = output.view(m_cursor, k_piece);
    m_cursor += piece.size();
    m_call->send(FrameType::data_out, piece);
  }
  if (m_cursor < output.end()) {
    hold();
    return;
  }
  release();
  m_passed_by = false;
  if (!m_shell->is_running()) {
    finish(false);
  }
}

void ShellAttachment::hold() {
  if (m_passed_by || m_patience != 0) {
    return;
  }
  m_shell->hold(m_watch);
  m_patience = m_runtime.loop.after(k_attach_patience, [weak = weak_from_this()] {
    if (auto self = weak.lock()) {
      self->m_patience = 0;
      self->m_passed_by = true;
      self->m_shell->release(self->m_watch);
    }
  });
}

void ShellAttachment::release() {
  if (m_patience != 0) {
    m_runtime.loop.cancel(std::exchange(m_patience, 0));
    m_shell->release(m_watch);
  }
}

void ShellAttachment::finish(bool detached) {
  if (std::exchange(m_over, true)) {
    return;
  }
  m_runtime.loop.cancel(std::exchange(m_patience, 0));
  auto self = shared_from_this(); // the watch and the call hold it
  m_shell->unwatch(m_watch);
  m_call->finish({{"detached", detached}, {"status", to_json(m_shell->status())}});
  m_call->set_events({});
}

} // namespace pyro::agent

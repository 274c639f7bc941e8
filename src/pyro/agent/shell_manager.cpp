#include "shell_manager.hpp"

#include "shell_attachment.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/os/clock.hpp>

#include <algorithm>

namespace pyro::agent {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t k_max_shells = 32;
/// Waiting readers look that often whether the shell has ended.
constexpr milliseconds k_look_for_output{50};

void answer(
    const std::shared_ptr<protocol::Call>& call, const Shell& shell, const protocol::ShellRead& request) {
  const auto& output = shell.output();
  const auto start = std::clamp(request.cursor, output.first(), output.end());
  call->send(protocol::FrameType::data_out, output.view(start, static_cast<std::size_t>(request.max_bytes)));
  call->finish(to_json(protocol::ShellReadResult{output.first(), start, output.end(), shell.is_running()}));
}

} // namespace

void ShellManager::add_operations(protocol::Router& router) {
  namespace path = protocol::path;
  router.add(std::string(path::k_shells_open), [this](const CallPointer& call, const Json& request) {
    open(call, request);
  });
  router.add(std::string(path::k_shells_list), [this](const CallPointer& call, const Json&) {
    Json list = Json::array();
    for (const auto& [id, shell] : m_shells) {
      list.push_back(to_json(shell->status()));
    }
    call->finish({{"shells", std::move(list)}});
  });
  router.add(std::string(path::k_shells_read), [this](const CallPointer& call, const Json& request) {
    read(call, request);
  });
  router.add(std::string(path::k_shells_write), [this](const CallPointer& call, const Json& request) {
    find(request)->write(protocol::shell_write_from_json(request).data);
    call->finish(Json::object());
  });
  router.add(std::string(path::k_shells_signal), [this](const CallPointer& call, const Json& request) {
    const auto shell = find(request);
    const auto name = get_string(request, "signal");
    const auto number = os::signal_number(name);
    if (!number) {
      throw Error(ErrorCode::invalid_argument, "'{}' is no signal", name);
    }
    shell->signal(*number);
    call->finish(to_json(shell->status()));
  });
  router.add(std::string(path::k_shells_resize), [this](const CallPointer& call, const Json& request) {
    const auto shell = find(request);
    shell->resize(protocol::terminal_size_from_json(request));
    call->finish(to_json(shell->status()));
  });
  router.add(std::string(path::k_shells_close), [this](const CallPointer& call, const Json& request) {
    close(call, request);
  });
  router.add(std::string(path::k_shells_attach), [this](const CallPointer& call, const Json& request) {
    ShellAttachment::start(m_runtime, call, find(request), protocol::shell_attach_from_json(request));
  });
}

std::shared_ptr<Shell> ShellManager::find(const Json& request) const {
  const auto id = get_string(request, "shell_id");
  const auto found = m_shells.find(id);
  if (found == m_shells.end()) {
    std::vector<std::string> ids;
    for (const auto& [other, shell] : m_shells) {
      ids.push_back(other);
    }
    throw Error(ErrorCode::invalid_argument, "shell {} does not exist", id)
        .with_hint(names_hint(id, std::move(ids)));
  }
  return found->second;
}

/// Shells that have ended are kept for their output, as long as there is room.
void ShellManager::make_room() {
  if (m_shells.size() < k_max_shells) {
    return;
  }
  auto oldest = m_shells.end();
  for (auto it = m_shells.begin(); it != m_shells.end(); ++it) {
    if (!it->second->is_running()
        && (oldest == m_shells.end()
            || it->second->status().opened_at < oldest->second->status().opened_at)) {
      oldest = it;
    }
  }
  if (oldest == m_shells.end()) {
    throw Error(ErrorCode::unavailable, "{} shells are open (limit {})", m_shells.size(), k_max_shells)
        .with_hint("close one that is not needed any more");
  }
  m_shells.erase(oldest);
}

void ShellManager::open(const CallPointer& call, const Json& request) {
  const auto wanted = protocol::shell_open_from_json(request);
  if (m_shells.contains(wanted.shell_id)) {
    throw Error(ErrorCode::already_exists, "there is a shell {} already", wanted.shell_id);
  }
  make_room();
  const auto shell = Shell::open(m_runtime, wanted);
  m_shells[wanted.shell_id] = shell;
  call->finish(to_json(shell->status()));
}

void ShellManager::read(const CallPointer& call, const Json& request) {
  const auto wanted = protocol::shell_read_from_json(request);
  const auto shell = find(request);
  if (wanted.idle_ms == 0) {
    answer(call, *shell, wanted);
  } else {
    answer_when_idle(call, shell, wanted, os::now_monotonic());
  }
}

void ShellManager::answer_when_idle(
    const CallPointer& call, const std::shared_ptr<Shell>& shell, const protocol::ShellRead& request,
    milliseconds since) {
  if (!call->is_open()) {
    return;
  }
  const auto now = os::now_monotonic();
  const auto quiet = now - std::max(since, shell->last_output());
  const auto left =
      std::min(milliseconds(request.idle_ms) - quiet, since + milliseconds(request.limit_ms) - now);
  if (!shell->is_running() || left.count() <= 0) {
    answer(call, *shell, request);
    return;
  }
  m_runtime.loop.after(std::min(left, k_look_for_output), [this, call, shell, request, since] {
    answer_when_idle(call, shell, request, since);
  });
}

void ShellManager::close(const CallPointer& call, const Json& request) {
  const auto shell = find(request);
  shell->close([this, call, shell] {
    const auto status = shell->status();
    m_shells.erase(status.shell_id);
    call->finish(to_json(status));
  });
}

void ShellManager::hang_up_all() {
  for (const auto& [id, shell] : m_shells) {
    shell->hang_up();
  }
}

} // namespace pyro::agent

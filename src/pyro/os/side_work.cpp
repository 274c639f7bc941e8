#include "side_work.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>

#include <sys/mman.h>
#include <sys/prctl.h>

#include <array>
#include <csignal>
#include <thread>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::chrono::milliseconds k_look{20};
constexpr std::chrono::seconds k_for_cleaning_up{20}; // for what it cleans up

/// Of the child.
volatile std::sig_atomic_t g_told_to_end = 0;

void note_end(int) {
  g_told_to_end = 1;
}

void write_line(int file, const nlohmann::json& line) {
  write_all(file, line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

[[noreturn]] void
work_beside(const std::function<nlohmann::json(const SideWork::Tell&)>& work, pid_t parent, int told) {
  struct sigaction action {};

  action.sa_handler = note_end;
  ::sigaction(SIGTERM, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(1); // it died in between
  }
  try {
    const InterruptionScope scope([] { return g_told_to_end != 0; });
    nlohmann::json end;
    try {
      end = {{"result", work([&](const nlohmann::json& news) { write_line(told, {{"news", news}}); })}};
    } catch (const Error& error) {
      end = {{"error", to_json(error)}};
    } catch (const std::exception& error) {
      end = {{"error", to_json(Error(ErrorCode::internal, "{}", error.what()))}};
    }
    write_line(told, end);
  } catch (const std::exception&) {
    ::_exit(1); // what to say cannot be said
  }
  ::_exit(0);
}

Fd make_told() {
  Fd told(::memfd_create("pyro-side-work", MFD_CLOEXEC));
  if (!told) {
    throw Error::from_errno(errno, "make room for what is told");
  }
  return told;
}

} // namespace

SideWork::SideWork(const std::function<nlohmann::json(const Tell&)>& work, Tell heard)
    : m_heard(std::move(heard)), m_told(make_told()) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    work_beside(work, parent, m_told.get());
  }
  m_child = Child(pid);
}

SideWork::~SideWork() {
  if (!m_end.is_null()) {
    return;
  }
  m_child.signal(SIGTERM);
  const auto until = std::chrono::steady_clock::now() + k_for_cleaning_up;
  while (!m_child.try_wait() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(k_look);
  }
}

void SideWork::take(const nlohmann::json& line) {
  if (line.contains("news")) {
    m_heard(line["news"]);
  } else {
    m_end = line;
  }
}

void SideWork::hear() {
  std::array<char, 16 << 10> buffer{};
  for (;;) {
    const auto count = ::pread(m_told.get(), buffer.data(), buffer.size(), static_cast<off_t>(m_read));
    if (count <= 0) {
      break;
    }
    m_read += static_cast<std::size_t>(count);
    m_rest.append(buffer.data(), static_cast<std::size_t>(count));
  }
  for (std::size_t end = 0; (end = m_rest.find('\n')) != std::string::npos;) {
    const auto line = parse_json(m_rest.substr(0, end), "what is told by work beside");
    m_rest.erase(0, end + 1);
    take(line);
  }
}

nlohmann::json SideWork::wait(const std::function<void()>& check_interrupted) {
  while (m_end.is_null()) {
    const bool has_ended = m_child.try_wait().has_value();
    hear();
    if (m_end.is_null() && has_ended) {
      m_end = {{"error", to_json(Error(ErrorCode::failed, "the process that worked on it died"))}};
    }
    if (m_end.is_null()) {
      check_interrupted();
      std::this_thread::sleep_for(k_look);
    }
  }
  if (m_end.contains("error")) {
    throw error_from_json(m_end["error"]);
  }
  return m_end["result"];
}

} // namespace pyro::os

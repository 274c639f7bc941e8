#include "terminal.hpp"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

namespace pyro::testing {

OnATerminal::OnATerminal(
    const Arguments& argv, const std::map<std::string, std::string>& environment, const fs::path& directory) {
  winsize size{};
  size.ws_col = 100;
  size.ws_row = 30;
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) {
    variables.push_back(name + "=" + value);
  }
  const auto pointers = [](const std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (const auto& text : texts) {
      list.push_back(const_cast<char*>(text.c_str()));
    }
    list.push_back(nullptr);
    return list;
  };
  const auto arguments = pointers(argv);
  const auto env = pointers(variables);
  m_pid = ::forkpty(&m_master, nullptr, nullptr, &size);
  if (m_pid == 0) {
    if (directory.empty() || ::chdir(directory.c_str()) == 0) {
      ::execve(arguments[0], arguments.data(), env.data());
    }
    ::_exit(126);
  }
}

OnATerminal::~OnATerminal() {
  if (!m_ended) {
    ::kill(m_pid, SIGKILL);
    ::waitpid(m_pid, nullptr, 0);
  }
  ::close(m_master);
}

void OnATerminal::type(const std::string& text) const {
  EXPECT_EQ(::write(m_master, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

void OnATerminal::resize(unsigned short columns, unsigned short rows) const {
  winsize size{};
  size.ws_col = columns;
  size.ws_row = rows;
  EXPECT_EQ(::ioctl(m_master, TIOCSWINSZ, &size), 0);
}

bool OnATerminal::see(const std::string& text) {
  const auto is_seen = [&] {
    read_some(20);
    const auto at = m_seen.find(text, m_read);
    if (at != std::string::npos) {
      m_read = at + text.size();
    }
    return at != std::string::npos;
  };
  return eventually(is_seen, 20);
}

bool OnATerminal::is_cooked() const {
  termios mode{};
  EXPECT_EQ(::tcgetattr(m_master, &mode), 0);
  return (mode.c_lflag & ICANON) != 0 && (mode.c_lflag & ECHO) != 0;
}

int OnATerminal::status() {
  int status = 0;
  m_ended = eventually([&] {
    read_some(0); // what it still has to say must not block it
    return ::waitpid(m_pid, &status, WNOHANG) == m_pid;
  });
  read_some(0);
  return m_ended ? os::outcome_of(status).shell_status() : -1;
}

void OnATerminal::signal(int number) const {
  ::kill(m_pid, number);
}

void OnATerminal::read_some(int patience_ms) {
  pollfd wait{m_master, POLLIN, 0};
  std::array<char, 4096> buffer{};
  while (::poll(&wait, 1, patience_ms) > 0 && (wait.revents & POLLIN) != 0) {
    const auto count = ::read(m_master, buffer.data(), buffer.size());
    if (count <= 0) {
      break;
    }
    m_seen.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

} // namespace pyro::testing

#include "console.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/output_closed.hpp>

#include <sys/ioctl.h>

#include <cerrno>
#include <cstdlib>
#include <unistd.h>

extern char** environ; // NOLINT: the standard has no header for it

namespace pyro::cli {

namespace {

void write_to(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    const int error = errno;
    if (error == EPIPE) {
      throw OutputClosed{};
    }
    if (error != EINTR && error != EAGAIN) {
      throw Error::from_errno(error, "write the output");
    }
  }
}

constexpr std::size_t k_longest_answer = 4096;

std::optional<std::string> read_line() {
  std::string line;
  line.reserve(k_longest_answer);
  char character = 0;
  while (::read(STDIN_FILENO, &character, 1) == 1) {
    if (character == '\n' || line.size() == k_longest_answer) {
      return line;
    }
    line.push_back(character);
  }
  return std::nullopt; // a signal (Ctrl-C at the question) is no answer either
}

int columns_of(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int rows_of(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

} // namespace

Console process_console() {
  Console console;
  console.out = [](std::string_view text) {
    write_to(STDOUT_FILENO, text);
  };
  console.err = [](std::string_view text) {
    try {
      write_to(STDERR_FILENO, text);
    } catch (const Error&) {
      // Closed, or a full disk: what was asked for is done all the same, and there is nowhere to complain.
    }
  };
  console.read_line = read_line;
  console.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  constexpr std::string_view k_prefix = "PYRO_VAR_";
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (text.starts_with(k_prefix) && equals != std::string_view::npos && equals > k_prefix.size()) {
      console.variables.emplace(
          text.substr(k_prefix.size(), equals - k_prefix.size()), text.substr(equals + 1));
    }
  }
  console.in_terminal = isatty(STDIN_FILENO) == 1;
  console.out_terminal = isatty(STDOUT_FILENO) == 1;
  console.err_terminal = isatty(STDERR_FILENO) == 1;
  console.columns = [] {
    return columns_of(STDERR_FILENO);
  };
  console.rows = [] {
    return rows_of(STDOUT_FILENO);
  };
  return console;
}

} // namespace pyro::cli

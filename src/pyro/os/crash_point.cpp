#include "crash_point.hpp"

#ifdef PYRO_CRASH_POINTS

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <string>
#include <unistd.h>

namespace pyro::os {

void crash_point(const char* name) {
  static std::map<std::string, int> s_seen;
  if (const char* log = std::getenv("PYRO_CRASH_LOG")) {
    const int fd = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const auto line = std::string(name) + "\n";
    std::ignore = ::write(fd, line.data(), line.size());
    ::close(fd);
  }
  const char* wanted = std::getenv("PYRO_CRASH_AT");
  if (!wanted) {
    return;
  }
  const std::string text(wanted);
  const auto colon = text.find(':');
  const int nth = colon == std::string::npos ? 1 : std::atoi(text.c_str() + colon + 1);
  if (text.substr(0, colon) == name && ++s_seen[name] == nth) {
    ::kill(::getpid(), SIGKILL);
  }
}

} // namespace pyro::os

#endif

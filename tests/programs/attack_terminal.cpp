// D18. The terminal of whoever runs a command in here.
#include "attack.hpp"

#include <linux/tiocl.h>
#include <sys/ioctl.h>

#include <fcntl.h>
#include <unistd.h>

int main() {
  const std::initializer_list<int> denied{EPERM, EACCES, ENOTTY, EIO, ENOSYS, EINVAL};
  for (const int number : {0, 1, 2}) {
    const auto name = std::to_string(number);
    for (const char* letter = "id\n"; *letter != '\0'; ++letter) {
      if (::ioctl(number, TIOCSTI, letter) == 0) {
        attack::succeeded("terminal.push_input_" + name, "TIOCSTI");
        break;
      }
      if (*letter == '\n') {
        attack::refused("terminal.push_input_" + name, -1, denied);
      }
    }
    char selection = TIOCL_GETMOUSEREPORTING;
    attack::refused("terminal.linux_console_" + name, ::ioctl(number, TIOCLINUX, &selection), denied);
  }
  const int own = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (own < 0) {
    attack::refused("terminal.controlling", own, {ENXIO, ENOENT, EACCES, EPERM, EIO});
  } else {
    attack::refused("terminal.controlling_push", ::ioctl(own, TIOCSTI, "x"), denied);
  }
  // Terminals of the host lie in another instance of devpts; only our own may be seen here.
  int seen = 0;
  for (int number = 0; number < 64; ++number) {
    const auto path = "/dev/pts/" + std::to_string(number);
    seen += ::access(path.c_str(), F_OK) == 0 ? 1 : 0;
  }
  attack::holds("terminal.pts_of_host", seen <= 2, std::to_string(seen) + " terminals seen");
  for (const char* path : {"/dev/tty0", "/dev/tty1", "/dev/console", "/dev/ttyS0", "/dev/vcs"}) {
    const int console = ::open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (console >= 0 && std::string(path) == "/dev/console") {
      attack::refused("terminal./dev/console_push", ::ioctl(console, TIOCSTI, "x"), denied);
    } else {
      attack::refused(std::string("terminal.") + path, console, {ENOENT, ENXIO, EACCES, EPERM, ENODEV, EIO});
    }
  }
  return attack::done();
}

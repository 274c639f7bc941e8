// attack_lease FILE…: takes a write lease on each, so that the kernel makes whoever opens or executes it wait
// (fcntl(2), F_SETLEASE), and keeps them until it ends. Says "leased" when it has them all.
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  std::signal(SIGIO, SIG_IGN); // how the kernel asks for it back
  for (int i = 1; i < argc; ++i) {
    const int fd = ::open(argv[i], O_RDWR | O_CLOEXEC);
    if (fd < 0 || ::fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
      std::perror(argv[i]);
      return 1;
    }
  }
  std::puts("leased");
  std::fflush(stdout);
  for (;;) {
    ::pause();
  }
}

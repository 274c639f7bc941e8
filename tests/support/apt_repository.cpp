#include "apt_repository.hpp"

#include <pyro/os/process.hpp>

namespace pyro::testing {

void make_apt_repository(const fs::path& directory) {
  write_file(
      directory / "tree/DEBIAN/control", "Package: pyro-hello\nVersion: 1.0\nArchitecture: all\nMaintainer: "
                                         "x <x@example.org>\nDescription: x\n");
  write_file(directory / "tree/usr/share/pyro-hello/file", "pyro-hello from the mirror\n");
  os::Command command{
      {"sh", "-ec",
       "dpkg-deb --root-owner-group -b tree pyro-hello.deb; rm -r tree; "
       "{ dpkg-deb -f pyro-hello.deb; echo Filename: ./pyro-hello.deb; echo \"Size: $(stat -c %s "
       "pyro-hello.deb)\"; "
       "echo \"SHA256: $(sha256sum < pyro-hello.deb | cut -d' ' -f1)\"; } > Packages"}};
  command.cwd = directory.string();
  os::run_checked(std::move(command));
}

} // namespace pyro::testing

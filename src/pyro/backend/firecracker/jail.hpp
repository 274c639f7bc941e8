// The inside of a jail: a tmpfs in a mount namespace of this process's own, into which the machine's files
// are bound one by one. All of it goes with this process, killed or not; nothing is ever left on a disk. Root
// only.
#pragma once

#include "jailer.hpp"
#include "machine_description.hpp"

#include <string>

namespace pyro::backend::firecracker {

class Jail {
public:
  /// Gives this process a mount namespace of its own, and makes the jail's root below
  /// options.chroot_base_dir, which must exist. The jailer fills in the rest.
  explicit Jail(JailerOptions options);
  ~Jail();
  Jail(const Jail&) = delete;
  Jail& operator=(const Jail&) = delete;

  /// Makes the file visible as /NAME inside and returns that. What is to be written becomes the property of
  /// the jail's user; what is to be read must be readable by everybody.
  std::string show(const std::string& path, const std::string& name, DriveAccess access);

  const JailerOptions& options() const { return m_options; }

private:
  JailerOptions m_options;
};

} // namespace pyro::backend::firecracker

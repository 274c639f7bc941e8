// Does KVM run our guests on this machine? That /dev/kvm opens proves nothing (facts: it may make machines
// that never reach userspace), so a guest is booted against a deadline, once per boot of this machine,
// program and kernel, and the verdict is remembered.
#pragma once

#include <optional>
#include <string>

namespace pyro::backend {

struct KvmVerdict {
  bool proved = false;
  std::string reason; // why it is not
};

/// Why there can be no KVM at all; empty: it has to be tried.
std::string kvm_obstacle();

/// Changes when the program does (device, inode, size, time): cheaper than asking for its version every time.
std::string program_identity(const std::string& program);

class KvmVerdicts {
public:
  /// `name`: a word for the program, which several may have verdicts of in one directory.
  KvmVerdicts(std::string directory, std::string name, std::string program);

  /// nullopt: not tried yet. `kernel_digest`: empty for any kernel.
  std::optional<KvmVerdict> recall(const std::string& kernel_digest) const;
  void remember(const std::string& kernel_digest, const KvmVerdict& verdict) const;

private:
  std::string circumstances(const std::string& kernel_digest) const;

  std::string m_path;
  std::string m_program;
};

} // namespace pyro::backend

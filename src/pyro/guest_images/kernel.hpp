// The kernel and the initramfs with which virtual machines start, whatever root they stand on. Fetched once
// as Debian's package and kept in the environment cache; the initramfs is made anew, without a network, when
// our agent is another.
#pragma once

#include "kernel_manifest.hpp"

#include <pyro/base/dry_run.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/environment/cache.hpp>
#include <pyro/environment/environment.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pyro::guest_images {

struct GuestKernel {
  std::string kernel_path;
  std::string initrd_path;
  std::string version; // as uname -r says inside
  HexDigest digest;    // over kernel and initramfs, so over the agent too
  Json details;        // for `pyro env inspect`
};

class GuestKernels {
public:
  /// Fetches and unpacks a kernel package to a tree; returns [{name, version, ...}]. fetch_kernel_package()
  /// but for tests.
  using Fetch = std::function<Json(
      const std::string& tree, const std::string& scratch,
      const std::function<void(const std::string&)>& line)>;

  /// `agent`: the path of pyro-agent. `cache`: see Environments.
  GuestKernels(std::string agent, environment::EnvironmentProgress progress, std::string cache = {});
  GuestKernels(std::string agent, environment::EnvironmentProgress progress, std::string cache, Fetch fetch);

  /// The newest one installed and, as far as sizes and times tell, intact. nullopt: there is none.
  std::optional<GuestKernel> find() const;

  /// find(), fetched where it is missing.
  GuestKernel ensure();

  /// Error(unavailable) with the command that installs one where find() finds none.
  GuestKernel require() const;

  /// Installs it, or reads every file of an existing one again and repairs it where it is damaged.
  /// {"status": installed|present|repaired|refreshed, "version", "digest", "packages", "size_bytes"}
  Json pull(environment::Refresh refresh = environment::Refresh::no);

  /// Removes older kernels and what killed builds left, and with Keep::none the newest as well.
  /// [{image, digest, size_bytes, reason}] as Environments::prune() does.
  enum class Keep { newest, none };
  Json prune(DryRun dry_run, Keep keep);

private:
  std::vector<InstalledKernel> installed() const;
  GuestKernel complete(const InstalledKernel& found) const;
  std::optional<std::string> damage_of(const InstalledKernel& found) const;
  InstalledKernel install();
  void prepare() const;

  std::string part(const std::string& name) const { return m_directory + "/" + name; }

  std::string m_agent;
  environment::EnvironmentProgress m_progress;
  environment::EnvironmentCache m_cache;
  std::string m_directory;
  Fetch m_fetch;
};

} // namespace pyro::guest_images

#include "kernel.hpp"

#include "initramfs.hpp"
#include "kernel_package.hpp"
#include "modules.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/log.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/store/layers.hpp>
#include <pyro/store/layout.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <tuple>

namespace pyro::guest_images {

namespace {

using namespace std::chrono_literals;

constexpr auto k_kernel_patience = 30min;
constexpr std::size_t k_kernel_file_limit = 256 << 20;
constexpr std::string_view k_staging_prefix = "staging-";

/// Initramfs files of other agents (another pyro on this machine) that stay beside ours.
constexpr std::size_t k_initramfs_kept = 4;

KernelFile copy_into(const std::string& from, const std::string& directory, const std::string& name) {
  const auto content = os::read_file(from, k_kernel_file_limit);
  const auto to = directory + "/" + name;
  os::write_file_atomically(to, content, 0444);
  if (::chmod(to.c_str(), 0444) < 0) { // whatever the umask: QEMU may run as somebody else
    throw Error::from_errno(errno, fmt::format("chmod {}", to));
  }
  return {name, sha256_of(content), content.size()};
}

std::string initramfs_key(const HexDigest& agent) {
  return Sha256().field("initramfs").field(std::to_string(k_initramfs_format)).field(agent).finish();
}

double modified_at(const std::string& path) {
  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0 ? static_cast<double>(status.st_mtim.tv_sec) : 0;
}

/// Those of agents that were here once.
void remove_old_initramfs(const std::string& directory) {
  std::vector<std::pair<double, std::string>> images;
  for (const auto& name : os::list_directory(directory)) {
    if (name.ends_with(".cpio")) {
      const auto path = directory + "/" + name;
      images.emplace_back(modified_at(path), path);
    }
  }
  std::sort(images.rbegin(), images.rend());
  for (std::size_t number = k_initramfs_kept; number < images.size(); ++number) {
    auto path = images[number].second;
    os::remove_tree(path);
    os::remove_tree(path.replace(path.size() - 5, 5, ".json"));
  }
  os::remove_old_temporaries(directory);
}

} // namespace

GuestKernels::GuestKernels(std::string agent, environment::EnvironmentProgress progress, std::string cache)
    : GuestKernels(std::move(agent), std::move(progress), std::move(cache), fetch_kernel_package) {
}

GuestKernels::GuestKernels(
    std::string agent, environment::EnvironmentProgress progress, std::string cache, Fetch fetch)
    : m_agent(std::move(agent)), m_progress(std::move(progress)), m_cache(std::move(cache)),
      m_directory(m_cache.directory() + "/kernels"), m_fetch(std::move(fetch)) {
}

void GuestKernels::prepare() const {
  m_cache.prepare();
  store::prepare_private_directory(m_directory);
}

/// Newest first; those whose manifest cannot be read are left out.
std::vector<InstalledKernel> GuestKernels::installed() const {
  std::vector<InstalledKernel> all;
  for (const auto& name : os::list_directory(m_directory)) {
    if (!store::is_digest(name)) {
      continue;
    }
    try {
      const auto path = part(name) + "/manifest.json";
      auto found = installed_kernel_from_json(parse_json(os::read_file(path, 1 << 20), path));
      found.directory = part(name);
      if (found.digest == name) {
        all.push_back(std::move(found));
      }
    } catch (const Error& error) {
      log::debug("guest kernel {}: {}", name, error.what());
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const InstalledKernel& one, const InstalledKernel& other) {
    return one.created_at > other.created_at;
  });
  return all;
}

std::optional<std::string> GuestKernels::damage_of(const InstalledKernel& found) const {
  for (const auto& file : found.files) {
    const auto content = os::maybe_read_file(found.path(file.name), k_kernel_file_limit);
    if (!content) {
      return fmt::format("{} is missing", file.name);
    }
    if (sha256_of(*content) != file.digest) {
      return fmt::format("{} is not what was installed", file.name);
    }
  }
  return std::nullopt;
}

/// With an initramfs of the agent as it is now.
GuestKernel GuestKernels::complete(const InstalledKernel& found) const {
  const auto& kernel = found.files.front();
  if (m_cache.digest_of_file(found.path(k_kernel_file)) != kernel.digest) {
    throw Error(ErrorCode::failed, "the guest kernel {} is damaged", found.path(k_kernel_file))
        .with_hint("`pyro env pull debian:12` repairs it");
  }
  if (!os::exists(m_agent)) {
    throw Error(ErrorCode::unavailable, "the agent {} is not there", m_agent)
        .with_hint("install pyro again, or name the directory of its programs in PYRO_LIBEXEC");
  }
  const auto agent = m_cache.digest_of_file(m_agent);
  const auto stem = found.path("initramfs/" + initramfs_key(agent));
  const auto image = stem + ".cpio";
  const auto note = stem + ".json";
  HexDigest digest;
  try {
    digest = get_string(parse_json(os::read_file(note, 1 << 16), note), "digest");
    if (m_cache.digest_of_file(image) != digest) {
      digest.clear();
    }
  } catch (const Error&) {
    digest.clear(); // none yet, or damaged
  }
  if (digest.empty()) {
    if (const auto damage = damage_of(found)) {
      throw Error(ErrorCode::failed, "the guest kernel in {} is damaged: {}", found.directory, *damage)
          .with_hint("`pyro env pull debian:12` repairs it");
    }
    digest = write_initramfs({m_agent, found.path("modules"), found.load_order()}, image).digest;
    os::write_json_atomically(note, {{"digest", digest}, {"agent_digest", agent}});
  }
  GuestKernel result;
  result.kernel_path = found.path(k_kernel_file);
  result.initrd_path = image;
  result.version = found.version;
  result.digest = Sha256().field("guest").field(kernel.digest).field(digest).finish();
  Json modules = Json::array();
  std::copy(found.files.begin() + 1, found.files.end(), std::back_inserter(modules));
  result.details = {
      {"version", found.version},
      {"digest", result.digest},
      {"packages", found.packages},
      {"created_at", found.created_at},
      {"kernel",
       {{"path", result.kernel_path}, {"digest", kernel.digest}, {"size_bytes", kernel.size_bytes}}},
      {"modules", modules},
      {"initramfs", {{"path", image}, {"digest", digest}, {"agent_digest", agent}}}};
  return result;
}

std::optional<GuestKernel> GuestKernels::find() const {
  for (const auto& candidate : installed()) {
    try {
      return complete(candidate);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::failed && error.error_number() != ENOENT) {
        throw;
      }
      log::debug("{}", error.what());
    }
  }
  return std::nullopt;
}

GuestKernel GuestKernels::require() const {
  if (auto found = find()) {
    return std::move(*found);
  }
  throw Error(
      ErrorCode::unavailable, "guest boot is unavailable: no kernel for virtual machines is installed")
      .with_hint("`pyro env pull debian:12` fetches one");
}

GuestKernel GuestKernels::ensure() {
  if (auto found = find()) {
    return std::move(*found);
  }
  pull();
  return require();
}

/// The caller holds the lock.
InstalledKernel GuestKernels::install() {
  const auto say = [this](const char* kind) {
    return [this, kind](const std::string& text) {
      if (m_progress) {
        m_progress(kind, text);
      }
    };
  };
  say("note")("fetching the kernel of virtual machines");
  const auto begin = os::now_monotonic();
  os::TempDir staging(m_directory, std::string(k_staging_prefix) + "kernel");
  const auto tree = staging.path() + "/tree";
  const auto made = staging.path() + "/made";
  InstalledKernel found;
  found.packages = m_fetch(tree, staging.path() + "/scratch", say("log"));
  const auto contents = read_kernel_tree(tree);
  for (const auto* directory : {"", "/modules", "/initramfs"}) {
    os::make_directories(made + directory, 0755);
  }
  found.version = contents.version;
  found.created_at = os::now_epoch();
  found.files.push_back(copy_into(contents.kernel, made, k_kernel_file));
  for (const auto& module : contents.modules) {
    found.files.push_back(copy_into(module.path, made, "modules/" + module.name));
  }
  found.digest = found.digest_of_files();
  found.directory = part(found.digest);
  os::write_json_atomically(made + "/manifest.json", to_json(found));
  if (os::exists(found.directory)) { // damaged, or refreshed to the same: gives way at once
    std::ignore = std::rename(found.directory.c_str(), (staging.path() + "/old").c_str());
  }
  if (std::rename(made.c_str(), found.directory.c_str()) < 0) {
    throw Error::from_errno(errno, fmt::format("rename {} to {}", made, found.directory));
  }
  os::sync_directory(m_directory);
  say("note")(fmt::format(
      "kernel {} with {} modules, {}, in {}", found.version, contents.modules.size(),
      format_bytes(found.size_bytes()), format_elapsed(os::now_monotonic() - begin)));
  return found;
}

Json GuestKernels::pull(environment::Refresh refresh) {
  prepare();
  const os::ExclusiveLock lock(part("lock"), "guest kernel", k_kernel_patience, [&](const auto& holder) {
    if (m_progress) {
      m_progress("note", fmt::format("waiting for {}", holder ? os::to_string(*holder) : "another pyro"));
    }
  });
  for (const auto& name : os::list_directory(m_directory)) {
    if (name.starts_with(k_staging_prefix)) {
      os::remove_tree(part(name)); // a killed one's: the lock is ours
    }
  }
  const auto all = installed();
  std::string status = "present";
  if (all.empty()) {
    const auto names = os::list_directory(m_directory);
    status = std::any_of(names.begin(), names.end(), store::is_digest) ? "repaired" : "installed";
  } else if (damage_of(all.front())) {
    status = "repaired";
  } else if (refresh == environment::Refresh::yes) {
    status = "refreshed";
  }
  const auto found = status == "present" ? all.front() : install();
  const auto kernel = complete(found);
  return {
      {"status", status},
      {"version", kernel.version},
      {"digest", kernel.digest},
      {"packages", found.packages},
      {"size_bytes", found.size_bytes()}};
}

Json GuestKernels::prune(DryRun dry_run, Keep keep) {
  Json removed = Json::array();
  if (!os::is_directory(m_directory)) {
    return removed;
  }
  const auto lock = os::ExclusiveLock::try_lock(part("lock"), "env prune");
  if (!lock) {
    return removed; // somebody is fetching one
  }
  const auto all = installed();
  const auto newest = all.empty() || keep == Keep::none ? "" : all.front().digest;
  for (const auto& name : os::list_directory(m_directory)) {
    const auto path = part(name);
    if (store::is_digest(name) && name != newest) {
      const auto known =
          std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.digest == name; });
      const bool intact = known != all.end();
      removed.push_back(
          {{"image", intact ? "kernel " + known->version : "kernel"},
           {"digest", name},
           {"size_bytes", intact ? known->size_bytes() : 0},
           {"reason", !intact          ? "damaged"
                      : newest.empty() ? "not in use"
                                       : "there is a newer one"}});
    } else if (!name.starts_with(k_staging_prefix)) {
      continue;
    }
    if (dry_run == DryRun::no) {
      os::remove_tree(path);
    }
  }
  if (!newest.empty() && dry_run == DryRun::no) {
    remove_old_initramfs(part(newest) + "/initramfs");
  }
  return removed;
}

} // namespace pyro::guest_images

#include "disk_quota.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/log.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/tree_walk.hpp>

#include <filesystem>

namespace pyro::workspace {

namespace {

constexpr std::chrono::milliseconds k_patience{2000};

} // namespace

os::ProjectId hold_to_quota(const Context& context, const backend::LaunchSpec& spec, std::string& note) {
  // The layer of a step becomes a layer of the store by being moved, with what cannot be taken out of its
  // project again (docs/decisions/0044).
  if (spec.tied_to_starter || spec.limits.disk_bytes <= 0) {
    return 0;
  }
  os::make_directories(spec.generation_dir);
  const auto directory = os::open_directory(spec.generation_dir);
  if (!os::why_no_project_quota(directory.get()).empty()) {
    return 0; // which `doctor` tells
  }
  try {
    const os::ProjectClaims claims(context.base.disk_projects());
    const auto bytes = static_cast<std::uint64_t>(spec.limits.disk_bytes);
    return claims.hold(directory.get(), {bytes, 0}).value_or(0);
  } catch (const Error& error) {
    note = fmt::format("resources.disk is held by the watcher, not by a quota: {}", error.message());
    return 0;
  }
}

void release_quotas(const store::Base& base) {
  try {
    os::ProjectClaims(base.disk_projects()).sweep();
  } catch (const Error& error) {
    log::debug("limits of what was removed stay until the next start: {}", error.what());
  }
}

std::string why_no_quota(const std::string& path) {
  auto existing = std::filesystem::path(path);
  while (!os::exists(existing.string()) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  try {
    return os::why_no_project_quota(os::open_directory(existing.string()).get());
  } catch (const Error& error) {
    return error.what();
  }
}

std::string quota_note(backend::ControlClient& client, double since) {
  try {
    const auto disk = client.call("/status", Json::object(), k_patience).value("disk", Json());
    if (!disk.is_object() || !disk.value("reached", Json()).is_object()) {
      return "";
    }
    const auto& reached = disk["reached"];
    return get_double(reached, "at") < since
               ? ""
               : fmt::format("{}: writing more fails with EDQUOT", get_string(reached, "reason"));
  } catch (const std::exception&) {
    return ""; // it has ended, or hangs: the command's own result stands
  }
}

} // namespace pyro::workspace

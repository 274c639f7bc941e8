#include "machine.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/disk_quota.hpp>

#include <sys/statvfs.h>

#include <filesystem>

namespace pyro::workspace {

namespace {

std::string here() {
  return os::working_directory();
}

Json describe(const backend::Check& check, const std::string& backend) {
  return {{"backend", backend},   {"name", check.name}, {"ok", check.level == "ok"},
          {"level", check.level}, {"text", check.text}, {"hint", check.hint}};
}

Json disk_check(const std::string& path) {
  struct statvfs status {};

  auto existing = std::filesystem::path(path);
  while (!os::exists(existing.string()) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  if (::statvfs(existing.c_str(), &status) != 0) {
    return describe({"disk", "warning", fmt::format("cannot ask for the free space of {}", path), ""}, "");
  }
  const auto free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  const bool ok = free > (std::uint64_t{2} << 30);
  return describe(
      {"disk", ok ? "ok" : "warning", fmt::format("{} free for {}", format_bytes(free), path),
       ok ? "" : "`pyro prune` removes what nothing needs any more"},
      "");
}

/// Who holds sandboxes to resources.disk, so whether it is exact. (Virtual machines have a disk of that
/// size.)
Json disk_limit_check(const std::string& path) {
  const auto reason = why_no_quota(path);
  return describe(
      reason.empty() ? backend::Check{"disk-limit", "ok",
                                      "sandboxes are held to resources.disk exactly, by quotas of projects of "
                                      "the file system; their set-up and prepare steps by a watcher",
                                      ""}
                     : backend::Check{"disk-limit", "ok",
                                      fmt::format(
                                          "sandboxes are held to resources.disk by a watcher, which stops writers "
                                          "at the limit, with some slack; not by a quota of {}: {}",
                                          path, reason),
                                      ""},
      "");
}

Json tool_check(const std::string& name, const std::string& package, const std::string& cost) {
  const auto path = os::find_program(name);
  if (path) {
    return describe({name, "ok", *path, ""}, "");
  }
  return describe(
      {name, "note", fmt::format("{} is not installed: {}", name, cost), "apt install " + package}, "");
}

Json kernel_check(const Context& context) {
  try {
    if (const auto kernel = context.guest_kernels.find()) {
      return describe({"guest-kernel", "ok", fmt::format("{}", kernel->version), ""}, "");
    }
    return describe(
        {"guest-kernel", "note", "no kernel for virtual machines is installed", "`pyro env pull debian:12`"},
        "");
  } catch (const Error& error) {
    return describe({"guest-kernel", "warning", error.what(), error.hint()}, "");
  }
}

/// Every object of the kernel that belongs to pyro under this base, for tests that nothing is left over.
Json owned_objects(const Context& context) {
  Json supervisors = Json::array();
  Json cgroups = Json::array();
  for (const auto& id : context.records.ids()) {
    const store::WorkspacePaths paths(context.base, id);
    if (const auto text = os::maybe_read_file(paths.runtime() + "/kernel_objects.json")) {
      const auto objects = parse_json(*text, "kernel_objects.json");
      supervisors.push_back(
          {{"workspace_id", id},
           {"supervisor_pid", objects.value("supervisor_pid", 0)},
           {"sandbox_pid", objects.value("sandbox_pid", 0)}});
      for (const auto& directory : objects.value("cgroups", Json::array())) {
        cgroups.push_back(directory);
      }
    }
  }
  return {{"sandboxes", supervisors}, {"cgroups", cgroups}};
}

std::string way_of(const backend::Backend& backend) {
  const auto checks = backend.probe();
  if (std::any_of(checks.begin(), checks.end(), [](const auto& line) { return line.level == "error"; })) {
    return "which does not work here yet";
  }
  if (!backend.capabilities().virtual_machine) {
    return "the strongest that works here without emulation";
  }
  return backend.capabilities().emulated ? "emulated, since KVM is not known to work" : "with KVM";
}

/// What `backend: auto` comes to here, and why.
Json choice_check(const Context& context, backend::Isolation least, const std::string& isolation) {
  try {
    const auto& backend = context.choose_backend("auto", least, HostCompat::refused);
    return describe(
        {"auto-" + isolation, "note",
         fmt::format("`isolation: {}` takes {}: {}", isolation, backend.name(), way_of(backend)), ""},
        "");
  } catch (const Error& error) {
    return describe(
        {"auto-" + isolation, "note", fmt::format("`isolation: {}`: {}", isolation, error.message()),
         error.hint()},
        "");
  }
}

} // namespace

Json list_environments(Context& context) {
  context.base.prepare();
  return context.environments.list();
}

Json pull_environment(Context& context, const std::string& image, bool refresh) {
  context.base.prepare();
  const auto store_lock = context.use_store("env pull");
  auto result = context.environments.pull(
      image, here(), refresh ? environment::Refresh::yes : environment::Refresh::no);
  if (environment::parse_image(image, here()).kind == environment::ImageKind::debian) {
    result["kernel"] = context.guest_kernels.pull(
        refresh ? environment::Refresh::yes
                : environment::Refresh::no); // what virtual machines of any root start with
  }
  return result;
}

Json inspect_environment(Context& context, const std::string& image) {
  context.base.prepare();
  auto result = context.environments.inspect(image, here());
  const auto kernel = context.guest_kernels.find();
  result["kernel"] = kernel ? kernel->details : Json();
  return result;
}

Json remove_environment(Context& context, const std::string& image) {
  const store::LentReserve reserve(context.base);
  return context.environments.remove(image, here(), context.settings.lock_timeout);
}

Json prune_environments(Context& context, bool dry_run) {
  const store::LentReserve reserve(context.base);
  const auto dry = dry_run ? DryRun::yes : DryRun::no;
  auto result = context.environments.prune(dry, context.settings.lock_timeout);
  // A kernel serves every root of every state directory: it goes with the last environment.
  const bool needed = result["kept"].get<std::size_t>() > 0 || context.environments.has_other_homes();
  for (auto& kernel : context.guest_kernels.prune(
           dry, needed ? guest_images::GuestKernels::Keep::newest : guest_images::GuestKernels::Keep::none)) {
    result["bytes"] = result["bytes"].get<std::uint64_t>() + kernel["size_bytes"].get<std::uint64_t>();
    result["removed"].push_back(std::move(kernel));
  }
  return result;
}

Json examine_machine(Context& context) {
  context.base.prepare();
  Json checks = Json::array();
  bool usable = false;
  for (const auto& backend : context.settings.backends) {
    bool backend_usable = true;
    for (auto check : backend->probe()) {
      backend_usable = backend_usable && check.level != "error";
      if (check.level == "error" && backend->isolation() == backend::Isolation::vm) {
        check.level = "note"; // nobody has to have virtual machines
      }
      checks.push_back(describe(check, backend->name()));
    }
    usable = usable || backend_usable;
  }
  checks.push_back(choice_check(context, backend::Isolation::sandbox, "sandbox"));
  checks.push_back(choice_check(context, backend::Isolation::vm, "vm"));
  checks.push_back(disk_check(context.base.root()));
  checks.push_back(disk_limit_check(context.base.root()));
  checks.push_back(tool_check("mmdebstrap", "mmdebstrap", "environments debian:12* cannot be built"));
  checks.push_back(kernel_check(context));
  checks.push_back(tool_check(
      "skopeo", "skopeo", "images of registries and docker-archive: cannot be had, snapshots not pushed"));
  return {
      {"format_version", "1.0"},
      {"usable", usable},
      {"base", context.base.root()},
      {"checks", checks},
      {"objects", owned_objects(context)}};
}

} // namespace pyro::workspace

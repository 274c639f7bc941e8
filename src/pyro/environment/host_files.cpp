#include "host.hpp"

#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/tree_walk.hpp>

#include <fmt/format.h>

#include <array>

namespace pyro::environment {

namespace {

/// Fields of "a:b:c" lines; lines with fewer than `least` fields are left out.
std::vector<std::vector<std::string>> account_records(const std::string& text, std::size_t least) {
  std::vector<std::vector<std::string>> records;
  for (const auto line : lines_of(text)) {
    auto fields = fields_of(line, ':');
    if (fields.size() >= least && !fields[0].empty()) {
      records.push_back(std::move(fields));
    }
  }
  return records;
}

/// The users and groups of the machine with every password locked.
void plan_accounts(PlannedTree& plan, const Host& host) {
  const auto passwd =
      os::maybe_read_file(host.root + "/etc/passwd").value_or("root:x:0:0:root:/root:/bin/sh\n");
  const auto group = os::maybe_read_file(host.root + "/etc/group").value_or("root:x:0:\n");
  std::string public_passwd;
  std::string shadow;
  for (const auto& user : account_records(passwd, 7)) {
    public_passwd +=
        fmt::format("{}:x:{}:{}:{}:{}:{}\n", user[0], user[2], user[3], user[4], user[5], user[6]);
    shadow += fmt::format("{}:*:19000:0:99999:7:::\n", user[0]);
  }
  std::string public_group;
  std::string gshadow;
  gid_t shadow_group = 0;
  for (const auto& entry : account_records(group, 4)) {
    public_group += fmt::format("{}:x:{}:{}\n", entry[0], entry[2], entry[3]);
    gshadow += fmt::format("{}:*::{}\n", entry[0], entry[3]);
    if (entry[0] == "shadow") {
      shadow_group = static_cast<gid_t>(std::strtoul(entry[2].c_str(), nullptr, 10));
    }
  }
  plan["etc/passwd"] = planned_file(std::move(public_passwd));
  plan["etc/group"] = planned_file(std::move(public_group));
  plan["etc/shadow"] = planned_file(std::move(shadow), 0640);
  plan["etc/gshadow"] = planned_file(std::move(gshadow), 0640);
  plan["etc/shadow"].gid = shadow_group;
  plan["etc/gshadow"].gid = shadow_group;
}

bool is_wanted_in_etc(const std::string& path) {
  constexpr std::array<std::string_view, 5> k_prefixes{
      "etc/ssh/ssh_host_", "etc/shadow", "etc/gshadow", "etc/passwd-", "etc/group-"};
  return std::none_of(
      k_prefixes.begin(), k_prefixes.end(), [&](auto prefix) { return path.starts_with(prefix); });
}

void plan_etc(PlannedTree& plan, const Host& host) {
  plan["etc"] = planned_directory();
  plan_public_copy(plan, host.root + "/etc", "etc", is_wanted_in_etc);
  plan_accounts(plan, host);
  plan["etc/hostname"] = planned_file("sandbox\n");
  plan["etc/hosts"] = planned_file(std::string(k_hosts_file));
  plan["etc/machine-id"] = planned_file("", 0444);
  plan["etc/mtab"] = planned_symlink("/proc/self/mounts");
  plan["etc/resolv.conf"] = planned_file(resolver_configuration(host.root));
  if (host.id_space == os::IdSpace::Kind::single && plan.contains("etc/apt/apt.conf.d")) {
    plan["etc/apt/apt.conf.d/99pyro"] = planned_file("APT::Sandbox::User \"root\";\n");
  }
}

/// What package scripts and tools need of /var; of everything else only the directories exist.
bool is_copied_from_var(const std::string& path) {
  constexpr std::array<std::string_view, 23> k_places{
      "lib/alternatives",
      "lib/apt",
      "lib/aspell",
      "lib/binfmts",
      "lib/ca-certificates",
      "lib/ca-certificates-java",
      "lib/dictionaries-common",
      "lib/doc-base",
      "lib/dpkg",
      "lib/emacsen-common",
      "lib/ghc",
      "lib/ispell",
      "lib/misc",
      "lib/pam",
      "lib/sgml-base",
      "lib/shells.state",
      "lib/tex-common",
      "lib/texmf",
      "lib/ucf",
      "lib/vim",
      "lib/xml-core",
      "cache/debconf",
      "lib/git"};
  return std::find(k_places.begin(), k_places.end(), path) != k_places.end()
         || path.starts_with("lib/python");
}

/// Package lists beyond this are fetched again rather than copied.
constexpr std::uint64_t k_max_package_lists = 256 << 20;

void plan_var_place(PlannedTree& plan, const Host& host, const std::string& path) {
  const auto at = "var/" + path;
  const auto from = host.root + "/" + at;
  if (path == "lib/systemd") { // deb-systemd-helper's notes of enabled units, nothing of the running machine
    plan_public_copy(plan, from, at, [](const std::string& entry) {
      return entry.starts_with("var/lib/systemd/deb-systemd-");
    });
  } else if (is_copied_from_var(path)) {
    plan_public_copy(plan, from, at);
  }
}

void plan_var(PlannedTree& plan, const Host& host) {
  plan["var"] = planned_directory();
  const auto top = host.root + "/var";
  for (const auto& name : os::list_any_directory(top)) {
    struct stat status {};

    if (::lstat((top + "/" + name).c_str(), &status) < 0 || !S_ISDIR(status.st_mode)) {
      continue;
    }
    plan["var/" + name] = planned_like(PlannedEntry::Kind::directory, status);
    const bool has_places = name == "lib" || name == "cache" || name == "log" || name == "spool";
    if (!has_places || (status.st_mode & (S_IROTH | S_IXOTH)) != (S_IROTH | S_IXOTH)) {
      continue;
    }
    for (const auto& below : os::list_any_directory(top + "/" + name)) {
      const auto path = name + "/" + below;
      if (::lstat((top + "/" + path).c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
        plan["var/" + path] = planned_like(PlannedEntry::Kind::directory, status);
      }
      plan_var_place(plan, host, path);
    }
  }
  PlannedTree lists;
  const auto list_bytes = plan_public_copy(lists, host.root + "/var/lib/apt/lists", "var/lib/apt/lists");
  if (list_bytes > k_max_package_lists) {
    std::erase_if(plan, [](const auto& item) { return item.first.starts_with("var/lib/apt/lists/"); });
  }
  if (plan.contains("var/cache/apt")) {
    const auto partial = plan.contains("var/lib/apt/lists/partial") ? plan.at("var/lib/apt/lists/partial")
                                                                    : planned_directory(0700);
    plan["var/cache/apt/archives"] = planned_directory();
    plan["var/cache/apt/archives/partial"] = partial;
  }
  plan["var/tmp"] = planned_directory(01777);
  plan["var/run"] = planned_symlink("/run");
  plan["var/lock"] = planned_symlink("/run/lock");
}

} // namespace

void plan_host_files(PlannedTree& plan, const Host& host) {
  plan[""] = planned_directory();
  for (const auto* name : {"boot", "dev", "home", "media", "mnt", "run", "srv", "workspace"}) {
    plan[name] = planned_directory();
  }
  plan["proc"] = planned_directory(0555);
  plan["sys"] = planned_directory(0555);
  plan["root"] = planned_directory(0700);
  plan["tmp"] = planned_directory(01777);
  for (const auto& name : host.directories) {
    plan[name] = planned_directory();
  }
  for (const auto& [name, target] : host.symlinks) {
    plan[name] = planned_symlink(target);
  }
  plan_etc(plan, host);
  plan_var(plan, host);
}

} // namespace pyro::environment

#include "tap_manager.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/log.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/network_link.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/random.hpp>
#include <pyro/os/tap_device.hpp>

#include <unistd.h>

namespace pyro::backend::firecracker {

namespace {

constexpr std::chrono::milliseconds k_lock_limit{10'000};
constexpr std::chrono::milliseconds k_nft_limit{10'000};

void run_nft(const std::string& script) {
  if (!os::find_program("nft")) {
    throw Error(ErrorCode::unavailable, "a network for a Firecracker guest needs nft, which is not installed")
        .with_hint("apt install nftables");
  }
  os::run_checked({{"nft", "-f", "-"}}, script, k_nft_limit);
}

/// "add" first: deleting a table that is not there would be an error.
void delete_table(const std::string& name) {
  run_nft(fmt::format("add table inet {0}\ndelete table inet {0}\n", name));
}

void require_forwarding() {
  if (!os::forwards_ipv4("all")) {
    throw Error(
        ErrorCode::unavailable, "this machine does not forward IPv4 packets, so a guest's would not leave it")
        .with_hint("sysctl -w net.ipv4.ip_forward=1");
  }
}

/// A device with that name that does not say that it is ours is somebody else's, and so are rules of that
/// name.
void remove_device(const std::string& name, const std::string& alias) {
  const auto link = os::find_network_link(name);
  if (link && link->alias != alias) {
    return;
  }
  delete_table(name);
  if (link) {
    os::remove_link(name);
  }
}

os::ProcessId owner_of(const Json& record) {
  const auto& owner = value_at(record, "owner");
  return {
      static_cast<pid_t>(get_int(owner, "pid")), static_cast<std::uint64_t>(get_int(owner, "start_time")),
      get_string(owner, "boot_id")};
}

void write_record(const std::string& path, const AddressPlan& plan, const std::string& alias) {
  const auto self = os::process_id_of(::getpid());
  if (!self) {
    throw Error(ErrorCode::internal, "this process is not in /proc");
  }
  os::write_json_atomically(
      path, {{"tap", plan.tap},
             {"alias", alias},
             {"owner", {{"pid", self->pid}, {"start_time", self->start_time}, {"boot_id", self->boot_id}}}});
}

constexpr std::string_view k_suffix = ".tap.json";

} // namespace

Tap::Tap(AddressPlan plan, std::string record_path, std::string alias)
    : m_plan(std::move(plan)), m_record_path(std::move(record_path)), m_alias(std::move(alias)) {
}

Tap::Tap(Tap&& other) noexcept
    : m_plan(std::move(other.m_plan)), m_record_path(std::exchange(other.m_record_path, {})),
      m_alias(std::move(other.m_alias)) {
}

Tap::~Tap() {
  if (m_record_path.empty()) {
    return;
  }
  try {
    remove_device(m_plan.tap, m_alias);
    ::unlink(m_record_path.c_str());
  } catch (const Error& error) {
    log::debug("cannot remove {} now, its record stays: {}", m_plan.tap, error.what());
  }
}

TapManager::TapManager(NetworkConfig config) : m_config(std::move(config)) {
  std::ignore = capacity_of(m_config.pool);
}

Tap TapManager::make() const {
  require_forwarding();
  os::make_directories(m_config.record_dir);
  const os::ExclusiveLock lock(m_config.record_dir + "/lock", "making a network device", k_lock_limit);
  for (unsigned number = 0; number < capacity_of(m_config.pool); ++number) {
    if (auto tap = try_make(number)) {
      return std::move(*tap);
    }
  }
  throw Error(ErrorCode::unavailable, "every address of {} is in use", m_config.pool)
      .with_hint("stop workspaces that have a network");
}

std::optional<Tap> TapManager::try_make(unsigned number) const {
  const auto plan = plan_addresses(m_config.pool, number);
  const auto path = m_config.record_dir + "/" + plan.tap + std::string(k_suffix);
  if (os::exists(path) || os::find_network_link(plan.tap)) {
    return std::nullopt;
  }
  const auto alias = "pyro " + os::random_hex(8);
  write_record(path, plan, alias);
  os::crash_point("tap.recorded");
  Tap tap(plan, path, alias); // from here on it cleans up
  if (!os::make_tap(plan.tap, {m_config.uid, m_config.gid}, alias)) {
    return std::nullopt;
  }
  os::crash_point("tap.made");
  os::disable_ipv6(plan.tap);
  run_nft(nat_rules(plan)); // before it is up
  os::crash_point("tap.ruled");
  os::add_link_address(plan.tap, plan.host_address, plan.prefix);
  os::bring_up_link(plan.tap);
  os::set_ipv4_forwarding(plan.tap, true);
  return tap;
}

std::vector<std::string> TapManager::remove_abandoned() const {
  if (!os::is_directory(m_config.record_dir)) {
    return {};
  }
  const os::ExclusiveLock lock(m_config.record_dir + "/lock", "removing network devices", k_lock_limit);
  std::vector<std::string> removed;
  for (const auto& name : os::list_directory(m_config.record_dir)) {
    if (!name.ends_with(k_suffix)) {
      continue;
    }
    const auto path = m_config.record_dir + "/" + name;
    const auto record = parse_json(os::read_file(path, 64 << 10), path);
    const auto owner = owner_of(record);
    if (os::is_alive(owner)) {
      continue;
    }
    // The kernel took it when the machine was started anew.
    if (owner.boot_id == os::boot_id()) {
      remove_device(get_string(record, "tap"), get_string(record, "alias"));
    }
    ::unlink(path.c_str());
    removed.push_back(get_string(record, "tap"));
  }
  return removed;
}

} // namespace pyro::backend::firecracker

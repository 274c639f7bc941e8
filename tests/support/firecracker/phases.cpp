// Firecracker's rules of what may be called when (src/vmm/src/rpc_interface.rs of its version 1.17), for
// every call of its description.
#include "machine_model.hpp"

namespace pyro::testing::firecracker {

std::optional<Phase> phase_of(const std::string& operation_id) {
  static const std::map<std::string, Phase> phases{
      {"describeInstance", Phase::always},
      {"createSyncAction", Phase::always}, // each action has its own rule
      {"describeBalloonConfig", Phase::always},
      {"putBalloon", Phase::before_start},
      {"patchBalloon", Phase::after_start},
      {"describeBalloonStats", Phase::after_start},
      {"patchBalloonStatsInterval", Phase::after_start},
      {"startBalloonHinting", Phase::after_start},
      {"describeBalloonHinting", Phase::after_start},
      {"stopBalloonHinting", Phase::after_start},
      {"putGuestBootSource", Phase::before_start},
      {"putCpuConfiguration", Phase::before_start},
      {"putGuestDriveByID", Phase::before_start},
      {"patchGuestDriveByID", Phase::after_start},
      {"putGuestPmemByID", Phase::before_start},
      {"patchGuestPmemByID", Phase::after_start},
      {"putLogger", Phase::before_start},
      {"getMachineConfiguration", Phase::always},
      {"putMachineConfiguration", Phase::before_start},
      {"patchMachineConfiguration", Phase::before_start},
      {"putMetrics", Phase::before_start},
      {"putMmds", Phase::always},
      {"patchMmds", Phase::always},
      {"getMmds", Phase::always},
      {"putMmdsConfig", Phase::before_start},
      {"putEntropyDevice", Phase::before_start},
      {"putSerialDevice", Phase::before_start},
      {"putMemoryHotplug", Phase::before_start},
      {"patchMemoryHotplug", Phase::after_start},
      {"getMemoryHotplug", Phase::after_start},
      {"putGuestNetworkInterfaceByID", Phase::before_start},
      {"patchGuestNetworkInterfaceByID", Phase::after_start},
      {"createSnapshot", Phase::after_start},
      {"loadSnapshot", Phase::before_start},
      {"getFirecrackerVersion", Phase::always},
      {"patchVm", Phase::after_start},
      {"getExportVmConfig", Phase::always},
      {"putGuestVsock", Phase::before_start},
  };
  const auto found = phases.find(operation_id);
  return found == phases.end() ? std::nullopt : std::optional(found->second);
}

} // namespace pyro::testing::firecracker

// What every use of the workspaces is given: where their state lies, what isolates them, who is told and
// asked.
#pragma once

#include "event.hpp"

#include <pyro/base/json_access.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pyro::backend {
class Backend;
}

namespace pyro::workspace {

/// Who agrees to what a pyro.yaml wants of this machine, beside the agreements that are recorded.
enum class TrustGrant {
  recorded, // only those, and `agree` of the settings
  once,     // this call: whatever it wants, and nothing is remembered (PYRO_TRUST)
  remember, // the same, and it is recorded (--trust)
};

/// How much the text of a plan says.
enum class PlanText {
  changes, // what would be done
  all,     // also what stays as it is (--verbose)
};

struct Settings {
  std::string base;         // state directory (PYRO_HOME); empty: the default
  std::string cache;        // environment cache; empty: the default
  std::string agent_path;   // the program pyro-agent
  std::string gateway_path; // the program pyro-gateway
  std::vector<std::shared_ptr<const backend::Backend>> backends; // strongest isolation last; wired by app/
  std::chrono::milliseconds lock_timeout{60'000};
  /// Sandboxes that may run at once, those created and not started yet included (PYRO_MAX_ACTIVE).
  int max_active = 0; // 0: PYRO_MAX_ACTIVE, else 256
  /// This machine is a node where nobody looks for ports: they are carried to where the workspace is used.
  bool ports_elsewhere = false;
  /// Polled during waits and between actions; true: leave a clean checkpoint and throw Error(interrupted).
  std::function<bool()> interrupted = {};
  /// By which the journal of events knows the operations of this run of a front; empty: each has its own.
  std::string op_id = {};
  TrustGrant trust = TrustGrant::recorded;
  PlanText plan_text = PlanText::changes;
  /// Asked once where something is wanted that nobody agreed to: {"checkout", "file", "profile", "digest",
  /// "requests", "added", "removed"}. A yes is recorded. A no, or nobody to ask: Error(approval_needed).
  std::function<bool(const Json& wanted)> agree = {};
};

} // namespace pyro::workspace

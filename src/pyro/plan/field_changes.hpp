// Which fields differ between two normal forms, and what each means for a workspace: the table of spec-v1
// A.4. Fields that enter recipes are not listed here: they act through the chain of links (recipe.hpp).
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>
#include <vector>

namespace pyro::plan {

enum class FieldEffect {
  none,        // used by later commands or the next start only
  update,      // in place
  reboot,      // needs a cold start (device topology)
  live_resize, // update if the backend can, else reboot
  egress,      // from one list to another: update if the backend can; else reboot
  disk,        // grow: update; shrink: replace
  backend,     // replace, unless what runs now is fine
  replace,
  image_text, // the digest decides, through the chain
};

struct FieldChange {
  std::string service; // whose field it is; empty: of no service
  std::string address; // of the action: "services.api.readiness", "labels", "environment.resources.cpus"
  std::string field;   // what exactly: "readiness.port"
  FieldEffect effect = FieldEffect::none;
  std::string before; // for people
  std::string after;
};

/// One entry per action address, in order of address. Services and steps that came or went are left out.
std::vector<FieldChange> field_changes(const Json& before, const Json& after);

} // namespace pyro::plan

// `pyro lock`: pyro.lock for a file, looked up now.
#pragma once

#include <pyro/workspace/context/requests.hpp>

namespace pyro::workspace {

struct Context;

enum class LockWhat {
  missing, // what the lock has not yet
  all,     // also what it has: tags may stand for others by now
};

/// {"file", "changed", "images": [{"image", "digest", "before"}], "unlocked": [{"address", "why"}]}: those of
/// this file, with the profile that was chosen. Others stay in the lock as long as a profile may name them.
/// Of a registry nothing but the name's manifest is fetched; a Debian is built where it is not here, and anew
/// with LockWhat::all.
Json lock_project(Context& context, const Project& project, LockWhat what);

} // namespace pyro::workspace

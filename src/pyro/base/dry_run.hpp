// Whether a call does what it says, or only says it.
#pragma once

namespace pyro {

/// yes: only what would be done is said, and nothing is changed. What would be refused is refused.
enum class DryRun { no, yes };

} // namespace pyro

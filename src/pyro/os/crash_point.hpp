// Named places at which a test may kill this process (PYRO_CRASH_AT=<name>[:n], the n-th time). Nothing in
// release builds.
#pragma once

namespace pyro::os {

#ifdef PYRO_CRASH_POINTS
/// SIGKILLs the process when the environment asks for this point; with PYRO_CRASH_LOG=FILE appends its name
/// there.
void crash_point(const char* name);
#else
inline void crash_point(const char*) {
}
#endif

} // namespace pyro::os

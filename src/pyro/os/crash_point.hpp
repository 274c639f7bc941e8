// Named places at which a test may kill this process. Nothing in release builds.
//   PYRO_CRASH_AT=NAME[:n]  SIGKILL the n-th time (default 1) that NAME is passed; NAME `*` is any place
//   PYRO_CRASH_LOG=FILE     every place that is passed is a line there; then n counts the lines of that file,
//                           so over all processes of a command, its supervisor and its workers included
#pragma once

namespace pyro::os {

#ifdef PYRO_CRASH_POINTS
void crash_point(const char* name);
#else
inline void crash_point(const char*) {
}
#endif

} // namespace pyro::os

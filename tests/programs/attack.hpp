// Verdicts of attack programs: one line "NAME: blocked|SUCCEEDED|missing detail=…" per attack on standard
// output. blocked: refused for one of the expected reasons. missing: it failed for another reason, so nothing
// was proven.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <string>

namespace attack {

inline int g_succeeded = 0;

inline void blocked(const std::string& name, const std::string& detail) {
  std::printf("%s: blocked detail=%s\n", name.c_str(), detail.c_str());
  std::fflush(stdout);
}

inline void succeeded(const std::string& name, const std::string& detail) {
  ++g_succeeded;
  std::printf("%s: SUCCEEDED detail=%s\n", name.c_str(), detail.c_str());
  std::fflush(stdout);
}

inline void missing(const std::string& name, const std::string& detail) {
  std::printf("%s: missing detail=%s\n", name.c_str(), detail.c_str());
  std::fflush(stdout);
}

inline std::string error_name(int code) {
  const char* name = strerrorname_np(code);
  return name != nullptr ? name : std::to_string(code);
}

/// `result` is what a system call returned, with errno of right now.
template <typename Result>
void refused(const std::string& name, Result result, std::initializer_list<int> expected) {
  const int code = errno;
  if (result >= Result{0}) {
    succeeded(name, "returned " + std::to_string(static_cast<long>(result)));
    return;
  }
  for (const int one : expected) {
    if (code == one) {
      blocked(name, error_name(code));
      return;
    }
  }
  missing(name, error_name(code));
}

/// For checks that are a yes or no: `held` means the defence stood.
inline void holds(const std::string& name, bool held, const std::string& detail) {
  held ? blocked(name, detail) : succeeded(name, detail);
}

/// 0 whatever was found: the verdicts are the result.
inline int done() {
  std::printf("done: %d succeeded\n", g_succeeded);
  return 0;
}

} // namespace attack

// Many threads at once. PYRO_TEST_STRESS names the program of another build, for example of one with the
// thread sanitizer: it and its library are looked at, the launcher is that of this build.
#include "../support/sampling.hpp"
#include "library.hpp"

#include <cstdlib>

namespace pyro::testing {
namespace {

class CApiThreads : public CApi {};

TEST_F(CApiThreads, ThirtyTwoOnEightWorkspaces) {
  const char* other = std::getenv("PYRO_TEST_STRESS");
  const auto program = other != nullptr ? fs::path(other) : binary_dir() / "tests/capi/stress/capi_stress";
  const std::string seconds = all_cases() ? "60" : "5";
  const auto done = command(
      {program.string(), (bin / "pyro-launcher").string(), state().string(),
       "dir:" + (project() / "image").string(), "32", "8", seconds},
      {.env = {{"TSAN_OPTIONS", "halt_on_error=0 exitcode=66"}}});
  EXPECT_EQ(done.status, 0) << done;
  EXPECT_FALSE(contains(done.err, "ThreadSanitizer")) << done;
  RecordProperty("counts", done.out);
  EXPECT_TRUE(contains(done.out, "workspace_exec: interrupted")) << done;
}

} // namespace
} // namespace pyro::testing

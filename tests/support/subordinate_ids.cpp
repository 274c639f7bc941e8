#include "subordinate_ids.hpp"

#include <pyro/os/process.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

namespace pyro::testing {

std::vector<std::string> with_subordinate_ids(std::vector<std::string> argv) {
  if (::geteuid() != 0) {
    argv.insert(argv.begin(), {"unshare", "--user", "--map-root-user", "--map-auto"});
  }
  return argv;
}

void remove_with_subordinate_ids(const std::string& tree) {
  const auto removed = os::run({.argv = with_subordinate_ids({"rm", "-rf", tree})});
  EXPECT_TRUE(removed.outcome.ok()) << removed.err;
}

} // namespace pyro::testing

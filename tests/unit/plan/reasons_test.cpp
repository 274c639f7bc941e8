// Reason codes are a closed list, and docs/plans.md has it.
#include "../../support/files.hpp"
#include "golden_case.hpp"

#include <gtest/gtest.h>

namespace pyro::plan {

TEST(Reasons, EachIsInTheDocumentation) {
  const auto page = testing::read_text_file(pyro::testing::source_dir().string() + "/docs/plans.md");
  int known = 0;
  for (int number = 0;; ++number, ++known) {
    const auto name = name_of(static_cast<ReasonCode>(number));
    if (name == "?") {
      break;
    }
    EXPECT_NE(page.find("`" + std::string(name) + "`"), std::string::npos) << name;
  }
  EXPECT_GT(known, static_cast<int>(ReasonCode::snapshot_outdated));
}

} // namespace pyro::plan

// `retention` says what `pyro prune` leaves of cached steps that no workspace needs.
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class Retention : public Functional {
protected:
  /// Three versions of one step, applied one after the other.
  void apply_three(const std::string& retention) {
    for (const auto* what : {"1", "2", "3"}) {
      spec(retention + "prepare:\n  - {id: step, run: echo " + what + " > made}\n");
      expect(0, {"apply", "--yes"});
    }
  }

  std::size_t recipes_of_the_step_that_would_go() {
    std::size_t count = 0;
    const auto report = json({"prune", "--dry-run"});
    for (const auto& item : report.at("removed")) {
      if (item.at("kind") == "recipe" && item.at("reason") == "newer ones are kept for the same step") {
        ++count;
      }
    }
    return count;
  }
};

TEST_F(Retention, KeepsAsManyOfAStepAsTheFileSays) {
  apply_three("retention: {keep: 1, min_age: 1ms}\n");
  EXPECT_EQ(recipes_of_the_step_that_would_go(), 2U);
}

TEST_F(Retention, KeepsWhatIsYoung) {
  apply_three("retention: {keep: 1, min_age: 1h}\n");
  EXPECT_EQ(recipes_of_the_step_that_would_go(), 0U);
}

} // namespace
} // namespace pyro::testing

// A wall clock that jumps, for commands and for supervisors as long as they live (PYRO_CLOCK_OFFSET of test
// builds). Agents are not shifted; waiting goes by the monotonic clock everywhere.
#include "scenarios.hpp"

namespace pyro::testing {
namespace {

constexpr const char* k_ten_years = "315360000";
constexpr const char* k_ten_years_ago = "-315360000";

class Clock : public World {
protected:
  static RunOptions at(const std::string& offset) { return {.env = {{"PYRO_CLOCK_OFFSET", offset}}}; }

  /// Everything that a clock decides about, at another time.
  void use(const std::string& offset) {
    expect(0, {"ls"}, at(offset));
    expect(0, {"workspace", "list"}, at(offset));
    expect(0, {"workspace", "status", "w"}, at(offset));
    expect(0, {"workspace", "snapshot", "list", "w"}, at(offset));
    expect(0, {"workspace", "diff", "w"}, at(offset));
    expect(0, {"workspace", "exec", "w", "--", "true"}, at(offset));
    expect(0, {"prune"}, at(offset));
    expect(0, {"env", "prune"}, at(offset));
  }
};

TEST_F(Clock, JumpsThereAndBackAndNothingIsLost) {
  make_workspace();
  expect(0, {"workspace", "snapshot", "create", "w", "point"});
  const auto before = observe();
  for (const auto* offset : {k_ten_years_ago, k_ten_years, k_ten_years_ago}) {
    SCOPED_TRACE(offset);
    use(offset);
    EXPECT_EQ(observe(), before);
    expect_sound();
  }
  clear();
}

TEST_F(Clock, WorkThatIsDoneAtAnotherTimeHoldsAfterwards) {
  for (const auto* offset : {k_ten_years_ago, k_ten_years}) {
    SCOPED_TRACE(offset);
    expect(
        0, {"workspace", "create", environment_name(), "--seed-path", seed().string(), "--name", "w"},
        at(offset));
    expect(0, {"workspace", "exec", "w", "--", "sh", "-c", "echo kept > kept"}, at(offset));
    expect(0, {"workspace", "snapshot", "create", "w", "point"}, at(offset));
    expect(0, {"workspace", "reset", "w"}, at(offset));
    expect(0, {"workspace", "reset", "w", "--snapshot", "point"}, at(offset));
    expect(0, {"workspace", "stop", "w"}, at(offset));
    expect(0, {"workspace", "start", "w"}, at(offset));
    expect(0, {"prune"}, at(offset));
    EXPECT_EQ(pyro({"workspace", "exec", "w", "--", "cat", "kept"}, at(offset)).out, "kept\n");
    expect_sound();
    clear();
  }
}

TEST_F(Clock, OnlyWhatIsOverIsReaped) {
  make_workspace(); // for a day
  expect(0, {"workspace", "create", environment_name(), "--name", "short", "--ttl-seconds", "600"});
  std::ignore = json({"workspace", "reap"}, at(k_ten_years_ago));
  EXPECT_EQ(observe().size(), 2U);
  std::ignore = json({"workspace", "reap"}, at("3600"));
  const auto left = observe();
  EXPECT_EQ(left.size(), 1U);
  EXPECT_TRUE(left.contains("w"));
  expect_sound();
  clear();
}

} // namespace
} // namespace pyro::testing

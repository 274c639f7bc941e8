// --timeout of apply, reset and destroy is for all of it, whatever they wait for; what was begun is left so
// that the next command goes on.
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class TimeLimit : public Functional {
protected:
  void expect_over(const Result& result, const std::string& what) {
    EXPECT_EQ(result.status, 124) << result;
    EXPECT_NE(result.err.find(what), std::string::npos) << result;
    EXPECT_NE(result.err.find("with more time"), std::string::npos) << result;
  }
};

TEST_F(TimeLimit, OfApplyEndsAStep) {
  spec("prepare:\n  - {id: slow, run: \"test -e /workspace/quick || sleep 1000\"}\n");
  expect_over(pyro({"apply", "--timeout", "1s"}), "apply did not end within 1s");
  write_file(project() / "quick", "");
  expect(0, {"apply", "--timeout", "10m"});
}

TEST_F(TimeLimit, WhereverItIsFoundToBeOver) {
  constexpr int k_looks = 16; // the last ones are in the step
  for (int look = 1; look <= k_looks; ++look) {
    SCOPED_TRACE(look);
    spec("prepare:\n  - {id: slow, run: \"sleep 1000\"}\n");
    write_file(project() / "changed.txt", std::to_string(look));
    RunOptions options;
    options.env["PYRO_LIMIT_AT_LOOK"] = std::to_string(look);
    options.timeout = std::chrono::seconds(100);
    expect_over(pyro({"apply", "--timeout", "1h"}, options), "apply did not end within 1h");
  }
}

TEST_F(TimeLimit, OfApplyEndsTheWaitForAService) {
  spec("services:\n  never:\n    command: exec sleep 1000\n    readiness: {exec: [\"false\"], deadline: "
       "10m}\n");
  expect_over(pyro({"apply", "--timeout", "2s"}), "apply did not end within 2s");
  spec();
  expect(0, {"apply", "--yes"});
}

TEST_F(TimeLimit, OfWhoeverWaitsForAnother) {
  spec();
  expect(0, {"apply"});
  spec("prepare:\n  - {id: slow, run: \"touch /workspace/begun; sleep 1000\"}\n");
  auto busy = start({"apply", "--yes"});
  ASSERT_TRUE(eventually(
      [&] { return fs::file_size(state() / "workspaces" / *workspace_ids().begin() / "lock") > 0; }));
  expect_over(pyro({"reset", "--yes", "--timeout", "200ms"}), "reset did not end within 200ms");
  expect_over(pyro({"destroy", "--yes", "--timeout", "200ms"}), "destroy did not end within 200ms");
  busy.signal(SIGINT);
  EXPECT_FALSE(busy.wait().ok());
  expect(0, {"destroy", "--yes"});
}

TEST_F(TimeLimit, IsADuration) {
  spec();
  const auto result = pyro({"apply", "--timeout", "soon"});
  EXPECT_EQ(result.status, 64) << result;
  EXPECT_NE(result.err.find("soon"), std::string::npos) << result;
}

} // namespace
} // namespace pyro::testing

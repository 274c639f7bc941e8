// What a change of a service does to a workspace that somebody works in.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <fmt/format.h>

namespace pyro::testing {
namespace {

class Services : public Functional {
protected:
  void declare(const std::string& greeting) {
    spec(fmt::format(
        R"(
services:
  web:
    command: "echo {} > /var/tmp/greeting; exec sleep 1000"
    readiness: {{file: /var/tmp/greeting}}
snapshots: {{ready: {{at: ready}}}}
reset: {{to: ready}}
)",
        greeting));
  }
};

TEST_F(Services, AChangedOneIsRestartedAndEditsAreKept) {
  declare("hello");
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo mine > notes.txt; cat /var/tmp/greeting").out, "hello\n");

  declare("goodbye");
  const auto plan = expect(0, {"plan"});
  EXPECT_EQ(plan.out.find("reset"), std::string::npos) << plan;
  expect(0, {"apply"}); // asks for nothing, since nothing would be lost
  EXPECT_EQ(inside("cat notes.txt /var/tmp/greeting").out, "mine\ngoodbye\n");
  const auto again = expect(0, {"apply"});
  EXPECT_NE(again.all().find("othing to do"), std::string::npos) << again;

  // The new ready point was made from the recipe, not from a workspace that somebody had edited.
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("ls notes.txt 2>/dev/null; cat /var/tmp/greeting").out, "goodbye\n");
  EXPECT_NE(expect(0, {"apply"}).all().find("othing to do"), std::string::npos);
}

TEST_F(Services, ADestroyedWorkspaceComesBackWithItsFiles) {
  declare("hello");
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo mine > notes.txt").status, 0);
  expect(0, {"destroy", "--yes"});
  EXPECT_NE(pyro({"exec", "--", "true"}).status, 0);
  expect(0, {"undo"});
  EXPECT_EQ(inside("cat notes.txt").out, "mine\n");
}

} // namespace
} // namespace pyro::testing

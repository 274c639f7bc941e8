// How long an undo point is kept (reset.undo), and what comes back with it.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {
namespace {

class Undo : public Functional {
protected:
  void with_undo(const std::string& duration, const std::string& on_change = "reset") {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: host}\nseed: {from: ., on_change: " + on_change
            + "}\nreset: {undo: " + duration + "}\n");
  }

  Json undo_point() { return json({"status"}).at("undo"); }

  /// Seconds from its making to its end.
  double kept_for() {
    const auto point = undo_point();
    return point.is_null() ? 0 : get_double(point, "expires_at") - get_double(point, "made_at");
  }

  std::size_t generations() {
    const fs::directory_iterator all(state() / "workspaces" / *workspace_ids().begin() / "gen");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
};

TEST_F(Undo, IsKeptForAsLongAsTheFileSays) {
  with_undo("6h");
  expect(0, {"apply"});
  expect(0, {"reset", "--yes"});
  EXPECT_DOUBLE_EQ(kept_for(), 6 * 3600);
  expect(0, {"undo"});
  EXPECT_DOUBLE_EQ(kept_for(), 6 * 3600) << "undoing the undo";

  with_undo("2h");
  expect(0, {"reset", "--yes"});
  EXPECT_DOUBLE_EQ(kept_for(), 2 * 3600) << "what the file says at the reset";

  with_undo("3h");
  write_file(project() / "new.txt", "new\n");
  const auto applied = expect(0, {"apply", "--yes"});
  EXPECT_TRUE(contains(applied.all(), "reset")) << applied;
  EXPECT_DOUBLE_EQ(kept_for(), 3 * 3600) << "made by an apply";
}

TEST_F(Undo, IsRefusedAndRemovedWhenItsTimeIsOver) {
  with_undo("1s");
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo mine > note.txt").status, 0);
  expect(0, {"reset", "--yes"});
  EXPECT_TRUE(eventually([&] { return undo_point().is_null(); }));
  const auto refused = pyro({"undo"});
  EXPECT_NE(refused.status, 0);
  EXPECT_TRUE(contains(refused.all(), "nothing to undo")) << refused;
  EXPECT_TRUE(contains(refused.all(), "reset.undo")) << refused;
  EXPECT_TRUE(eventually([&] { return generations() == 1; })) << "what it would have brought back stays";
  EXPECT_NE(inside("cat note.txt").status, 0);
}

TEST_F(Undo, IsNotMadeWhereTheFileKeepsNone) {
  with_undo("0s");
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo mine > note.txt").status, 0);
  write_file(project() / "new.txt", "new\n");
  const auto plan = pyro({"plan"});
  EXPECT_TRUE(contains(plan.all(), "There will be no undo")) << plan;
  expect(0, {"apply", "--yes"});
  EXPECT_TRUE(undo_point().is_null());
  EXPECT_TRUE(eventually([&] { return generations() == 1; }));
  expect(0, {"reset", "--yes"});
  EXPECT_TRUE(undo_point().is_null());
  EXPECT_NE(pyro({"undo"}).status, 0);
}

TEST_F(Undo, IsNotMadeByADestroyWhereTheFileKeepsNone) {
  with_undo("6h");
  expect(0, {"apply"});
  expect(0, {"snapshot", "save", "mine"});
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("echo mine > note.txt").status, 0);
  with_undo("0s");
  const auto refused = expect(7, {"destroy"});
  EXPECT_TRUE(contains(refused.err, "note.txt") && contains(refused.err, "There will be no undo")) << refused;
  EXPECT_EQ(inside("cat note.txt").out, "mine\n") << "nothing was done";
  const auto gone = json({"destroy", "--yes"});
  EXPECT_EQ(gone["undo"], false) << gone;
  EXPECT_EQ(gone["snapshots_kept"], true) << gone;
  EXPECT_TRUE(eventually([&] { return generations() == 0; })) << "its content stays";
  EXPECT_TRUE(contains(pyro({"undo"}).all(), "nothing to undo"));
  with_undo("6h");
  expect(0, {"apply"});
  EXPECT_TRUE(undo_point().is_null()) << "there is nothing that it could bring back";
  EXPECT_NE(inside("cat note.txt").status, 0);
  expect(0, {"reset", "--yes", "--to", "mine"});
}

TEST_F(Undo, OfADestroyBringsBackWhatTheContentWasMadeFromToo) {
  with_undo("6h", "sync");
  write_file(project() / "a.txt", "one\n");
  expect(0, {"apply"});
  write_file(project() / "a.txt", "two\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo mine > note.txt").status, 0);
  const auto before = json({"diff"}).at("entries");
  EXPECT_EQ(before.size(), 1U) << before;
  expect(0, {"destroy"});
  EXPECT_DOUBLE_EQ(kept_for(), 6 * 3600);
  expect(0, {"undo"});
  EXPECT_EQ(json({"diff"}).at("entries"), before) << "the sync counts as a change";
  const auto again = expect(0, {"apply"});
  EXPECT_TRUE(contains(again.all(), "othing to do")) << again;
  EXPECT_EQ(inside("cat a.txt note.txt").out, "two\nmine\n");
}

} // namespace
} // namespace pyro::testing

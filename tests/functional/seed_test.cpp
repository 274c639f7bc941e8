// The seed: what is copied, and how little when little changed.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <fmt/format.h>

namespace pyro::testing {
namespace {

class Seed : public Functional {
protected:
  std::size_t layer_count() {
    const auto record =
        Json::parse(read_file(state() / "workspaces" / *workspace_ids().begin() / "workspace.json"));
    return record["layers"].size();
  }
};

TEST_F(Seed, FewChangedFilesBecomeASmallLayerOnTop) {
  for (int number = 0; number < 100; ++number) {
    write_file(project() / "tree" / fmt::format("{}.txt", number), fmt::format("{}\n", number));
  }
  spec();
  expect(0, {"apply"});
  const auto whole = layer_count();
  write_file(project() / "tree" / "7.txt", "seven\n");
  write_file(project() / "tree" / "new.txt", "new\n");
  fs::remove(project() / "tree" / "8.txt");
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(layer_count(), whole + 1);
  EXPECT_EQ(
      inside("cat tree/7.txt tree/new.txt; ls tree/8.txt 2>/dev/null; ls tree | wc -l").out,
      "seven\nnew\n100\n");

  // A workspace made anew from the same files has the same content in one layer.
  expect(0, {"destroy", "--yes", "--snapshots"});
  expect(0, {"apply", "--no-cache"});
  EXPECT_EQ(inside("cat tree/7.txt tree/new.txt; ls tree | wc -l").out, "seven\nnew\n100\n");
}

TEST_F(Seed, AChangeOfTheFileItselfIsNoNewSeed) {
  spec("labels: {a: one}\n");
  expect(0, {"apply"});
  const auto pid = json({"status"}).value("sandbox_pid", 0);
  spec("labels: {a: two}\n");
  const auto changed = json({"apply"});
  EXPECT_EQ(json({"status"}).value("sandbox_pid", 0), pid) << changed;
}

TEST_F(Seed, WhyNamesTheInputThatDiffers) {
  write_file(project() / "list.txt", "one\n");
  write_file(project() / "pyro.yaml", R"(version: 1
name: test
environment:
  image: host
  setup:
    - {id: read, inputs: [list.txt], run: cp list.txt /etc/list.txt, egress: none}
seed: {from: .}
)");
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat /etc/list.txt").out, "one\n");
  write_file(project() / "list.txt", "two\n");
  const auto why = expect(0, {"why", "environment.setup.read"});
  EXPECT_NE(why.out.find("list.txt"), std::string::npos) << why;
  EXPECT_NE(why.out.find("pyro.yaml:"), std::string::npos) << why;
}

TEST_F(Seed, UndoOfAnApplyIsSeenByThePlan) {
  write_file(project() / "list.txt", "one\n");
  spec();
  expect(0, {"apply"});
  write_file(project() / "list.txt", "two\n");
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat list.txt").out, "two\n");
  expect(0, {"undo"});
  EXPECT_EQ(inside("cat list.txt").out, "one\n");
  EXPECT_NE(expect(0, {"plan"}).out.find("reset"), std::string::npos)
      << "what is there is not what the file says";
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat list.txt").out, "two\n");
}

} // namespace
} // namespace pyro::testing

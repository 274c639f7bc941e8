// The seed: what is copied, and how little when little changed.
#include "../support/busybox.hpp"
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

/// Which files there are is chosen in a directory; an archive is taken as it is.
TEST_F(Seed, OfAnArchiveChoosesNoFiles) {
  make_busybox_root(root() / "image");
  write_file(project() / "seeded.txt", "seeded\n");
  EXPECT_EQ(command({"tar", "-cf", "a.tar", "seeded.txt"}).status, 0);
  const auto from_archive = [&](const std::string& choice) {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nenvironment: {image: 'dir:../image'}\nseed: {from: a.tar" + choice + "}\n");
  };
  const RunOptions trusting{.env = {{"PYRO_TRUST", "1"}}};
  for (const auto* choice : {", git: tracked", ", exclude: ['*.txt']"}) {
    from_archive(choice);
    for (const auto* command : {"plan", "apply"}) {
      const auto refused = expect(65, {command}, trusting);
      EXPECT_TRUE(contains(refused.err, "an archive is taken as it is")) << refused;
      EXPECT_TRUE(contains(refused.err, "pyro.yaml:3:")) << refused;
    }
  }
  from_archive("");
  expect(0, {"apply"}, trusting);
  EXPECT_EQ(inside("ls").out, "seeded.txt\n");
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

// seed.on_change: keep. What a workspace was made of stays what it is made of, whatever the seed has become:
// in its content, its snapshots and what is taken of it later.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class Keep : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(root() / "image");
    write_file(project() / "seed/page", "old\n");
  }

  void file(const std::string& more, const std::string& on_change = "keep", const std::string& run = "") {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nenvironment: {image: 'dir:../image'}\nseed: {from: seed, on_change: " + on_change
            + "}\nprepare: [{id: build, run: 'cp page built" + run + "'}]\n" + more);
  }

  std::string content() { return inside("cat page built").out; }

  std::string content_of(const std::string& snapshot) {
    expect(0, {"reset", "--yes", "--to", snapshot}, m_trusting);
    return content();
  }

  const RunOptions m_trusting{.env = {{"PYRO_TRUST", "1"}}};
  static constexpr const char* k_note = "the seed changed; on_change: keep";
};

TEST_F(Keep, NothingIsMadeOfTheNewFilesAndANoteSaysSo) {
  file("snapshots: {clean: {at: prepare}}\n");
  expect(0, {"apply"}, m_trusting);
  write_file(project() / "seed/page", "new\n");
  for (int time = 0; time < 2; ++time) { // the first does not use the note up
    const auto plan = expect(0, {"plan", "--detailed-exitcode"}, m_trusting);
    EXPECT_TRUE(contains(plan.out, k_note) && contains(plan.out, "No changes.")) << plan;
    EXPECT_TRUE(contains(expect(0, {"why", "seed"}, m_trusting).out, k_note));
    const auto applied = expect(0, {"apply"}, m_trusting);
    EXPECT_TRUE(contains(applied.err, k_note)) << applied;
    EXPECT_EQ(content(), "old\nold\n");
    EXPECT_EQ(content_of("clean"), "old\nold\n");
  }
  file("snapshots: {clean: {at: prepare}, later: {at: prepare}, seed: {at: seed}}\n");
  EXPECT_TRUE(contains(expect(0, {"apply"}, m_trusting).all(), k_note));
  EXPECT_EQ(content_of("later"), "old\nold\n");
  expect(0, {"reset", "--yes", "--to", "seed"}, m_trusting);
  EXPECT_EQ(inside("cat page; ls").out, "old\npage\n");
}

TEST_F(Keep, APointWithServicesIsOfTheOldFilesToo) {
  const std::string service = "services: {web: {command: 'cat page > seen; exec sleep 1000', readiness: "
                              "{file: seen}}}\nsnapshots: {";
  file(service + "one: {at: ready}}\n");
  expect(0, {"apply"}, m_trusting);
  write_file(project() / "seed/page", "new\n");
  file(service + "one: {at: ready}, two: {at: ready}}\n");
  expect(0, {"apply", "--yes"}, m_trusting);
  replace_in_file(project() / "pyro.yaml", "sleep 1000", "sleep 1001"); // the ready point is another one
  expect(0, {"apply", "--yes"}, m_trusting);
  for (const auto* name : {"one", "two"}) {
    EXPECT_EQ(content_of(name), "old\nold\n");
    EXPECT_EQ(inside("cat seen").out, "old\n");
  }
}

TEST_F(Keep, WhatIsMadeAnewIsMadeOfTheNewFiles) {
  file("snapshots: {clean: {at: prepare}}\n");
  expect(0, {"apply"}, m_trusting);
  write_file(project() / "seed/page", "new\n");
  expect(0, {"apply", "--yes", "--no-cache"}, m_trusting);
  EXPECT_EQ(content(), "new\nnew\n");
  EXPECT_EQ(content_of("clean"), "new\nnew\n");
  write_file(project() / "seed/page", "newer\n");
  file("snapshots: {clean: {at: prepare}}\n", "keep", "; true");
  expect(0, {"apply", "--yes"}, m_trusting);
  EXPECT_EQ(content(), "newer\nnewer\n") << "another step is other content";
  write_file(project() / "seed/page", "newest\n");
  expect(0, {"apply"}, m_trusting);
  EXPECT_EQ(content(), "newer\nnewer\n");
  file("snapshots: {clean: {at: prepare}}\n", "reset", "; true");
  expect(0, {"apply", "--yes"}, m_trusting);
  EXPECT_EQ(content_of("clean"), "newest\nnewest\n");
}

} // namespace
} // namespace pyro::testing

// What others see while a workspace is made for the first time.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class FirstApply : public Functional {};

TEST_F(FirstApply, IsNoDamage) {
  make_busybox_root(root() / "image");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:../image'}\nseed: {from: .}\n"
      "prepare: [{id: long, run: 'echo begun; exec sleep 1000'}]\n");
  const RunOptions trusting{.env = {{"PYRO_TRUST", "1"}}};
  auto apply = start({"apply"}, trusting);
  ASSERT_TRUE(eventually([&] { return contains(pyro({"status"}, trusting).out, "busy"); }));
  const auto status = expect(0, {"status"}, trusting);
  EXPECT_FALSE(contains(status.out, "damaged")) << status;
  EXPECT_TRUE(contains(status.out, "being applied for the first time")) << status;
  const auto document = json({"status"}, trusting);
  EXPECT_TRUE(document["snapshots"].empty() && !document.contains("snapshots_error")) << document;
  const auto snapshots = pyro({"snapshot", "ls"}, trusting);
  EXPECT_NE(snapshots.status, 0) << snapshots;
  EXPECT_TRUE(contains(snapshots.err, "has none yet: its first apply is not over")) << snapshots;
  EXPECT_FALSE(contains(snapshots.err, "damaged")) << snapshots;
}

} // namespace
} // namespace pyro::testing

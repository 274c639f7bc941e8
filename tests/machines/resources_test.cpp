// What a virtual machine takes: inside, and as a process of this machine.
#include "machines.hpp"

namespace pyro::testing {
namespace {

class Resources : public Machines {};

TEST_F(Resources, AreTheGuestsAndThoseOfItsProcessHere) {
  expect(0, {"apply", "--yes"});
  const auto status = json({"status"});
  const auto& inside = status.at("resources");
  EXPECT_EQ(inside.at("memory").at("counted_by"), "machine");
  EXPECT_GT(inside.at("memory").at("bytes"), 0);
  EXPECT_LE(inside.at("memory").at("limit_bytes"), 256 << 20);
  EXPECT_GT(inside.at("memory").at("limit_bytes"), 128 << 20);
  EXPECT_TRUE(inside.at("memory").at("peak_bytes").is_null());
  EXPECT_EQ(inside.at("cpu").at("counted_by"), "machine");
  EXPECT_EQ(inside.at("pids").at("counted_by"), "processes");
  EXPECT_GE(inside.at("pids").at("count"), 2);
  EXPECT_LE(inside.at("pids").at("count"), 10) << "without the kernel's own";
  EXPECT_GT(inside.at("disk").at("limit_bytes"), 512 << 20);
  EXPECT_LT(inside.at("disk").at("used_bytes"), inside.at("disk").at("limit_bytes"));
  const auto& keeper = status.at("services").at(0);
  EXPECT_GE(keeper.at("pids").at("count"), 1);
  EXPECT_GT(keeper.at("memory").at("bytes"), 0);
  const auto& vmm = inside.at("vmm");
  EXPECT_GT(vmm.at("memory").at("bytes"), 0);
  EXPECT_GE(vmm.at("memory").at("peak_bytes"), vmm.at("memory").at("bytes"));
  EXPECT_GT(vmm.at("cpu").at("seconds"), 0.0);
  EXPECT_GE(vmm.at("pids").at("count"), 1);

  Json usage;
  EXPECT_TRUE(eventually([&] {
    auto work = start({"exec", "--", "sh", "-c", "while :; do :; done"});
    usage = json({"top", "--once", "--interval", "500ms"}).at("workspaces").at(0);
    work.signal(SIGTERM);
    std::ignore = work.wait();
    return usage.at("cpu").at("percent") > 1.0 && usage.at("vmm").at("cpu").at("percent") > 1.0;
  })) << usage.dump(2);
  const auto text = expect(0, {"top", "--once"}).out;
  EXPECT_TRUE(contains(text, "(qemu on this machine)")) << text;
}

} // namespace
} // namespace pyro::testing

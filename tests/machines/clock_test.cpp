// docs/pains.md, 15: what comes back from memory has the time of now.
#include "machines.hpp"

#include <ctime>
#include <thread>

namespace pyro::testing {
namespace {

using PainsWithMachines = Machines;

TEST_F(PainsWithMachines, P15AfterARestoreTheClockIsOld) {
  write_file(
      project() / "pyro.yaml", read_file((project() / "pyro.yaml").string())
                                   + "snapshots: {ready: {at: ready, memory: true}}\nreset: {to: ready}\n");
  const auto expect_now = [&](const std::string& when) {
    const auto before = std::time(nullptr);
    const auto seen = std::stol("0" + inside("date +%s").out);
    EXPECT_GE(seen, before - 1) << when;
    EXPECT_LE(seen, std::time(nullptr) + 1) << when;
  };
  expect(0, {"apply", "--yes"});
  expect_now("after its boot");
  std::this_thread::sleep_for(std::chrono::seconds(4)); // older than the tolerance by then
  expect(0, {"reset", "--yes"});
  expect_now("after coming back from memory");
  expect(0, {"stop"});
  expect(0, {"start"});
  expect_now("after a cold start");
}

} // namespace
} // namespace pyro::testing

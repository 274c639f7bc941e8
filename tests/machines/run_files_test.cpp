// What packages and images expect in /run is there in a virtual machine too.
#include "machines.hpp"

namespace pyro::testing {
namespace {

TEST_F(Machines, RunHasWhatPackagesAndImagesExpect) {
  write_file(root() / "busybox/usr/lib/tmpfiles.d/app.conf", "d /run/app 2775 nobody nogroup - -\n");
  fs::create_directories(root() / "busybox/run/imaged");
  fs::permissions(root() / "busybox/run/imaged", fs::perms(01770));
  expect(0, {"apply"});
  const Arguments look{"exec", "--", "stat", "-c", "%a %U", "/run/app", "/run/imaged", "/run/secrets"};
  const std::string wanted = "2775 nobody\n1770 root\n711 root\n";
  EXPECT_EQ(expect(0, look).out, wanted);
  expect(0, {"reset"});
  EXPECT_EQ(expect(0, look).out, wanted) << "in a clone as well";
}

} // namespace
} // namespace pyro::testing

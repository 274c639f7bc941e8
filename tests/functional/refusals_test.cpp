// What the file may say and this version or this machine cannot do is refused by `pyro plan`, with the line
// and a way out; nothing is read and then left undone.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <sys/utsname.h>

namespace pyro::testing {
namespace {

struct Refusal {
  std::string name;
  std::string body; // after `seed`, or with the environment where it says so
  int status = 0;
  std::string message;
  std::string hint;
};

std::string other_platform() {
  utsname name{};
  ::uname(&name);
  return std::string(std::data(name.machine)) == "aarch64" ? "linux/amd64" : "linux/arm64";
}

std::vector<Refusal> refusals() {
  return {
      {"platform", "", 10, "programs for " + other_platform() + " do not run", "leave `platform` out"},
      {"mounts", "backend: qemu\nmounts: [{from: ., to: /live}]\n", 10, "cannot show live directories",
       "`backend: namespaces`"},
      {"egress", "backend: firecracker\nnetwork: {egress: [example.org]}\n", 10, "cannot limit egress",
       "write `none` or `all`"},
      {"https", "services:\n  a: {command: x, readiness: {http: {port: 1, scheme: https}}}\n", 65,
       "services.a.readiness.http.scheme: 'https' is none of: http", "exec"},
  };
}

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.name;
}

class Refused : public Functional, public ::testing::WithParamInterface<Refusal> {};

TEST_P(Refused, ByThePlan) {
  const auto& refusal = GetParam();
  spec(refusal.body);
  if (refusal.name == "platform") {
    replace_in_file(
        project() / "pyro.yaml", "image: host,", "image: host, platform: " + other_platform() + ",");
  }
  const auto result = pyro({"plan"});
  EXPECT_EQ(result.status, refusal.status) << result;
  EXPECT_NE(result.err.find("pyro.yaml:"), std::string::npos) << result;
  EXPECT_NE(result.err.find(refusal.message), std::string::npos) << result;
  EXPECT_NE(result.err.find(refusal.hint), std::string::npos) << result;
}

INSTANTIATE_TEST_SUITE_P(Each, Refused, ::testing::ValuesIn(refusals()), [](const auto& each) {
  return each.param.name;
});

struct Lacking {
  std::string name;
  std::string variable; // of what is looked for
  std::string body;     // the whole file
  std::string message;
  std::string place;
};

std::vector<Lacking> lacking() {
  const std::string head = "version: 1\nname: test\n";
  const std::string small = "environment: {image: 'dir:../image'}\nseed: {from: .}\n";
  return {
      {"firecracker", "PYRO_FIRECRACKER", head + "backend: firecracker\n" + small,
       "guest boot is unavailable: backend 'firecracker': firecracker is not installed", "pyro.yaml:3:"},
      {"qemu", "PATH", head + "isolation: vm\n" + small,
       "guest boot is unavailable: backend 'qemu': qemu-system-x86_64 is not installed", "pyro.yaml:3:"},
      {"mmdebstrap", "PATH", head + "environment: {image: 'debian:12'}\nseed: {from: .}\n",
       "building a Debian environment needs the program ", "pyro.yaml:3:"},
      {"skopeo", "PATH", head + "environment: {image: 'alpine:3'}\nseed: {from: .}\n",
       " needs the program skopeo", "pyro.yaml:3:"},
      {"pasta", "PATH",
       head + "environment:\n  image: 'dir:../image'\n  setup: [{run: 'true'}]\nseed: {from: .}\n",
       "needs the program 'pasta', which is not installed", "pyro.yaml:5:"}};
}

void PrintTo(const Lacking& lacking, std::ostream* out) {
  *out << lacking.name;
}

/// What a machine lacks is found when planning, before anything is fetched or built.
class WithoutAProgram : public Functional, public ::testing::WithParamInterface<Lacking> {};

TEST_P(WithoutAProgram, IsFoundByThePlan) {
  const auto& lacking = GetParam();
  make_busybox_root(root() / "image");
  write_file(project() / "pyro.yaml", lacking.body);
  const RunOptions without{
      .env = {
          {lacking.variable, (root() / "nothing").string()},
          {"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()},
          {"PYRO_TRUST", "1"}}};
  for (const auto* command : {"plan", "apply"}) {
    const auto result = pyro({command}, without);
    EXPECT_EQ(result.status, 10) << result;
    EXPECT_TRUE(contains(result.err, lacking.message)) << result;
    EXPECT_TRUE(contains(result.err, lacking.place) && contains(result.err, "hint: ")) << result;
    EXPECT_FALSE(contains(result.err, "environment: building")) << result;
  }
  EXPECT_TRUE(workspace_ids().empty());
}

INSTANTIATE_TEST_SUITE_P(Each, WithoutAProgram, ::testing::ValuesIn(lacking()), [](const auto& each) {
  return each.param.name;
});

} // namespace
} // namespace pyro::testing

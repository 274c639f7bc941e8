// What the file may say and this version or this machine cannot do is refused by `pyro plan`, with the line
// and a way out; nothing is read and then left undone.
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
      {"mounts", "mounts: [{from: ., to: /live}]\n", 10, "live host directories", "use `seed`"},
      {"egress", "network: {egress: [example.org]}\n", 10, "cannot limit egress", "write `none` or `all`"},
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

} // namespace
} // namespace pyro::testing

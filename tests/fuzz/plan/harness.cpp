// Any bytes as a policy, as a file of variables and as ADDRESS=VALUE of --set: never a crash, never another
// exception than one that names the place.
#include "../support/require.hpp"

#include <pyro/base/error.hpp>
#include <pyro/plan/policy.hpp>
#include <pyro/spec/parse.hpp>
#include <pyro/spec/variable_file.hpp>

namespace {

template <typename Read>
void read_or_say_where(const Read& read) {
  try {
    read();
  } catch (const pyro::Error& error) {
    require(error.code() == pyro::ErrorCode::invalid_file, "what is wrong is the file");
    require(error.position().has_value(), "it says where");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pyro;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_or_say_where([&] {
    plan::Plan plan;
    plan.actions.emplace_back();
    plan.actions.back().address = "services.api.ports";
    plan.actions.back().kind = plan::ActionKind::restart;
    const auto policy = plan::read_policy(text, "policy.yaml");
    require(plan::denials_of(policy, plan).size() <= policy.rules.size(), "a rule denies an action once");
  });
  read_or_say_where([&] { spec::read_variable_file(text, "vars.yaml"); });

  spec::ParseOptions options;
  const auto equals = text.find('=');
  options.sets.emplace_back(
      std::string(text.substr(0, equals)),
      equals == std::string_view::npos ? "" : std::string(text.substr(equals + 1)));
  const auto parsed = spec::parse_spec(
      "version: 1\nenvironment: {image: host, setup: [{id: os, run: a}]}\nseed: {from: .}\n"
      "services: {api: {command: a, ports: [80]}}\n",
      options);
  require(parsed.ok() || !parsed.diagnostics.empty(), "what is refused is told");
  return 0;
}

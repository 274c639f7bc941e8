// Two files, one below the other: what was applied, a line "%%%", and what is wanted now. Whatever parses is
// planned: never a crash, nothing to do where both are the same, and a plan that can be shown and carried out
// in its order.
#include "../../unit/plan/golden_case.hpp"
#include "../support/require.hpp"

#include <pyro/plan/render.hpp>
#include <pyro/spec/parse.hpp>

#include <algorithm>
#include <set>

namespace {

using namespace pyro;
using namespace pyro::plan;

std::optional<spec::Spec> parsed(std::string_view text) {
  spec::ParseOptions options;
  options.directory = "case";
  options.host_env = [](const std::string& name) {
    return std::optional<std::string>(name);
  };
  return spec::parse_spec(text, options).spec;
}

/// Everything that a step or the seed takes has a digest of its own; `salt` makes others.
InputDigests digests_of(const spec::Spec& spec, const std::string& salt) {
  InputDigests digests;
  digests.checkout = "/home/dev/case";
  digests.environment = sha256_of("environment" + salt);
  digests.seed_tree = sha256_of("seed" + salt);
  for (const auto* steps : {&spec.environment.setup, &spec.prepare}) {
    for (const auto& step : *steps) {
      const std::string address = (steps == &spec.prepare ? "prepare." : "environment.setup.") + step.id;
      for (const auto& input : step.inputs) {
        digests.step_inputs[address].emplace_back(input, sha256_of(input + salt));
      }
    }
  }
  return digests;
}

bool is_nothing(const Plan& plan) {
  return std::ranges::none_of(plan.actions, [](const Action& action) { return is_change(action.kind); });
}

void require_order(const Plan& plan) {
  std::set<std::string> addresses;
  for (const auto& action : plan.actions) {
    require(!action.address.empty(), "an action has an address");
    for (const auto& first : action.after) {
      require(addresses.contains(first), "what has to be done first comes first");
    }
    addresses.insert(action.address);
  }
}

void require_shown(const Plan& plan, const spec::Spec& spec) {
  PlanHeader header;
  header.name = spec.name;
  header.backend = "namespaces";
  require(!plan_text(plan, header, Color::off).empty(), "a plan can be read");
  const auto document = plan_json(plan, header);
  require(same_actions(document, plan), "a plan is what its document says");
  require(!plan_id_of(document).empty(), "a document has a name");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  constexpr std::string_view k_line = "\n%%%\n";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto at = text.find(k_line);
  const auto before = parsed(text.substr(0, at));
  const auto wanted = at == std::string_view::npos ? before : parsed(text.substr(at + k_line.size()));
  if (!before || !wanted) {
    return 0;
  }
  const auto applied_chain = build_chain(*before, digests_of(*before, ""));
  const auto observed = plan::testing::steady_state(*before, applied_chain);
  require(
      is_nothing(make_plan(*before, applied_chain, observed)), "what is there as it is wanted needs nothing");
  for (const auto* salt : {"", "changed"}) {
    const auto chain = build_chain(*wanted, digests_of(*wanted, salt));
    for (const auto& seen : {observed, Observed{}}) {
      const auto plan = make_plan(*wanted, chain, seen);
      require_order(plan);
      require_shown(plan, *wanted);
    }
  }
  return 0;
}

// Every folder of specs/plan is a test. PYRO_TEST_ACCEPT=1 writes what came out and marks the test as
// skipped.
#include "golden_case.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace pyro::plan::testing {

namespace {

class Golden : public ::testing::TestWithParam<std::string> {};

bool accept(const std::string& path, const std::string& text) {
  if (!std::getenv("PYRO_TEST_ACCEPT")) {
    return false;
  }
  std::ofstream(path, std::ios::binary) << text;
  return true;
}

/// Each action comes after those it names, and those exist.
void check_order(const Plan& plan) {
  std::set<std::string> done;
  for (const auto& action : plan.actions) {
    for (const auto& address : action.after) {
      EXPECT_TRUE(done.contains(address)) << action.address << " must come after " << address;
    }
    EXPECT_TRUE(done.insert(action.address).second) << action.address << " is planned twice";
  }
}

} // namespace

TEST_P(Golden, ThePlanIsTheExpectedOne) {
  const auto golden = load_case(GetParam());
  const auto plan = make_plan(golden.wanted, golden.chain, golden.observed);
  check_order(plan);
  const auto text = plan_text(plan, header_of(golden), Color::off, Detail::all);
  const auto json = dump_json(plan_json(plan, header_of(golden)));
  EXPECT_TRUE(
      same_actions(parse_json(json, "plan"), make_plan(golden.wanted, golden.chain, golden.observed)));

  const auto folder = case_folder(GetParam());
  const bool wrote_text = accept(folder + "/expected.txt", text);
  if (accept(folder + "/expected.json", json) && wrote_text) {
    GTEST_SKIP() << "rewritten: " << folder;
  }
  EXPECT_EQ(read_text_file(folder + "/expected.txt"), text);
  EXPECT_EQ(read_text_file(folder + "/expected.json"), json);
  if (GetParam().starts_with("same-")) {
    EXPECT_TRUE(plan.empty()) << "a refactoring of the file must plan as no changes";
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, ::testing::ValuesIn(case_names()), [](const auto& info) {
  auto name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

/// Once a plan is carried out there is nothing left to do.
TEST_P(Golden, AppliedPlansConverge) {
  auto golden = load_case(GetParam());
  const auto plan = make_plan(golden.wanted, golden.chain, golden.observed);
  auto& after = golden.observed;
  after.exists = true;
  after.state = WorkspaceState::started;
  after.backend = golden.wanted.backend == "auto"
                      ? (golden.wanted.isolation == spec::Isolation::vm ? "qemu" : "namespaces")
                      : golden.wanted.backend;
  after.applied_spec = spec::normal_form(golden.wanted);
  after.applied_links = plan.chain;
  after.base_key = content_key(plan.chain);
  after.build_all = false; // that was of the one apply
  after.asked_for.clear(); // so was that
  after.is_drift_known = true;
  after.drift.clear();
  after.changed_secrets.clear();
  after.missing_secrets.clear();
  after.service_states.clear();
  after.snapshots.clear();
  for (const auto& link : plan.chain) {
    after.cached_keys.insert(link.key);
  }
  for (const auto& [name, service] : golden.wanted.services) {
    after.service_states[name] = service.oneshot ? "completed" : "ready";
    after.service_digests[name] = service_digest(plan.chain, name);
  }
  for (const auto& [name, snapshot] : golden.wanted.snapshots) {
    after.snapshots[name] = key_of_point(plan.chain, snapshot.at);
  }
  const auto again = make_plan(golden.wanted, golden.chain, after);
  EXPECT_TRUE(again.empty()) << plan_text(again, header_of(golden), Color::off);
}

/// seed.on_change: keep. Whatever else is to be done, other files of the seed do not add to it.
TEST_P(Golden, AKeptSeedAddsNothingToThePlan) {
  auto golden = load_case(GetParam());
  golden.wanted.seed.on_change = spec::OnChange::keep;
  const auto before = make_plan(golden.wanted, golden.chain, golden.observed);
  const bool is_made_anew =
      std::any_of(before.actions.begin(), before.actions.end(), [](const Action& action) {
        const bool is_content = action.subject == Subject::link || action.subject == Subject::workspace;
        return is_content && is_change(action.kind) && action.kind != ActionKind::start
               && action.kind != ActionKind::reboot;
      });
  if (!golden.observed.exists || golden.observed.applied_links.empty() || is_made_anew) {
    return; // what is made anew is made of the files that there are
  }
  auto chain = golden.chain;
  for (auto& input : chain.at(*index_of_point(chain, "seed")).inputs) {
    input.digest = input.name == "seed tree" ? sha256_of("other files") : input.digest;
  }
  rekey(chain);
  const auto plan = make_plan(golden.wanted, chain, golden.observed);
  const auto said = [&](const Plan& of) {
    std::string text;
    for (const auto& action : of.actions) {
      text += is_change(action.kind) ? action.address + " " + std::string(name_of(action.kind)) + "\n" : "";
    }
    return text;
  };
  EXPECT_EQ(said(plan), said(before)) << plan_text(plan, header_of(golden), Color::off);
  EXPECT_EQ(plan.find("seed")->reason.code, ReasonCode::seed_kept);
}

} // namespace pyro::plan::testing

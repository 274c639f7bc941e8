#include "../../support/files.hpp"
#include "golden_case.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/plan/policy.hpp>

#include <gtest/gtest.h>

namespace pyro::plan {
namespace {

Action action_of(std::string address, ActionKind kind, ReasonCode code) {
  Action action;
  action.address = std::move(address);
  action.kind = kind;
  action.reason.code = code;
  return action;
}

/// "rule address" of each denial, with commas.
std::string denied(const std::string& policy, const std::vector<Action>& actions) {
  Plan plan;
  plan.actions = actions;
  std::string text;
  for (const auto& denial : denials_of(read_policy(policy, "ci.yaml"), plan)) {
    text += (text.empty() ? "" : ", ") + denial.rule + " " + denial.address;
  }
  return text;
}

std::string problem(const std::string& policy) {
  try {
    read_policy(policy, "ci.yaml");
    return "";
  } catch (const Error& error) {
    return to_string(error.position().value()) + " " + error.message();
  }
}

TEST(Policy, ARuleFitsWhereAllThatItNamesFits) {
  const std::vector<Action> actions{
      action_of("services.api", ActionKind::restart, ReasonCode::field_changed),
      action_of("services.db", ActionKind::noop, ReasonCode::unchanged),
      action_of("workspace", ActionKind::reset, ReasonCode::drift_policy)};
  EXPECT_EQ(denied("{version: 1, deny: [{name: a, addresses: ['services.*']}]}", actions), "a services.api");
  EXPECT_EQ(
      denied("{version: 1, deny: [{name: a, addresses: ['**']}]}", actions), "a services.api, a workspace");
  EXPECT_EQ(denied("{version: 1, deny: [{name: a, reasons: [drift_policy]}]}", actions), "a workspace");
  EXPECT_EQ(denied("{version: 1, deny: [{name: a, actions: [noop]}]}", actions), "a services.db");
  EXPECT_EQ(
      denied("{version: 1, deny: [{name: a, actions: [restart], reasons: [drift_policy]}]}", actions), "");
  EXPECT_EQ(denied("{version: 1, deny: [{name: a, actions: [reset], discards: true}]}", actions), "");
  EXPECT_EQ(denied("{version: 1}", actions), "");
}

TEST(Policy, StarsStopAtDots) {
  EXPECT_TRUE(fits_address("services.*", "services.api"));
  EXPECT_FALSE(fits_address("services.*", "services.api.ports"));
  EXPECT_TRUE(fits_address("services.**", "services.api.ports"));
  EXPECT_TRUE(fits_address("*.api.*", "services.api.ports"));
  EXPECT_FALSE(fits_address("", "workspace"));
  EXPECT_TRUE(fits_address("**s*", "services.api.s"));
  const std::string many(1000, 'a');
  EXPECT_FALSE(fits_address("*a*a*a*a*a*a*a*a*a*a*b", many));
}

TEST(Policy, MistakesAreToldWithTheirPlace) {
  EXPECT_EQ(problem("deny: []\n"), "ci.yaml:1:1 version: 'version' is missing");
  EXPECT_EQ(problem("version: 2\n"), "ci.yaml:1:10 version: this pyro reads version 1 of policies");
  EXPECT_EQ(
      problem("version: 1\ndeny:\n  - {name: a, action: [reset]}\n"),
      "ci.yaml:3:15 deny[0]: unknown key 'action'");
  EXPECT_EQ(
      problem("version: 1\ndeny:\n  - {name: a, actions: [rset]}\n"),
      "ci.yaml:3:25 deny[0].actions: 'rset' is no action");
  EXPECT_EQ(
      problem("version: 1\ndeny:\n  - {name: a}\n"),
      "ci.yaml:3:5 deny[0]: a rule that names nothing would deny everything");
  EXPECT_EQ(
      problem("version: 1\ndeny:\n  - {actions: [reset]}\n"), "ci.yaml:3:5 deny[0]: a rule needs a name");
  EXPECT_NE(problem(""), "");
  EXPECT_NE(problem("[1, 2]"), "");
  EXPECT_NE(problem("version: 1\ndeny: {a: b}\n"), "");
}

TEST(Policy, TheSchemaKnowsEveryNameAndNoOther) {
  const auto schema = parse_json(
      testing::read_text_file(pyro::testing::source_dir().string() + "/schemas/pyro-policy-1.schema.json"),
      "schema");
  const auto& rule = schema["properties"]["deny"]["items"]["properties"];
  Json actions = Json::array();
  for (int number = 0; name_of(static_cast<ActionKind>(number)) != "?"; ++number) {
    actions.push_back(name_of(static_cast<ActionKind>(number)));
  }
  EXPECT_EQ(rule["actions"]["items"]["enum"], actions);
  Json reasons = Json::array();
  for (int number = 0; name_of(static_cast<ReasonCode>(number)) != "?"; ++number) {
    reasons.push_back(name_of(static_cast<ReasonCode>(number)));
  }
  EXPECT_EQ(rule["reasons"]["items"]["enum"], reasons);
}

} // namespace
} // namespace pyro::plan

// Flags of plan and apply that say which part of a plan is wanted and how it is made; with what reset and
// destroy share of them.
#include "flags.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {
namespace {

constexpr const char* k_two = "services:\n"
                              "  one: {command: [sleep, '1000'], env: {WORD: first}}\n"
                              "  two: {command: [sleep, '1000'], env: {WORD: first}, depends_on: [base]}\n"
                              "  base: {command: [sleep, '1000']}\n";
constexpr const char* k_two_changed =
    "labels: {team: web}\n"
    "services:\n"
    "  one: {command: [sleep, '1000'], env: {WORD: second}}\n"
    "  two: {command: [sleep, '1000'], env: {WORD: second}, depends_on: [base]}\n"
    "  base: {command: [sleep, '1000'], env: {NEW: 'yes'}}\n"
    "  three: {command: [sleep, '1000']}\n";

/// Addresses of what a plan would change.
std::string changes(const Json& plan) {
  std::string text;
  for (const auto& action : plan["actions"]) {
    const auto kind = action["action"].get<std::string>();
    if (kind != "noop" && kind != "cached" && kind != "note") {
      text += (text.empty() ? "" : " ") + action["address"].get<std::string>();
    }
  }
  return text;
}

std::string planned(Flags& test, const Arguments& flags = {}) {
  Arguments words{"plan"};
  words.insert(words.end(), flags.begin(), flags.end());
  return changes(test.json(words)["plan"]);
}

void applies_only_the_target(Flags& test, const std::string& command) {
  test.file(k_two);
  test.expect(0, {command});
  test.file(k_two_changed);
  test.expect(0, {command, "--target", "services.two"});
  EXPECT_EQ(planned(test), "labels services.one services.three")
      << "what it needs came along, and the rest is still to be done";
  const auto status = test.json({"status"});
  EXPECT_EQ(status["labels"], Json::object());
  test.expect(0, {command});
  EXPECT_EQ(planned(test), "");
}

void leaves_out_what_is_excluded(Flags& test, const std::string& command) {
  test.file(k_two);
  test.expect(0, {command, "--exclude", "services.one"});
  EXPECT_EQ(joined(test.json({"status"})["services"], "name"), "base two");
  EXPECT_EQ(planned(test), "services.one");
  write_file(test.project() / "seed/first", "changed\n");
  test.file(k_two_changed);
  test.expect(0, {command, "--exclude", "seed"});
  EXPECT_EQ(test.inside("cat first").out, "first\n");
  EXPECT_TRUE(contains(planned(test), "workspace")) << planned(test);
  test.expect(0, {command});
  EXPECT_EQ(test.inside("cat first").out, "changed\n");
}

void makes_anew_what_is_asked_for(Flags& test, const std::string& command) {
  test.file("prepare:\n  - {id: step, run: cat /proc/sys/kernel/random/uuid > made}\n"
            "services:\n  one: {command: [sleep, '1000']}\n  two: {command: [sleep, '1000']}\n");
  test.expect(0, {command});
  const auto made = test.inside("cat made").out;
  const auto pid_of = [&](std::size_t index) {
    return test.json({"status"})["services"][index]["pid"];
  };
  const auto one = pid_of(0);
  const auto two = pid_of(1);
  test.expect(0, {command, "--replace", "services.one"});
  EXPECT_NE(pid_of(0), one);
  EXPECT_EQ(pid_of(1), two);
  EXPECT_EQ(test.inside("cat made").out, made);
  test.expect(0, {command, "--replace", "prepare.step"});
  EXPECT_NE(test.inside("cat made").out, made);
  EXPECT_EQ(planned(test), "");
  test.expect(64, {command, "--replace", "environment"});
}

void does_not_look_inside(Flags& test, const std::string& command) {
  test.file();
  test.expect(0, {command});
  ASSERT_EQ(test.inside("echo mine > mine").status, 0);
  write_file(test.project() / "seed/new", "new\n");
  const auto refused = test.expect(7, {command, "--refresh=false"});
  EXPECT_TRUE(contains(refused.all(), "Not looked at: what was changed inside")) << refused;
  EXPECT_EQ(test.inside("cat mine").out, "mine\n") << "what nobody looked for is not thrown away unasked";
  test.expect(0, {command, "--refresh=false", "--yes"});
  EXPECT_EQ(test.inside("cat new").out, "new\n");
}

void keeps_no_memory(Flags& test, const std::string& command) {
  test.file("backend: namespaces\nservices:\n  one: {command: [sleep, '1000']}\n"
            "snapshots: {up: {at: ready, memory: true}}\n");
  const auto refused = test.expect(10, {command});
  EXPECT_TRUE(contains(refused.err, "cannot keep memory")) << refused;
  test.expect(0, {command, "--no-memory"});
}

void holds_to_the_policy(Flags& test, const std::string& command) {
  write_file(
      test.project() / "ci.yaml",
      "version: 1\ndeny:\n  - name: no-lost-edits\n    actions: [reset]\n    discards: true\n"
      "    message: Ask who made them.\n");
  test.file();
  test.expect(0, {command, "--policy", "ci.yaml"});
  write_file(test.project() / "seed/new", "new\n");
  test.expect(0, {command, "--policy", "ci.yaml"});
  ASSERT_EQ(test.inside("echo mine > mine").status, 0);
  write_file(test.project() / "seed/new", "newer\n");
  const auto refused = test.expect(77, {command, "--yes", "--policy", "ci.yaml"});
  EXPECT_TRUE(contains(refused.err, "no-lost-edits")) << refused;
  EXPECT_TRUE(contains(refused.err, "ci.yaml:3:5")) << refused;
  EXPECT_EQ(test.inside("cat mine").out, "mine\n");
}

void asks_less_where_it_is_allowed(Flags& test, const std::string& command) {
  test.file();
  test.expect(0, {command});
  ASSERT_EQ(test.inside("echo mine > mine").status, 0);
  write_file(test.project() / "seed/new", "new\n");
  test.expect(7, {command, "--allow", "replace"});
  test.expect(64, {command, "--allow", "restart"});
  test.expect(0, {command, "--allow", "replace,reset"});
  EXPECT_EQ(test.inside("cat new").out, "new\n");
}

void says_what_it_would_do(Flags& test, const std::string& command) {
  test.file();
  const auto said = test.expect(0, {command, "--dry-run"});
  EXPECT_TRUE(contains(said.out, "create")) << said;
  EXPECT_TRUE(test.workspace_ids().empty());
  test.expect(2, {command, "--dry-run", "--detailed-exitcode"});
  EXPECT_EQ(test.json({command, "--dry-run"})["dry_run"], true);
  EXPECT_TRUE(test.workspace_ids().empty());
}

/// Each notes when it begins and when it is ready: with one at a time they never overlap.
void starts_so_many_at_once(Flags& test, const std::string& command) {
  std::string body = "services:\n";
  for (const auto* name : {"a", "b", "c"}) {
    const std::string mark = std::string("/tmp/") + name;
    body += std::string("  ") + name
            + ": {command: 'echo begin >> /tmp/order; sleep 0.2; echo ready >> /tmp/order; touch " + mark
            + "; sleep 1000', readiness: {file: " + mark + "}}\n";
  }
  test.file(body);
  test.expect(0, {command, "--parallel", "1"});
  EXPECT_EQ(test.inside("cat /tmp/order").out, "begin\nready\nbegin\nready\nbegin\nready\n");
  test.expect(0, {"destroy", "--yes"});
  test.expect(0, {command});
  EXPECT_EQ(test.inside("head -3 /tmp/order").out, "begin\nbegin\nbegin\n");
  test.expect(64, {command, "--parallel", "0"});
}

TEST_F(Flags, plan__target) {
  file(k_two);
  expect(0, {"apply"});
  file(k_two_changed);
  EXPECT_EQ(planned(*this, {"--target", "services.two"}), "services.base services.two");
  const auto text = expect(0, {"plan", "--target", "services.two"}).out;
  EXPECT_TRUE(contains(text, "Left out: ")) << text;
  EXPECT_TRUE(contains(text, "services.three (start)")) << text;
  EXPECT_EQ(planned(*this, {"--target", "services.one", "--target", "labels"}), "labels services.one");
  const auto refused = expect(64, {"plan", "--target", "services.tow"});
  EXPECT_TRUE(contains(refused.err, "did you mean 'services.two'?")) << refused;
}

TEST_F(Flags, plan__exclude) {
  file(k_two);
  EXPECT_FALSE(contains(planned(*this, {"--exclude", "services.base"}), "services.base"));
  EXPECT_FALSE(contains(planned(*this, {"--exclude", "services.base"}), "services.two"))
      << "it cannot be had without";
  expect(64, {"plan", "--exclude", "workspace"});
  expect(0, {"apply"});
  file(k_two_changed);
  EXPECT_EQ(
      planned(*this, {"--exclude", "services.three"}), "labels services.base services.one services.two");
}

TEST_F(Flags, plan__replace) {
  file(k_two);
  expect(0, {"apply"});
  EXPECT_EQ(planned(*this, {"--replace", "services.one"}), "services.one");
  EXPECT_TRUE(contains(expect(0, {"plan", "--replace", "workspace"}).out, "-/+ workspace"));
}

TEST_F(Flags, plan__refresh) {
  file();
  expect(0, {"apply"});
  ASSERT_EQ(inside("echo mine > mine").status, 0);
  EXPECT_TRUE(contains(expect(0, {"plan"}).out, "Changed inside"));
  const auto text = expect(0, {"plan", "--refresh=false"}).out;
  EXPECT_FALSE(contains(text, "Changed inside")) << text;
  EXPECT_TRUE(contains(text, "Not looked at")) << text;
  EXPECT_EQ(json({"plan", "--refresh=false"})["plan"]["drift_known"], false);
  file("drift: {policy: fail}\n");
  EXPECT_TRUE(contains(expect(0, {"plan", "--refresh=false"}).out, "nobody looked"));
}

TEST_F(Flags, plan__no_memory) {
  keeps_no_memory(*this, "plan");
}

TEST_F(Flags, plan__policy) {
  holds_to_the_policy(*this, "apply");
  const auto said = expect(77, {"plan", "--policy", "ci.yaml"});
  EXPECT_TRUE(contains(said.out, "denied by no-lost-edits: workspace (reset): Ask who made them.")) << said;
  const auto printed = expect(77, {"plan", "--policy", "ci.yaml", "--json"});
  const auto denied = Json::parse(printed.out)["plan"]["denied"];
  EXPECT_EQ(denied[0]["rule"], "no-lost-edits");
  EXPECT_EQ(denied[0]["line"], 3);
  write_file(project() / "wrong.yaml", "version: 1\ndeny:\n  - {name: a, reasons: [drift]}\n");
  const auto refused = expect(65, {"plan", "--policy", "wrong.yaml"});
  EXPECT_TRUE(contains(refused.err, "wrong.yaml:3:")) << refused;
  expect(66, {"plan", "--policy", "none.yaml"});
}

TEST_F(Flags, apply__target) {
  applies_only_the_target(*this, "apply");
}

TEST_F(Flags, up__target) {
  applies_only_the_target(*this, "up");
}

TEST_F(Flags, apply__exclude) {
  leaves_out_what_is_excluded(*this, "apply");
}

TEST_F(Flags, up__exclude) {
  leaves_out_what_is_excluded(*this, "up");
}

TEST_F(Flags, apply__replace) {
  makes_anew_what_is_asked_for(*this, "apply");
}

TEST_F(Flags, up__replace) {
  makes_anew_what_is_asked_for(*this, "up");
}

TEST_F(Flags, apply__refresh) {
  does_not_look_inside(*this, "apply");
}

TEST_F(Flags, up__refresh) {
  does_not_look_inside(*this, "up");
}

TEST_F(Flags, apply__no_memory) {
  keeps_no_memory(*this, "apply");
}

TEST_F(Flags, up__no_memory) {
  keeps_no_memory(*this, "up");
}

TEST_F(Flags, apply__policy) {
  holds_to_the_policy(*this, "apply");
}

TEST_F(Flags, up__policy) {
  holds_to_the_policy(*this, "up");
}

TEST_F(Flags, apply__allow) {
  asks_less_where_it_is_allowed(*this, "apply");
}

TEST_F(Flags, up__allow) {
  asks_less_where_it_is_allowed(*this, "up");
}

TEST_F(Flags, apply__dry_run) {
  says_what_it_would_do(*this, "apply");
}

TEST_F(Flags, up__dry_run) {
  says_what_it_would_do(*this, "up");
}

TEST_F(Flags, apply__parallel) {
  starts_so_many_at_once(*this, "apply");
}

TEST_F(Flags, up__parallel) {
  starts_so_many_at_once(*this, "up");
}

TEST_F(Flags, apply__if_equivalent) {
  file(k_two);
  expect(0, {"apply"});
  file("labels: {team: web}\n" + std::string(k_two));
  expect(0, {"plan", "--out", "kept.plan"});
  // Another generation, with the same left to do.
  file("labels: {team: other}\n" + std::string(k_two));
  expect(0, {"apply"});
  file(k_two);
  expect(0, {"apply"});
  file("labels: {team: web}\n" + std::string(k_two));
  expect(4, {"apply", "kept.plan"});
  expect(0, {"apply", "--if-equivalent", "kept.plan"});
  EXPECT_EQ(json({"status"})["labels"]["team"], "web");
  expect(4, {"apply", "--if-equivalent", "kept.plan"});
  expect(64, {"apply", "--if-equivalent"});
}

/// Without an undo point there is something to lose.
void loses_for_good(Flags& test) {
  test.file("reset: {undo: 0s}\n");
  test.expect(0, {"apply"});
  ASSERT_EQ(test.inside("echo mine > mine").status, 0);
}

TEST_F(Flags, reset__allow) {
  loses_for_good(*this);
  const auto refused = expect(7, {"reset", "--allow", "destroy"});
  EXPECT_TRUE(contains(refused.err, "A /workspace/mine")) << refused;
  expect(0, {"reset", "--allow", "reset"});
  EXPECT_NE(inside("cat mine").status, 0);
}

TEST_F(Flags, reset__dry_run) {
  loses_for_good(*this);
  const auto said = expect(0, {"reset", "--dry-run"});
  EXPECT_TRUE(contains(said.out, "A /workspace/mine")) << said;
  const auto plan = json({"reset", "--dry-run"})["plan"];
  EXPECT_EQ(plan["actions"][0]["action"], "reset");
  EXPECT_EQ(plan["actions"][0]["discards"][0]["path"], "/workspace/mine");
  EXPECT_EQ(plan["needs_approval"], true);
  EXPECT_EQ(inside("cat mine").out, "mine\n");
}

TEST_F(Flags, destroy__allow) {
  loses_for_good(*this);
  expect(7, {"destroy", "--allow", "reset"});
  expect(0, {"destroy", "--allow", "destroy"});
  expect(0, {"apply"});
  expect(7, {"destroy", "--snapshots"});
  expect(0, {"destroy", "--snapshots", "--allow", "destroy"});
}

TEST_F(Flags, destroy__dry_run) {
  loses_for_good(*this);
  const auto said = expect(0, {"destroy", "--dry-run"});
  EXPECT_TRUE(contains(said.out, "destroy")) << said;
  EXPECT_TRUE(contains(said.out, "A /workspace/mine")) << said;
  expect(0, {"snapshot", "save", "point"});
  const auto plan = json({"destroy", "--dry-run", "--snapshots"})["plan"];
  EXPECT_EQ(changes(plan), "workspace snapshots.point");
  EXPECT_EQ(state_of_workspace(), "started");
}

TEST_F(Flags, common__set) {
  file("services:\n  one: {command: [sleep, '1000'], ports: [8080]}\n");
  const auto config = json(
      {"config", "--set", "services.one.env.WORD=one", "--set", "services.one.ports=[]", "--set",
       "labels.team=web"});
  EXPECT_EQ(config["services"]["one"]["env"]["WORD"], "one");
  EXPECT_EQ(config["services"]["one"]["ports"], Json::array());
  EXPECT_EQ(config["labels"]["team"], "web");
  EXPECT_FALSE(json({"config", "--set", "services.one=null"})["services"].contains("one"));
  const auto wrong = expect(65, {"plan", "--set", "services.one.prots=[1]"});
  EXPECT_TRUE(contains(wrong.err, "--set services.one.prots")) << wrong;
  EXPECT_TRUE(contains(wrong.err, "did you mean 'ports'?")) << wrong;
  const auto type = expect(65, {"validate", "--set", "services.one.oneshot=yes"});
  EXPECT_TRUE(contains(type.all(), "--set services.one.oneshot")) << type;
  expect(64, {"plan", "--set", "labels"});
}

TEST_F(Flags, common__var_file) {
  file("vars: {word: {default: none}, other: {default: none}}\nlabels: {a: '${word}', b: '${other}'}\n");
  write_file(project() / "ci.vars", "word: no   # a text\nother: \"two\"\n");
  const auto labels = json({"config", "--var-file", "ci.vars", "--var", "other=three"})["labels"];
  EXPECT_EQ(labels, (Json{{"a", "no"}, {"b", "three"}}));
  write_file(project() / "wrong.vars", "word: one\nwrod: two\n");
  const auto wrong = expect(65, {"plan", "--var-file", "wrong.vars"});
  EXPECT_TRUE(contains(wrong.err, "wrong.vars:2:1")) << wrong;
  EXPECT_TRUE(contains(wrong.err, "did you mean 'word'?")) << wrong;
  expect(66, {"plan", "--var-file", "none.vars"});
}

} // namespace
} // namespace pyro::testing

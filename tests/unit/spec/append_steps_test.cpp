// Steps that are put into a file somebody wrote: what stood there stays, and what is added means what it
// should.
#include "support.hpp"

#include <pyro/spec/append_steps.hpp>
#include <pyro/spec/normal_form.hpp>

namespace pyro::spec::testing {
namespace {

constexpr auto k_run =
    "set -e\necho \"${HOME} $$ it's\" > /etc/x\ncat <<'E'\n\ttab\n\n  two # not a comment\nE\n";

std::vector<NewStep> steps() {
  return {{StepList::setup, "one", k_run}, {StepList::prepare, "two", k_run, "root"}};
}

/// The lines of `text` in their order, with others between them.
bool has_all_lines(const std::string& changed, const std::string& text) {
  std::istringstream all(changed);
  std::istringstream wanted(text);
  std::string line;
  for (std::string next; std::getline(wanted, next);) {
    do {
      if (!std::getline(all, line)) {
        return false;
      }
    } while (line != next);
  }
  return true;
}

void check(const std::string& text, bool keeps_lines = true) {
  const auto before = parse_spec(text);
  ASSERT_TRUE(before.ok()) << text;
  const auto changed = with_steps(text, steps());
  const auto after = parse_spec(changed);
  ASSERT_TRUE(after.ok()) << changed << to_string(after.diagnostics.front());
  ASSERT_FALSE(after.spec->environment.setup.empty()) << changed;
  ASSERT_FALSE(after.spec->prepare.empty()) << changed;
  EXPECT_EQ(after.spec->environment.setup.back().id, "one");
  EXPECT_EQ(after.spec->environment.setup.back().run, k_run) << changed;
  EXPECT_EQ(after.spec->prepare.back().run, k_run) << changed;
  EXPECT_EQ(after.spec->prepare.back().user, "root");
  auto less = *after.spec;
  less.environment.setup.pop_back();
  less.prepare.pop_back();
  EXPECT_EQ(normal_form(less), normal_form(*before.spec)) << changed;
  EXPECT_TRUE(!keeps_lines || has_all_lines(changed, text)) << changed;
}

TEST(AppendSteps, GoBehindThoseThatAreThere) {
  check(R"(# A file of ours
version: 1
environment:
  image: host   # the machine's
  setup:
    - id: a
      run: |
        echo a
        # of the script

    # about b
    - {id: b, run: echo b}
  # of the environment
  env: {A: b}
# of prepare
prepare:
- run: make

  # a trailing remark
services:
  s: {command: sleep 1}
)");
}

TEST(AppendSteps, MakeTheListWhereThereIsNone) {
  check("version: 1\nenvironment:\n  image: host\n  # last\n\n# the seed\nseed: {from: .}\n\n# "
        "end\nservices:\n  s: {command: x}\n");
  check("environment:\n    image: host\nversion: 1");
  check("seed:\n  from: .\n  exclude:\n    - a\nversion: 1\nenvironment:\n  image: host\n");
}

TEST(AppendSteps, GoIntoBracketsToo) {
  check("version: 1\nenvironment: {image: host} # brackets\nseed: {from: .}\n", false);
  check(
      "version: 1\nenvironment: {image: host, env: {A: \"}\", B: 'it''s ]'}, setup: []}\nprepare: [ ]\n",
      false);
  check(
      "version: 1\nenvironment:\n  image: host\n  setup: [{id: a, run: x}, # ]\n    {id: b, run: y},\n  "
      "]\nprepare: [{run: y}]\n",
      false);
  check("{version: 1, environment: {image: host}}\n", false);
}

TEST(AppendSteps, GoWhereASharedListIsWrittenOrNowhere) {
  for (const auto* text :
       {"version: 1\nx-e: &e {image: host}\nenvironment: *e\n",
        "version: 1\nx-s: &s\n  - run: a\nenvironment:\n  image: host\n  setup: *s\n"}) {
    std::string changed;
    try {
      changed = with_steps(text, {{StepList::setup, "one", "x"}});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::failed);
      continue;
    }
    const auto steps = parsed(changed).environment.setup;
    ASSERT_FALSE(steps.empty()) << changed;
    EXPECT_EQ(steps.back().id, "one") << changed;
  }
}

} // namespace
} // namespace pyro::spec::testing

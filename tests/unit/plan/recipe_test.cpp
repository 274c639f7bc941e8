#include "golden_case.hpp"

#include <gtest/gtest.h>

namespace pyro::plan::testing {

namespace {

spec::Spec parsed(const std::string& more) {
  return spec::parse_spec_or_throw("version: 1\n" + more);
}

const std::string k_base =
    "environment:\n  image: host\n  setup:\n    - {id: a, run: x}\n    - {id: b, run: y}\n"
    "prepare: [{run: z}]\n";

std::vector<std::string> keys_of(const std::vector<Link>& chain) {
  std::vector<std::string> keys;
  for (const auto& link : chain) {
    keys.push_back(link.key);
  }
  return keys;
}

std::vector<Link> chain_of(const std::string& text, const InputDigests& digests = {}) {
  return build_chain(parsed(text), digests);
}

} // namespace

TEST(Recipe, TheLinksInOrder) {
  std::vector<std::string> points;
  for (const auto& link : chain_of(k_base + "services: {s: {command: c}}\n")) {
    points.push_back(link.point);
  }
  EXPECT_EQ(points, (std::vector<std::string>{"image", "setup.a", "setup.b", "seed", "prepare.1", "ready"}));
}

/// Stored keys of this version must never change by accident: that would throw away everybody's layers.
TEST(Recipe, KeysAreStable) {
  InputDigests digests;
  digests.environment = sha256_of("image");
  digests.seed_tree = sha256_of("seed");
  const auto chain = chain_of(k_base + "services: {s: {command: c, env: {A: b}}}\n", digests);
  EXPECT_EQ(k_key_version, 2);
  EXPECT_EQ(chain.front().key, "f1eb13897d255f80ade885365a2efef20a09fa5e3a68ba180b603f060e36c729");
  EXPECT_EQ(chain.back().key, "a8414f77917ef3d0dcb2c242438ed193fddd793689b9439520f3c09aee4619c5");
}

TEST(Recipe, BehaviourIsNotContent) {
  const auto plain = keys_of(chain_of(k_base));
  for (const auto* change :
       {"{id: b, run: y, timeout: 1s}", "{id: b, run: y, retries: 2}", "{id: other, run: y}",
        "{run: y, egress: all, user: root}"}) {
    auto text = k_base;
    text.replace(text.find("{id: b, run: y}"), 15, change);
    EXPECT_EQ(keys_of(chain_of(text)), plain) << change;
  }
  auto with_env = k_base;
  with_env.insert(with_env.find("  setup:"), "  env: {A: b}\n");
  EXPECT_EQ(keys_of(chain_of(with_env)), plain) << "environment.env is for run time";
}

TEST(Recipe, ContentChangesItsKeyAndAllThatFollow) {
  const auto plain = keys_of(chain_of(k_base));
  for (const auto* change :
       {"{id: b, run: q}", "{id: b, run: y, user: u}", "{id: b, run: y, env: {A: b}}",
        "{id: b, run: y, egress: none}"}) {
    auto text = k_base;
    text.replace(text.find("{id: b, run: y}"), 15, change);
    const auto keys = keys_of(chain_of(text));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      EXPECT_EQ(keys[i] == plain[i], i < 2) << change << " at " << i;
    }
  }
}

/// Whatever a step is given is in its key: no two steps that differ in more than how they are run share a
/// layer.
TEST(Recipe, EveryFieldOfAStepIsInItsKey) {
  const auto key_of = [](const std::string& fields, const std::string& more, bool is_setup,
                         InputDigests digests) {
    const auto step = "{id: b, run: y" + fields + "}";
    const auto text = is_setup ? "environment: {image: host, setup: [" + step + "]}\n"
                               : "environment: {image: host}\nprepare: [" + step + "]\n";
    return chain_of(text + "secrets: {s: {env: S}, t: {env: T}}\n" + more, digests)[is_setup ? 1 : 2].key;
  };
  InputDigests here;
  here.checkout = "/here";
  auto there = here;
  there.checkout = "/there";
  for (const bool is_setup : {true, false}) {
    std::map<std::string, std::string> keys;
    const auto differs = [&](const std::string& fields, const std::string& more = {}) {
      const auto [other, is_new] = keys.emplace(key_of(fields, more, is_setup, here), fields + more);
      EXPECT_TRUE(is_new) << fields << more << " has the key of " << other->second;
    };
    differs("");
    for (const auto* fields :
         {", user: u", ", env: {A: b}", ", cache: [/c]", ", cache: [/d]", ", cache: [/c, /d]",
          ", cache: [{path: /c, share: machine}]", ", cache: [{path: /c, share: machine}, /d]",
          ", secrets: [s]", ", secrets: [t]", ", secrets: [s, t]", ", secrets: [s], cache: [/c]"}) {
      differs(fields);
    }
    if (is_setup) {
      differs(", egress: none");
    } else {
      differs("", "network: {egress: all}\n");
      differs("", "network: {egress: [a.example]}\n");
    }
    for (const auto* fields : {", timeout: 1s", ", retries: 3"}) {
      EXPECT_EQ(key_of(fields, "", is_setup, here), key_of("", "", is_setup, here)) << fields;
    }
    const auto order = key_of(", cache: [/c, /d]", "", is_setup, here);
    EXPECT_EQ(key_of(", cache: [/d, /c/]", "", is_setup, here), order) << "only the order and the spelling";
    EXPECT_EQ(key_of(", cache: [{path: /d}, /c]", "", is_setup, here), order);
    for (const auto* shared : {"", ", user: u", ", cache: [{path: /c, share: machine}]"}) {
      EXPECT_EQ(key_of(shared, "", is_setup, here), key_of(shared, "", is_setup, there)) << shared;
    }
    for (const auto* own : {", cache: [/c]", ", secrets: [s]", ", cache: [{path: /c, share: machine}, /d]"}) {
      EXPECT_NE(key_of(own, "", is_setup, here), key_of(own, "", is_setup, there)) << own;
    }
    auto single = here;
    single.single_id = true;
    EXPECT_NE(key_of("", "", is_setup, single), key_of("", "", is_setup, here));
  }
}

TEST(Recipe, WhatIsRunningIsOneCheckoutsOwn) {
  const std::string text = k_base + "services: {s: {command: c}}\n";
  InputDigests here;
  here.checkout = "/here";
  auto there = here;
  there.checkout = "/there";
  const auto one = chain_of(text, here);
  const auto two = chain_of(text, there);
  EXPECT_EQ(content_key(one), content_key(two));
  EXPECT_NE(one.back().key, two.back().key);
  EXPECT_NE(chain_of(text + "name: other\n", here).back().key, one.back().key)
      << "the host name is seen inside";
}

TEST(Recipe, AnotherVersionOfTheKeysIsNoOtherImage) {
  const auto now = chain_of(k_base);
  auto before = now;
  for (auto& link : before) {
    link.key = sha256_of(link.key);
  }
  const auto difference = first_difference(before, now);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->input, "key version");
  Observed observed;
  observed.exists = true;
  observed.state = WorkspaceState::started;
  observed.applied_links = before;
  observed.base_key = content_key(before);
  const auto wanted = parsed(k_base);
  observed.applied_spec = spec::normal_form(wanted);
  const auto plan = make_plan(wanted, now, observed);
  ASSERT_TRUE(plan.find("workspace"));
  EXPECT_EQ(plan.find("workspace")->kind, ActionKind::reset);
  EXPECT_EQ(plan.find("environment.setup.b")->kind, ActionKind::rebuild);
  EXPECT_NE(plan_text(plan, {}, Color::off).find("made by another version of pyro"), std::string::npos)
      << plan_text(plan, {}, Color::off);
}

TEST(Recipe, UserAndWorkdirEnterFromPrepareOn) {
  const auto plain = keys_of(chain_of(k_base + "seed: {owner: o}\n"));
  auto text = k_base + "seed: {owner: o}\n";
  text.insert(text.find("  setup:"), "  user: u\n  workdir: /w\n");
  const auto keys = keys_of(chain_of(text));
  EXPECT_EQ(keys[3], plain[3]);
  EXPECT_NE(keys[4], plain[4]);
}

TEST(Recipe, NamesOfVariablesCannotRunIntoValues) {
  EXPECT_NE(
      keys_of(chain_of("environment: {image: host, setup: [{run: x, env: {A: b, C: ''}}]}\n")),
      keys_of(chain_of("environment: {image: host, setup: [{run: x, env: {A: '', C: b}}]}\n")));
}

TEST(Recipe, InputFilesEnter) {
  const std::string text = "environment: {image: host, setup: [{id: a, run: x, inputs: [f]}]}\n";
  InputDigests one;
  one.step_inputs["environment.setup.a"] = {{"f", "1"}, {"g", "1"}};
  InputDigests other_order;
  other_order.step_inputs["environment.setup.a"] = {{"g", "1"}, {"f", "1"}};
  InputDigests two;
  two.step_inputs["environment.setup.a"] = {{"f", "2"}, {"g", "1"}};
  EXPECT_EQ(keys_of(chain_of(text, one)), keys_of(chain_of(text, other_order)));
  EXPECT_NE(keys_of(chain_of(text, one))[1], keys_of(chain_of(text, two))[1]);
}

TEST(Recipe, PointsStandInForEmptyGroups) {
  const auto chain = chain_of("environment: {image: host}\n");
  EXPECT_EQ(key_of_point(chain, "setup"), chain[0].key);
  EXPECT_EQ(key_of_point(chain, "prepare"), chain[1].key);
  EXPECT_EQ(key_of_point(chain, "ready"), chain[1].key);
  EXPECT_EQ(key_of_point(chain, "setup.no"), "");
  EXPECT_EQ(content_key(chain), chain[1].key);
  const auto full = chain_of(k_base + "services: {s: {command: c}}\n");
  EXPECT_EQ(key_of_point(full, "setup"), full[2].key);
  EXPECT_EQ(key_of_point(full, "setup.a"), full[1].key);
  EXPECT_EQ(key_of_point(full, "image"), full[0].key);
  EXPECT_EQ(key_of_point(full, "ready"), full[5].key);
  EXPECT_EQ(content_key(full), full[4].key);
}

TEST(Recipe, FirstDifferenceNamesTheInput) {
  const auto before = chain_of(k_base);
  auto text = k_base;
  text.replace(text.find("run: y"), 6, "run: q");
  auto difference = first_difference(before, chain_of(text));
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->address, "environment.setup.b");
  EXPECT_EQ(difference->input, "run");
  EXPECT_EQ(difference->before, "y");
  EXPECT_EQ(difference->after, "q");
  EXPECT_EQ(difference->place.line, 6);
  EXPECT_FALSE(first_difference(before, before));
}

TEST(Recipe, FirstDifferenceFindsStepsThatCameOrWent) {
  const auto before = chain_of(k_base);
  auto text = k_base;
  text.insert(text.find("    - {id: b"), "    - {id: new, run: n}\n");
  const auto added = first_difference(before, chain_of(text));
  ASSERT_TRUE(added);
  EXPECT_EQ(added->kind, DifferenceKind::added);
  EXPECT_EQ(added->address, "environment.setup.new");
  const auto removed = first_difference(chain_of(text), before);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->kind, DifferenceKind::removed);
  EXPECT_EQ(removed->address, "environment.setup.new");
  const auto last = first_difference(before, chain_of(k_base + "services: {s: {command: c}}\n"));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->address, "services");
}

TEST(Recipe, ServiceDigestsAreTheirOwn) {
  const auto one = chain_of(k_base + "services: {s: {command: c}, t: {command: d}}\n");
  const auto two = chain_of(k_base + "services: {s: {command: c}, t: {command: e}}\n");
  EXPECT_EQ(service_digest(one, "s"), service_digest(two, "s"));
  EXPECT_NE(service_digest(one, "t"), service_digest(two, "t"));
  EXPECT_EQ(service_digest(one, "u"), "");
  const auto probes =
      chain_of(k_base + "services: {s: {command: c, readiness: {tcp: 1}, ports: ['1']}, t: {command: d}}\n");
  EXPECT_EQ(keys_of(one), keys_of(probes)) << "watching differently is not running differently";
}

TEST(Recipe, LinksSurviveJson) {
  for (const auto& link : chain_of(k_base)) {
    EXPECT_EQ(to_json(link_from_json(to_json(link))), to_json(link));
  }
  EXPECT_THROW(link_from_json(Json::object()), Error);
}

TEST(Observed, SurvivesJsonAndRefusesRubbish) {
  const auto observed = load_case("input-changed-with-drift").observed;
  EXPECT_EQ(to_json(observed_from_json(to_json(observed))), to_json(observed));
  EXPECT_FALSE(observed_from_json(Json::object()).exists);
  for (const auto& wrong :
       {Json{{"state", "odd"}}, Json{{"drift", 3}}, Json{{"drift", {{{"path", "a"}, {"change", "X"}}}}},
        Json{{"exists", 1}}, Json{{"applied_links", {3}}}}) {
    EXPECT_THROW(observed_from_json(wrong), Error) << wrong;
  }
}

TEST(Render, TensesAndColor) {
  Action action;
  action.kind = ActionKind::reset;
  action.address = "workspace";
  action.target = "snapshots.ready";
  EXPECT_EQ(action_text(action, Tense::future), "reset to snapshots.ready");
  EXPECT_EQ(action_text(action, Tense::present), "resetting to snapshots.ready");
  action.kind = ActionKind::rebuild;
  EXPECT_EQ(action_text(action, Tense::past), "rebuilt");
  const auto golden = load_case("input-changed-with-drift");
  const auto plan = make_plan(golden.wanted, golden.chain, golden.observed);
  EXPECT_EQ(plan_text(plan, header_of(golden), Color::off).find('\x1b'), std::string::npos);
  EXPECT_NE(plan_text(plan, header_of(golden), Color::on).find("\x1b[31m"), std::string::npos);
}

TEST(Render, PathsOfAGuestCannotDriveTheTerminal) {
  auto golden = load_case("input-changed-with-drift");
  golden.observed.drift[0].path = "/a\x1b[2Jb";
  const auto text =
      plan_text(make_plan(golden.wanted, golden.chain, golden.observed), header_of(golden), Color::off);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("\\x1b"), std::string::npos);
}

TEST(Plan, SavedPlansAreComparedByWhatTheyDo) {
  auto golden = load_case("input-changed-with-drift");
  const auto saved = plan_json(make_plan(golden.wanted, golden.chain, golden.observed), header_of(golden));
  golden.observed.generation = 99;
  EXPECT_TRUE(same_actions(saved, make_plan(golden.wanted, golden.chain, golden.observed)));
  golden.observed.drift.push_back({"/workspace/new", 'A'});
  EXPECT_FALSE(same_actions(saved, make_plan(golden.wanted, golden.chain, golden.observed)))
      << "it would lose more now";
  EXPECT_THROW(same_actions({{"format_version", "2.0"}, {"actions", Json::array()}}, Plan{}), Error);
}

} // namespace pyro::plan::testing

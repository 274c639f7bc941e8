// The table of spec-v1 A.6: each trap of YAML with exactly what pyro says.
#include "support.hpp"

namespace pyro::spec::testing {

TEST(Traps, WordsThatLookLikeBooleansAreTextInATextField) {
  const auto spec = parsed(with("labels: {country: no, on: y, python: 3.10, empty: \"\"}\n"));
  EXPECT_EQ(spec.labels.at("country"), "no");
  EXPECT_EQ(spec.labels.at("on"), "y");
  EXPECT_EQ(spec.labels.at("python"), "3.10");
  EXPECT_EQ(spec.labels.at("empty"), "");
}

TEST(Traps, YesInABooleanFieldIsAnErrorWithAFix) {
  EXPECT_EQ(
      first_error(with("services:\n  a: {command: x, oneshot: on}\n")),
      "pyro.yaml:4:28: error: services.a.oneshot: 'on' is no boolean here: booleans are true and false "
      "(write true)");
  EXPECT_EQ(
      first_error(with("snapshots:\n  a: {at: ready, memory: yes}\n")),
      "pyro.yaml:4:26: error: snapshots.a.memory: 'yes' is no boolean here: booleans are true and false "
      "(write true)");
  EXPECT_NE(
      first_error(with("services:\n  a: {command: x, oneshot: off}\n")).find("(write false)"),
      std::string::npos);
}

TEST(Traps, SexagesimalPortsAreText) {
  const auto spec = parsed(with("services:\n  a: {command: x, ports: [22:22]}\n"));
  ASSERT_EQ(spec.services.at("a").ports.size(), 1U);
  EXPECT_EQ(spec.services.at("a").ports[0].host_port, 22);
  EXPECT_EQ(spec.services.at("a").ports[0].port, 22);
}

TEST(Traps, OctalNumbersAreRefused) {
  for (const auto* text : {"0644", "0o644", "0x1f"}) {
    const auto error = first_error(with_environment(fmt::format("  resources: {{pids: {}}}\n", text)));
    EXPECT_EQ(
        error, fmt::format(
                   "pyro.yaml:4:21: error: environment.resources.pids: '{}' could be octal, hexadecimal or "
                   "decimal (write a "
                   "decimal number without leading zeros)",
                   text));
  }
  EXPECT_NE(
      first_error(with("mounts: [{from: a, to: /a, mode: 0644}]\n")).find("'0644' is none of: ro, rw"),
      std::string::npos);
}

TEST(Traps, ADuplicateKeyNamesBothPlaces) {
  const auto result = parse_spec(with("labels:\n  a: 1\n  b: 2\n  a: 3\n"));
  ASSERT_EQ(result.diagnostics.size(), 1U) << all_text(result);
  EXPECT_EQ(
      to_string(result.diagnostics[0]),
      "pyro.yaml:6:3: error: the key 'a' is here twice (the first one is at pyro.yaml:4:3)");
  ASSERT_TRUE(result.diagnostics[0].other);
  EXPECT_EQ(result.diagnostics[0].other->line, 4);
}

TEST(Traps, APatternThatStartsWithAStarIsToldApartFromAnAlias) {
  EXPECT_EQ(
      first_error(with("seed: {exclude: [*.log]}\n")),
      "pyro.yaml:3:18: error: '*' at the start of a value is an alias (quote patterns that start with '*')");
  EXPECT_EQ(
      first_error(with("seed:\n  exclude:\n    - *.log\n")),
      "pyro.yaml:5:7: error: '*' at the start of a value is an alias (quote patterns that start with '*')");
}

TEST(Traps, InterpolationInAFlowMapNeedsQuotes) {
  EXPECT_EQ(
      first_error("version: 1\nenvironment: {image: node:${node}}\n"),
      "pyro.yaml:2:27: error: '${' starts a nested map here (quote values that contain ${…} inside { })");
}

TEST(Traps, AColonInAValueNeedsQuotes) {
  EXPECT_EQ(
      first_error(with("services:\n  a:\n    command: foo: bar\n")),
      "pyro.yaml:5:14: error: this value contains ': ' and so looks like a map (quote values that contain ': "
      "')");
}

TEST(Traps, ReservedFirstCharactersNeedQuotes) {
  for (const auto* text : {"@x", "%x", "`x"}) {
    EXPECT_EQ(
        first_error(with(fmt::format("labels:\n  password: {}\n", text))),
        "pyro.yaml:4:13: error: this character cannot start a value (quote this value)")
        << text;
  }
}

TEST(Traps, AKeyWithNothingAfterItIsAnErrorThatNamesTheType) {
  EXPECT_EQ(
      first_error(with("seed:\n  from:\n")), "pyro.yaml:4:3: error: seed.from: 'from' has no value; "
                                             "expected a text (write a value or remove the key (null "
                                             "deletes only in profiles))");
}

TEST(Traps, TabsCannotIndent) {
  EXPECT_EQ(
      first_error(with("seed:\n\tfrom: .\n")),
      "pyro.yaml:4:1: error: a tab cannot indent in YAML (use spaces)");
  EXPECT_EQ(
      first_error(with("seed:\n  \tfrom: .\n")),
      "pyro.yaml:4:3: error: a tab cannot indent in YAML (use spaces)");
}

TEST(Traps, TabsInsideAScriptAreKept) {
  const auto spec = parsed(with("prepare:\n  - run: |\n      make <<X\n      \tcc\n      X\n"));
  EXPECT_EQ(spec.prepare[0].run, "make <<X\n\tcc\nX\n");
}

TEST(Traps, CarriageReturnsAndByteOrderMarkAreAccepted) {
  std::string text = "\xEF\xBB\xBF";
  for (const char c : shop()) {
    text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  }
  EXPECT_EQ(normal_form(parsed(text)), normal_form(parsed(shop())));
}

TEST(Traps, AliasBombsAreCapped) {
  std::string text = "x-a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 9; ++i) {
    text += fmt::format("x-a{}: &a{} [", i, i);
    for (int k = 0; k < 10; ++k) {
      text += fmt::format("*a{}{}", i - 1, k == 9 ? "]\n" : ", ");
    }
  }
  const auto error = first_error(with(text));
  EXPECT_NE(error.find("more than 10000 values after expanding aliases"), std::string::npos) << error;
}

TEST(Traps, AnAliasInsideItsOwnValueIsAnError) {
  EXPECT_EQ(
      first_error(with("x-a: &a {b: *a}\n")),
      "pyro.yaml:3:13: error: this alias stands inside the value that it names (remove the cycle)");
  EXPECT_EQ(
      first_error(with("x-a: &a\n  <<: *a\n")),
      "pyro.yaml:4:7: error: this alias stands inside the value that it names (remove the cycle)");
}

TEST(Traps, OneDocumentPerFile) {
  EXPECT_EQ(
      first_error(with("---\nversion: 1\n")),
      "pyro.yaml:3:1: error: a second document starts here (one document per file: remove the '---')");
  parsed(
      "---\n"
      + with("..."
             "\n"));
}

TEST(Traps, NotUtf8) {
  EXPECT_EQ(
      first_error(with("name: caf\xE9\n")),
      "pyro.yaml:3:10: error: this is not UTF-8 (save the file as UTF-8)");
  EXPECT_EQ(
      first_error(with("name: \xC0\x80\n")),
      "pyro.yaml:3:7: error: this is not UTF-8 (save the file as UTF-8)");
  EXPECT_EQ(first_error(with("name: a\x01\n")), "pyro.yaml:3:8: error: control character 0x01 (remove it)");
}

TEST(Traps, TooBigAndTooDeep) {
  EXPECT_NE(first_error(std::string((1 << 20) + 1, '#')).find("larger than 1 MiB"), std::string::npos);
  EXPECT_NE(first_error(with("x-a: " + std::string(5000, '['))).find("levels deep"), std::string::npos);
  std::string wide = "x-a: [";
  for (int i = 0; i < 11'000; ++i) {
    wide += "1, ";
  }
  EXPECT_NE(first_error(with(wide + "1]\n")).find("more than 10000 values"), std::string::npos);
}

TEST(Traps, UnknownTagsAreRefused) {
  EXPECT_EQ(
      first_error(with("name: !secret x\n")),
      "pyro.yaml:3:7: error: unknown tag '!secret' (quote values that begin with '!'; a tag is never needed, "
      "the field decides the type)");
}

TEST(Traps, EmptyFiles) {
  for (const auto* text : {"", "\n", "# nothing\n", "~\n", "[]\n", "word\n"}) {
    EXPECT_NE(first_error(text).find("expected a map, found "), std::string::npos) << text;
  }
}

} // namespace pyro::spec::testing

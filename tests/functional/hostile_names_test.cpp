// Names, labels and messages of others that would drive a terminal, turn text around or hide: wherever pyro
// shows them, in text and JSON alike, no such character comes out.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/safe_text.hpp>

#include <sstream>

namespace pyro::testing {
namespace {

/// ESC, BEL, a lone C1 byte, C1 as a character, an override with its end, an isolate, a mark, a line end, a
/// separator, a zero width space, a tag.
const std::vector<std::string> k_hostile{
    "\x1b[2Jclear",
    "\x1b]0;title\x07",
    "\x9b"
    "31mraw",
    "\xC2\x9B"
    "31mc1",
    "\xE2\x80\xAEtxt.exe\xE2\x80\xAC",
    "\xE2\x81\xA6isolate\xE2\x81\xA9",
    "\xD8\x9Cmark",
    "two\nlines",
    "::set-output name=x::y",
    "\xE2\x80\xA8separator",
    "zero\xE2\x80\x8Bwidth",
    "\xF3\xA0\x81\x81tag"};

class HostileNames : public Functional {
protected:
  /// Everything printable, or a line end or tab of ours.
  static void expect_harmless(const Result& result) {
    for (const auto* text : {&result.out, &result.err}) {
      std::string lines;
      for (const char c : *text) {
        lines += c == '\t' ? ' ' : c;
      }
      EXPECT_EQ(escape_lines(lines), lines) << result;
    }
  }

  /// With -o github nothing of others begins a line that GitHub's runner would obey.
  static void expect_harmless_for_github(const Result& result) {
    expect_harmless(result);
    std::istringstream lines(result.out + "\n" + result.err);
    for (std::string line; std::getline(lines, line);) {
      line.erase(0, line.find_first_not_of(" \t"));
      EXPECT_FALSE(line.starts_with("::set-output")) << result;
    }
  }

  void make_names(const fs::path& directory) {
    fs::create_directories(directory);
    for (const auto& name : k_hostile) {
      auto file = name;
      std::replace(file.begin(), file.end(), '/', '_');
      write_file(directory / file, "content\n");
    }
  }
};

TEST_F(HostileNames, InDiffPlanStatusAndFiles) {
  make_names(project() / "seed-names");
  spec("drift: {policy: fail}\nsnapshots: {clean: {at: seed}}\n");
  expect_harmless(expect(0, {"apply"}));
  // All of them changed inside: the plan counts the drift and names it.
  expect(
      0, {"exec", "--", "sh", "-c",
          "cd seed-names && for f in *; do echo more >> \"$f\"; done; cp -r . ../copies"});
  for (const Arguments& arguments : std::vector<Arguments>{
           {"diff"},
           {"diff", "--stat"},
           {"diff", "--json"},
           {"diff", "-o", "jsonl"},
           {"diff", "-o", "github"},
           {"plan"},
           {"plan", "--json"},
           {"plan", "-o", "github"},
           {"status"},
           {"status", "--json"},
           {"why", "workspace"},
           {"why", "workspace", "--json"},
           {"ls"},
           {"ls", "--json"}}) {
    SCOPED_TRACE(arguments[0] + " " + arguments.back());
    expect_harmless_for_github(pyro(arguments));
  }
  // To a parser the names are what they are, but for the byte that is no character.
  const auto entries = json({"diff"})["entries"];
  std::set<std::string> paths;
  for (const auto& entry : entries) {
    paths.insert(entry["path"].get<std::string>());
  }
  for (const auto& name : k_hostile) {
    if (to_utf8(name) == name) {
      EXPECT_TRUE(std::any_of(paths.begin(), paths.end(), [&](const auto& path) {
        return path.ends_with(name);
      })) << name;
    }
  }
}

/// Contents are payload elsewhere; on GitHub they go to a log that people read.
TEST_F(HostileNames, OfContentsAndLogsOnGithub) {
  const std::string text = "::set-output name=a::b\\n\\033[2Jcleared\\n";
  spec("services: {s: {command: 'printf \"" + text + "\"; exec sleep 1000', readiness: {log: cleared}}}\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("printf '" + text + "' > page").status, 0);
  for (const Arguments& arguments : std::vector<Arguments>{
           {"diff", "-p", "-o", "github"}, {"logs", "-o", "github"}, {"logs", "s", "-o", "github"}}) {
    SCOPED_TRACE(arguments[0]);
    const auto result = expect(0, arguments);
    EXPECT_TRUE(contains(result.out, "cleared")) << result;
    expect_harmless_for_github(result);
  }
}

TEST_F(HostileNames, InErrors) {
  for (const auto& name : k_hostile) {
    SCOPED_TRACE(escape_controls(name));
    for (const Arguments& arguments : std::vector<Arguments>{
             {"-w", name, "status"},
             {"-w", name, "status", "--json"},
             {"-w", name, "status", "-o", "github"},
             {name},
             {"why", name},
             {"-C", name, "plan"},
             {"-f", name, "plan"},
             {"-f", name, "plan", "-o", "github"}}) {
      const auto result = pyro(arguments);
      EXPECT_NE(result.status, 0);
      expect_harmless_for_github(result);
    }
  }
}

TEST_F(HostileNames, InTheFileAndWhatItSays) {
  const auto quoted = [](const std::string& text) {
    return Json(to_utf8(text)).dump();
  };
  for (const auto& name : k_hostile) {
    SCOPED_TRACE(escape_controls(name));
    for (const auto& body :
         {"services: {" + quoted(name) + ": {command: 'true'}}\n", quoted(name) + ": 1\n",
          "environment: {image: " + quoted(name) + "}\n", "labels: {a: " + quoted(name) + "}\n",
          "prepare: [{id: " + quoted(name) + ", run: 'true'}]\n"}) {
      write_file(
          project() / "pyro.yaml",
          "version: 1\n"
              + (body.starts_with("environment") ? std::string()
                                                 : std::string("environment: {image: host}\n"))
              + body);
      for (const auto* form : {"text", "json", "github"}) {
        expect_harmless_for_github(pyro({"validate", "-o", form}));
        expect_harmless_for_github(pyro({"plan", "-o", form}));
      }
    }
  }
}

TEST_F(HostileNames, InWhatServicesAndStepsSay) {
  write_file(
      project() / "say.sh",
      "printf '\\033[2J\\233\\302\\2331m\\342\\200\\256x\\n::set-output name=a::b\\n'\n");
  spec("prepare:\n  - {id: say, run: sh say.sh}\n"
       "services:\n  talker: {command: 'sh say.sh; exec sleep 1000'}\n");
  expect_harmless(expect(0, {"apply"}));
  expect_harmless(expect(0, {"logs", "talker"}));
  expect_harmless(expect(0, {"logs", "talker", "--json"}));
  expect_harmless(expect(0, {"status", "--json"}));
  write_file(
      project() / "say.sh",
      "printf '\\033[2J\\233\\302\\2331m\\342\\200\\256x\\n::set-output name=a::b\\n'; exit 1\n");
  for (const auto* form : {"text", "json", "jsonl", "github"}) {
    const auto result = pyro({"apply", "--yes", "-o", form});
    EXPECT_NE(result.status, 0);
    form == std::string_view("github") ? expect_harmless_for_github(result) : expect_harmless(result);
  }
}

TEST_F(HostileNames, ANewlineLooksTheSameEverywhere) {
  make_busybox_root(project() / "image");
  write_file(project() / "seed/of\nthe seed", "1\n");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: ./seed}\n");
  expect(0, {"apply", "--yes"});
  expect(0, {"exec", "--", "touch", "a\nb"});
  expect(0, {"exec", "--", "rm", "of\nthe seed"});
  write_file(project() / "seed/more", "1\n");
  const std::vector<Arguments> all{
      {"diff"},
      {"diff", "--patch"},
      {"plan"},
      {"status"},
      {"workspace", "file", "list", "test"},
      {"workspace", "diff", "test"},
      {"workspace", "summary", "test"},
      {"workspace", "logs", "test"},
      {"workspace", "file", "read", "test", "not\nthere"},
      {"workspace", "export", "test", "not\nthere", "-o", (root() / "out").string()},
      {"snapshot", "save", "a\nb"},
      {"reset", "--to", "a\nb"},
      {"exec", "-w", "a\nb", "--", "true"},
      {"plan", "-f", "a\nb"}};
  int named = 0;
  for (const auto& arguments : all) {
    const auto shown = pyro(arguments).all();
    for (const auto* raw : {"a\nb", "of\nthe", "not\nthere"}) {
      EXPECT_FALSE(contains(shown, raw)) << arguments[0] << " writes it as it is:\n" << shown;
    }
    for (const auto* other : {"\"a\\nb", "\"/workspace/a\\nb", "a\\012b", "a?b", "a%0Ab", "a\\x0ab"}) {
      EXPECT_FALSE(contains(shown, other)) << arguments[0] << " writes it in another way:\n" << shown;
    }
    named += contains(shown, "a\\nb") || contains(shown, "not\\nthere") ? 1 : 0;
  }
  EXPECT_GE(named, 10);
  expect(0, {"reset", "--yes"});
}

} // namespace
} // namespace pyro::testing

// What CI reads: annotations, step summaries and outputs of GitHub, test reports, JSON lines, SARIF
// (docs/ci.md).
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <set>
#include <sstream>

namespace pyro::testing {
namespace {

class CiFormats : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(root() / "busybox");
    m_options.env = {
        {"PYRO_TRUST", "1"},
        {"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()},
        {"GITHUB_STEP_SUMMARY", (root() / "summary.md").string()},
        {"GITHUB_OUTPUT", (root() / "output").string()}};
    write_file(project() / "seed/first", "first\n");
  }

  void file(const std::string& body) {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: 'dir:../busybox'}\nseed: {from: seed}\n" + body);
  }

  Result run(const Arguments& arguments) { return pyro(arguments, m_options); }

  Result expect_run(int status, const Arguments& arguments) { return expect(status, arguments, m_options); }

  std::string summary() { return read_file(root() / "summary.md"); }

  static std::vector<Json> lines(const std::string& text) {
    std::vector<Json> found;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      found.push_back(Json::parse(line));
    }
    return found;
  }

  /// "CLASS NAME OUTCOME" of each case, sorted, as Python's XML reader finds them; fails for what is no XML.
  std::string cases(const std::string& xml) {
    write_file(root() / "report.xml", xml);
    return expect_command(
        {"python3", "-c",
         "import sys, xml.etree.ElementTree as E\n"
         "t = E.parse(sys.argv[1]).getroot()\n"
         "s = t.find('testsuite')\n"
         "c = s.findall('testcase')\n"
         "assert int(s.get('tests')) == len(c), s.attrib\n"
         "for k, n in (('failures', 'failure'), ('skipped', 'skipped')):\n"
         "  assert int(s.get(k)) == len([x for x in c if x.find(n) is not None]), s.attrib\n"
         "print(s.get('name'))\n"
         "for x in c: print(x.get('classname'), x.get('name'), ([k.tag for k in x if k.tag != 'system-out'] "
         "or "
         "['passed'])[0])\n",
         (root() / "report.xml").string()});
  }

  std::string expect_command(const Arguments& argv) {
    const auto result = command(argv);
    EXPECT_EQ(result.status, 0) << result;
    return result.out;
  }

  RunOptions m_options;
};

constexpr auto k_service =
    "services:\n  web: {command: 'httpd -f -p 8080 -h /tmp', readiness: {tcp: 8080}, ports: "
    "['8080']}\n";

TEST_F(CiFormats, GitHubMarksTheWholeOfWhatIsWrong) {
  write_file(project() / "pyro.yaml", "versoin: 1\nname: 'a b'\nenvironment: {image: host}\n");
  const auto result = expect_run(65, {"validate", "-o", "github"});
  EXPECT_TRUE(contains(result.out, "::error file=pyro.yaml,line=1,col=1,endLine=1,endColumn=8,title="))
      << result;
  EXPECT_TRUE(contains(result.out, "line=2,col=7,endLine=2,endColumn=12,")) << result;
  EXPECT_TRUE(contains(summary(), "### pyro validate: not valid\n")) << summary();
  EXPECT_TRUE(contains(summary(), "| pyro.yaml:1:1 | error |")) << summary();
}

TEST_F(CiFormats, GitHubGetsTheChangesAsATableAndPortsAsOutputs) {
  file("prepare:\n  - {id: build, run: 'echo made > made'}\n" + std::string(k_service));
  expect_run(0, {"plan", "-o", "github"});
  EXPECT_TRUE(contains(summary(), "### pyro plan\n\n| address | action | why | where | about |\n"))
      << summary();
  EXPECT_TRUE(contains(summary(), "| prepare.build | build |")) << summary();
  EXPECT_FALSE(fs::exists(root() / "output"));

  expect_run(0, {"apply", "-o", "github"});
  const auto output = read_file(root() / "output");
  EXPECT_TRUE(contains(output, "workspace_id=")) << output;
  EXPECT_TRUE(contains(output, "\nname=test\nchanged=true\nport_web=")) << output;
  const auto ports = output.substr(output.find("\nports=") + 7);
  EXPECT_EQ(Json::parse(ports).at(0).at("port"), 8080) << output;
  EXPECT_TRUE(contains(summary(), "| web | ready | ")) << summary();

  // What would be lost is written by anybody: it is no markup.
  EXPECT_EQ(inside("echo x > 'a|b<script>*_`'", m_options).status, 0);
  write_file(project() / "seed/second", "second\n");
  expect_run(0, {"plan", "-o", "github"});
  EXPECT_TRUE(contains(summary(), "* A /workspace/a&#124;b&lt;script>&#42;&#95;&#96;\n")) << summary();
}

TEST_F(CiFormats, JunitHasACaseForEachStepAndService) {
  file("prepare:\n  - {id: build, run: 'echo made > made'}\n" + std::string(k_service));
  const auto all = cases(expect_run(0, {"apply", "-o", "junit"}).out);
  EXPECT_TRUE(all.starts_with("test\n")) << all;
  EXPECT_TRUE(contains(all, "prepare prepare.build passed\n")) << all;
  EXPECT_TRUE(contains(all, "services web passed\n")) << all;
  EXPECT_EQ(cases(expect_run(0, {"apply", "-o", "junit"}).out), "test\nworkspace apply passed\n")
      << "nothing to do";
}

TEST_F(CiFormats, JunitSaysWhatFailedAndWhatWasNotReached) {
  file("prepare:\n  - {id: first, run: 'echo \"<&\\\"]]>\"; exit 3'}\n  - {id: second, run: 'true'}\n");
  const auto result = run({"apply", "-o", "junit"});
  EXPECT_NE(result.status, 0);
  const auto all = cases(result.out);
  EXPECT_TRUE(contains(all, "prepare prepare.first failure\n")) << all << result;
  EXPECT_TRUE(contains(all, "prepare prepare.second skipped\n")) << all;
  EXPECT_TRUE(contains(result.out, "&lt;&amp;&quot;]]&gt;")) << result;
}

TEST_F(CiFormats, JunitOfAFileHasACaseForEachMistake) {
  write_file(project() / "pyro.yaml", "versoin: 1\nname: 'a b'\nenvironment: {image: host}\n");
  const auto all = cases(expect_run(65, {"validate", "-o", "junit"}).out);
  EXPECT_TRUE(contains(all, "pyro.yaml pyro.yaml:1:1 versoin failure\n")) << all;
  EXPECT_TRUE(contains(all, "pyro.yaml pyro.yaml:2:7 name failure\n")) << all;
  file("");
  EXPECT_EQ(cases(expect_run(0, {"validate", "-o", "junit"}).out), "pyro validate\npyro.yaml valid passed\n");
}

TEST_F(CiFormats, JunitOfVerifyHasACaseForEachStep) {
  file("prepare:\n  - {id: same, run: 'echo same > same'}\n  - {id: differs, run: 'cat "
       "/proc/sys/kernel/random/uuid > uuid'}\n");
  const auto result = expect_run(8, {"verify", "-o", "junit"});
  const auto all = cases(result.out);
  EXPECT_TRUE(contains(all, "verify prepare.same passed\n")) << all;
  EXPECT_TRUE(contains(all, "verify prepare.differs failure\n")) << all;
  EXPECT_TRUE(contains(result.out, "modified /workspace/uuid (random)")) << result;
}

TEST_F(CiFormats, JsonLinesTellTheVersionThePlanAndTheOutputs) {
  file(k_service);
  const auto all = lines(expect_run(0, {"apply", "-o", "jsonl"}).out);
  std::vector<std::string> types;
  for (const auto& line : all) {
    EXPECT_TRUE(line.contains("ts") && line.contains("address")) << line;
    EXPECT_EQ(line.value("op_id", ""), all.front().value("op_id", "none")) << line;
    types.push_back(get_string(line, "type"));
  }
  EXPECT_EQ(types.front(), "version");
  EXPECT_EQ(types.back(), "result");
  for (const auto* type :
       {"planned_action", "summary", "action_start", "action_complete", "probe", "outputs"}) {
    EXPECT_TRUE(std::find(types.begin(), types.end(), type) != types.end()) << type;
  }
  const auto outputs =
      std::find_if(all.begin(), all.end(), [](const Json& line) { return line.at("type") == "outputs"; });
  EXPECT_EQ(outputs->at("outputs").at("ports").at(0).at("port"), 8080);

  std::set<std::string> operations;
  const auto journal = json({"events"}, m_options);
  for (const auto& event : journal["events"]) {
    if (get_string(event, "op_id") == get_string(all.front(), "op_id")) {
      operations.insert(get_string(event, "operation"));
    }
  }
  EXPECT_EQ(operations, std::set<std::string>{"apply"}) << "`pyro events` knows the run by the same";

  write_file(project() / "pyro.yaml", "versoin: 1\nenvironment: {image: host}\n");
  const auto wrong = lines(expect_run(65, {"validate", "-o", "jsonl"}).out);
  EXPECT_EQ(wrong.at(1).at("type"), "diagnostic");
  EXPECT_EQ(wrong.at(1).at("position").at("end_column"), 8);
}

TEST_F(CiFormats, AFormThatACommandLacksIsRefused) {
  for (const auto& [command, form] : {std::pair{"status", "junit"}, {"plan", "sarif"}, {"apply", "sarif"}}) {
    const auto result = expect_run(64, {command, "-o", form});
    EXPECT_TRUE(contains(result.err, "is none of text|json|jsonl|github")) << result;
  }
}

TEST_F(CiFormats, RunWithResetLeavesNothingHoweverTheCommandEnds) {
  file("");
  for (const auto& script : {"touch new; exit 0", "touch new; exit 9"}) {
    run({"run", "--reset", "--yes", "--", "sh", "-c", script});
    EXPECT_EQ(inside("ls", m_options).out, "first\n");
  }
}

} // namespace
} // namespace pyro::testing

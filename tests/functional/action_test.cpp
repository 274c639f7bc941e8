// action.yml and the job for GitLab: their shell parts with the built program, in the environment that a
// runner makes.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <unistd.h>

namespace pyro::testing {
namespace {

class Action : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(root() / "busybox");
    write_file(root() / "image.tar", archive_of(root() / "busybox"));
    write_file(project() / "seed/first", "1\n");
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment:\n  image: tar:../image.tar\n  setup:\n"
        "    - {id: tool, run: 'echo built > /tool; ln -s /tool /link; chmod 600 /tool'}\n"
        "seed: {from: seed}\nprofiles: {ci: {lifecycle: {ttl: 1h}}}\n");
    m_options.cwd = project();
    m_options.env = {
        {"PATH", bin.string() + ":" + std::string(std::getenv("PATH"))},
        {"PYRO_HOME", state().string()},
        {"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()},
        {"HOME", root().string()},
        {"GITHUB_OUTPUT", (root() / "output").string()},
        {"GITHUB_STEP_SUMMARY", (root() / "summary").string()},
        {"ARCHIVE", (root() / "layers.tar.gz").string()},
        {"PROFILE", "ci"},
        {"PYRO_TRUST", "true"}};
  }

  Result step(const std::string& name, std::map<std::string, std::string> more = {}) {
    auto options = m_options;
    more.merge(options.env);
    options.env = std::move(more);
    return command({(source_dir() / ".ci/action" / name).string()}, options);
  }

  std::string expect_step(const std::string& name, const std::map<std::string, std::string>& more = {}) {
    const auto result = step(name, more);
    EXPECT_EQ(result.status, 0) << name << result;
    return result.all();
  }

  RunOptions m_options;
};

TEST_F(Action, SaysNothingThatIsNotThere) {
  const auto result = command(
      {"python3", "-c",
       "import os, re, sys, yaml\n"
       "top = sys.argv[1]\n"
       "text = open(top + '/action.yml').read()\n"
       "action = yaml.safe_load(text)\n"
       "steps = action['runs']['steps']\n"
       "ids = {step['id'] for step in steps if 'id' in step}\n"
       "for step in steps:\n"
       "  assert ('run' in step) == ('shell' in step) and ('run' in step) != ('uses' in step), step\n"
       "  if 'run' in step:\n"
       "    script = re.fullmatch(r'\"\\$GITHUB_ACTION_PATH/(.*)\"', step['run']).group(1)\n"
       "    assert os.access(top + '/' + script, os.X_OK), script\n"
       "    wanted = set(re.findall(r'\\b(DIRECTORY|PROFILE|PACKAGE|ARCHIVE|COMMAND|REPORT)\\b', open(top + "
       "'/' + "
       "script).read()))\n"
       "    assert wanted <= set(step.get('env', {})), (script, wanted)\n"
       "  else: assert re.search(r'@v\\d+$', step['uses']), step\n"
       "for name in re.findall(r'inputs\\.(\\w+)', text): assert name in action['inputs'], name\n"
       "for name in action['inputs']: assert 'inputs.' + name in text, name\n"
       "for name in re.findall(r'steps\\.(\\w+)', text): assert name in ids, name\n"
       "yaml.safe_load(open(top + '/examples/ci/github-actions.yml'))\n"
       "step = yaml.safe_load(open(top + '/examples/ci/buildkite.yml'))['steps'][0]\n"
       "for word in re.findall(r'/tmp/pyro/(\\S+)|\\./(\\S+\\.sh)', step['command']):\n"
       "  assert os.access(top + '/' + word[0] if word[0] else top + '/examples/ci/' + word[1], os.X_OK), "
       "word\n",
       source_dir().string()});
  EXPECT_EQ(result.status, 0) << result;
}

TEST_F(Action, LayersOfOneJobAreThereInTheNext) {
  if (::geteuid() != 0) {
    EXPECT_TRUE(contains(expect_step("key"), "::notice")) << "as an ordinary user there is no cache";
    EXPECT_FALSE(fs::exists(root() / "output"));
    GTEST_SKIP() << "layers are packed by root only";
  }
  expect_step("key");
  const auto key = read_file(root() / "output");
  EXPECT_TRUE(contains(key, "key=pyro-layers-")) << key;
  EXPECT_TRUE(contains(expect_step("restore"), "no layers are kept yet")) << "the first job";
  expect_step("apply");
  EXPECT_TRUE(contains(read_file(root() / "output"), "\nname=test\nchanged=true\n"));
  EXPECT_TRUE(contains(read_file(root() / "summary"), "environment.setup.tool"));
  expect_step("save");
  EXPECT_TRUE(contains(read_file(root() / "output"), "packed=true\n"));

  expect(0, {"purge", "--yes"}, m_options);
  fs::remove_all(root() / "cache");
  fs::remove_all(state());
  fs::remove(root() / "output");
  expect_step("key");
  EXPECT_EQ(read_file(root() / "output"), key) << "the next job has the same key";
  expect_step("restore");
  const auto plan = expect(0, {"plan", "--verbose"}, m_options).out;
  EXPECT_TRUE(contains(plan, "environment.setup.tool cached")) << plan;
  expect_step("apply");
  EXPECT_EQ(step("run", {{"COMMAND", "stat -c '%a %U' /tool; readlink /link; exit 4"}}).status, 4);
  EXPECT_EQ(step("run", {{"COMMAND", "stat -c '%a %U' /tool; cat /link"}}).out, "600 root\nbuilt\n");
  expect_step("report", {{"REPORT", (root() / "report.html").string()}});
  EXPECT_TRUE(contains(read_file(root() / "report.html"), "environment.setup.tool"));
}

TEST_F(Action, AMistakeIsAnAnnotation) {
  write_file(project() / "pyro.yaml", "versoin: 1\nenvironment: {image: host}\n");
  const auto result = step("apply", {{"PROFILE", ""}});
  EXPECT_EQ(result.status, 65);
  EXPECT_TRUE(contains(result.out, "::error file=pyro.yaml,line=1,")) << result;
}

/// The commands of the job, but for those that install.
TEST_F(Action, TheJobOfGitLabRuns) {
  fs::copy(source_dir() / "examples/ci", root() / "ci", fs::copy_options::recursive);
  const auto script = command(
      {"python3", "-c",
       "import sys, yaml\n"
       "job = yaml.safe_load(open(sys.argv[1]))['test']\n"
       "print('set -e', *job['script'], *job['after_script'], sep='\\n')\n",
       (root() / "ci/gitlab-ci.yml").string()});
  ASSERT_EQ(script.status, 0) << script;
  auto options = m_options;
  options.cwd = root() / "ci";
  options.env["CI"] = "true";
  options.env.erase("PYRO_ENVIRONMENT_CACHE_DIR"); // the machine's own image is known there
  options.env.erase("HOME");
  const auto result = command({"sh", "-c", script.out}, options);
  EXPECT_EQ(result.status, 0) << result;
  EXPECT_TRUE(contains(read_file(root() / "ci/pyro.xml"), "<testsuite name=\"ci\"")) << "a test report";
  EXPECT_TRUE(contains(read_file(root() / "ci/pyro.html"), "<h2>Plan</h2>"));
}

} // namespace
} // namespace pyro::testing

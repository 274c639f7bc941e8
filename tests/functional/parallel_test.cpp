// Many at once: different workspaces do not disturb each other, the same one takes turns.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <thread>

namespace pyro::testing {
namespace {

class Parallel : public Functional {};

TEST_F(Parallel, TwentyWorkspaces) {
  constexpr int k_count = 20;
  std::vector<fs::path> directories;
  for (int number = 0; number < k_count; ++number) {
    const auto name = "w" + std::to_string(number);
    directories.push_back(another_project(name));
    spec(
        "services:\n  keep: {command: \"echo " + name
            + " > /tmp/who; exec sleep 1000\", readiness: {file: /tmp/who}}\n",
        directories.back());
    replace_in_file(directories.back() / "pyro.yaml", "name: test", "name: " + name);
    write_file(directories.back() / "who.txt", name + "\n");
  }
  // The runner of a thread must not use the fixture's own state, so results are gathered and checked
  // afterwards.
  std::vector<Result> results(k_count);
  std::vector<std::thread> threads;
  const auto env = environment({});
  for (int number = 0; number < k_count; ++number) {
    threads.emplace_back([&, number] {
      const auto index = static_cast<std::size_t>(number);
      os::Command apply{.argv = {(bin / "pyro").string(), "apply", "--yes"}, .env = env};
      apply.cwd = directories[index].string();
      const auto captured = os::run(apply, {}, std::chrono::minutes(4));
      results[index] = {captured.outcome.shell_status(), captured.out, captured.err};
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (int number = 0; number < k_count; ++number) {
    const auto index = static_cast<std::size_t>(number);
    EXPECT_EQ(results[index].status, 0) << "workspace " << number << ": " << results[index];
    RunOptions here;
    here.cwd = directories[index];
    const auto name = "w" + std::to_string(number) + "\n";
    EXPECT_EQ(inside("cat who.txt /tmp/who", here).out, name + name);
  }
  EXPECT_EQ(workspace_ids().size(), static_cast<std::size_t>(k_count));
}

TEST_F(Parallel, TwoAppliesOfTheSameTakeTurns) {
  spec("prepare:\n  - {id: slow, run: \"sleep 2; echo $(cat runs.txt 2>/dev/null)x > runs.txt\"}\n");
  auto first = start({"apply", "--yes"});
  EXPECT_TRUE(eventually([&] { return !workspace_ids().empty(); }));
  first.signal(SIGSTOP); // with its lock
  const auto said = root() / "said";
  os::Command apply{
      .argv = {"/bin/sh", "-c", "exec \"$0\" apply --yes > \"$1\" 2>&1"}, .env = environment({})};
  apply.argv.insert(apply.argv.end(), {(bin / "pyro").string(), said.string()});
  apply.cwd = project().string();
  write_file(said, "");
  auto second = os::spawn(apply);
  EXPECT_TRUE(eventually([&] { return contains(read_file(said), "wait"); }, 60))
      << "the second does not say that it waits: " << read_file(said);
  EXPECT_TRUE(contains(read_file(said), "apply")) << "nor for whom: " << read_file(said);
  EXPECT_FALSE(second.try_wait());
  first.signal(SIGCONT);
  EXPECT_EQ(first.wait().shell_status(), 0);
  EXPECT_EQ(second.wait().shell_status(), 0) << read_file(said);
  EXPECT_EQ(inside("cat runs.txt").out, "x\n") << "the step ran twice";
  EXPECT_EQ(workspace_ids().size(), 1u);
}

TEST_F(Parallel, ALockThatIsNotFreeInTimeSaysWhoHasIt) {
  spec();
  auto first = start({"apply", "--yes"});
  EXPECT_TRUE(eventually([&] { return !workspace_ids().empty(); }));
  first.signal(SIGSTOP);
  const auto second = pyro({"apply", "--yes", "--lock-timeout", "200ms"});
  EXPECT_EQ(second.status, 5) << second;
  EXPECT_NE(second.err.find(std::to_string(first.pid())), std::string::npos)
      << "it does not name the holder: " << second;
  first.signal(SIGCONT);
  EXPECT_EQ(first.wait().shell_status(), 0);
}

TEST_F(Parallel, ExecsOfOneWorkspaceRunSideBySide) {
  spec();
  expect(0, {"apply"});
  std::vector<Result> results(10);
  std::vector<std::thread> threads;
  const auto env = environment({});
  // Each waits until all of them are there.
  const std::string meet = "until [ $(ls /tmp/here-* | wc -l) -eq 10 ]; do sleep 0.05; done";
  for (std::size_t number = 0; number < results.size(); ++number) {
    threads.emplace_back([&, number] {
      os::Command exec{
          .argv =
              {(bin / "pyro").string(), "exec", "--", "sh", "-c",
               "touch /tmp/here-" + std::to_string(number) + "; " + meet + "; echo "
                   + std::to_string(number)},
          .env = env};
      exec.cwd = project().string();
      const auto captured = os::run(exec, {}, std::chrono::minutes(2));
      results[number] = {captured.outcome.shell_status(), captured.out, captured.err};
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (std::size_t number = 0; number < results.size(); ++number) {
    EXPECT_EQ(results[number].out, std::to_string(number) + "\n") << results[number];
  }
}

} // namespace
} // namespace pyro::testing

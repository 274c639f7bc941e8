// What commands cost that does not depend on the machine: system calls of the command's own process and
// writes that wait for the disk. Bounds are what was counted when they were written, and a tenth: who goes
// beyond has made a command slower, or writes down here why it is worth it.
#include "../support/home.hpp"

#include <pyro/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace pyro::testing {
namespace {

struct Counted {
  std::size_t calls = 0;
  std::size_t durable = 0;     // fsync and the like
  std::size_t connections = 0; // to supervisors
  std::string text;            // of all of them, for who has to find out
};

enum class Children { left_out, counted };

/// Where the file system is not synced as a whole: of its baseline and its record, each with its directory.
constexpr std::size_t k_durable_of_a_fork = 4;

class SystemCalls : public Functional {
protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "counted as root: newuidmap has no rights where it is traced";
    }
    Functional::SetUp();
  }

  /// Of children only those that execute no other program.
  Counted count(const Arguments& arguments, Children children = Children::left_out) {
    const auto trace = root() / "trace";
    Arguments argv{"strace", "-qq", "-o", trace.string()};
    if (children == Children::counted) {
      argv.insert(argv.end(), {"-f", "-b", "execve"});
    }
    argv.push_back((bin / "pyro").string());
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    // Each directory of PATH that lacks a program is a call.
    const auto result = command(argv, {.env = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}}});
    EXPECT_EQ(result.status, 0) << result;
    Counted counted;
    counted.text = read_file(trace);
    for (auto line : lines_of(counted.text)) {
      line.remove_prefix(std::min(line.find_first_not_of("0123456789 "), line.size())); // the child's number
      const auto name = line.substr(0, line.find('('));
      const bool is_call = name.size() < line.size() && !line.starts_with('<');
      counted.calls += is_call ? 1 : 0;
      counted.durable += name == "fsync" || name == "fdatasync" || name == "syncfs" ? 1 : 0;
      counted.connections += name == "connect" ? 1 : 0;
    }
    return counted;
  }

  static void expect_at_most(const Counted& counted, std::size_t calls, std::size_t durable) {
    EXPECT_GT(counted.calls, 50U) << "nothing was counted";
    EXPECT_LE(counted.calls, calls + calls / 10) << counted.text;
    EXPECT_LE(counted.durable, durable) << counted.text;
  }

  void one_small_project() {
    write_file(project() / "file", "text\n");
    spec("snapshots: {clean: {at: seed}}\n");
    expect(0, {"apply"});
    inside("true"); // the first command makes what the later ones find
  }
};

TEST_F(SystemCalls, OfExec) {
  one_small_project();
  expect_at_most(count({"exec", "--", "true"}), 182, 0);
}

TEST_F(SystemCalls, OfAnApplyThatChangesNothing) {
  one_small_project();
  expect(0, {"apply"});
  expect_at_most(count({"apply"}), 515, 0);
}

TEST_F(SystemCalls, OfAReset) {
  one_small_project();
  inside("echo one > new; echo two > file");
  expect(0, {"reset"});
  inside("echo one > new; echo two > file");
  expect_at_most(count({"reset"}), 452, 2);
}

TEST_F(SystemCalls, OfASavedSnapshot) {
  one_small_project();
  inside("echo one > new; echo two > file");
  expect_at_most(count({"snapshot", "save", "first"}), 545, 11);
}

TEST_F(SystemCalls, OfAFork) {
  one_small_project();
  inside("echo one > new; echo two > file");
  expect_at_most(count({"fork", "copy"}), 830, 14);
}

/// All of them wait for the disk together.
TEST_F(SystemCalls, OfManyForksWaitForTheDiskLikeThoseOfOne) {
  one_small_project();
  inside("echo one > new; echo two > file");
  const auto one = count({"fork", "one"}, Children::counted);
  const auto four = count({"fork", "--count", "4", "four"}, Children::counted);
  EXPECT_GT(one.durable, 0U) << one.text;
  EXPECT_LE(four.durable, one.durable + 3 * k_durable_of_a_fork) << four.text;
}

TEST_F(SystemCalls, OfStatusAreOneConnection) {
  one_small_project();
  const auto status = count({"status"});
  expect_at_most(status, 325, 0);
  EXPECT_EQ(status.connections, 1U) << status.text;
}

/// Workspaces that somebody has are found by an index, not by reading the records of all.
TEST_F(SystemCalls, DoNotGrowWithTheWorkspacesThereAre) {
  one_small_project();
  const std::vector<Arguments> commands{{"exec", "--", "true"}, {"status"}, {"apply"}};
  std::vector<Counted> few;
  for (const auto& arguments : commands) {
    few.push_back(count(arguments));
  }
  const auto id = *workspace_ids().begin();
  const auto record = Json::parse(read_file(state() / "workspaces" / id / "workspace.json"));
  constexpr int k_others = 60;
  const auto other = [&](int number) {
    return state() / "workspaces" / fmt::format("00000000{:04}", number);
  };
  for (int number = 0; number < k_others; ++number) {
    auto copy = record;
    copy["workspace_id"] = other(number).filename().string();
    copy["name"] = fmt::format("other-{}", number);
    copy["identity_key"] = fmt::format("other-{}", number);
    copy["state"] = "stopped";
    copy["supervisor"] = nullptr;
    write_file(other(number) / "workspace.json", copy.dump());
  }
  expect(0, {"status"}); // takes them in
  for (std::size_t index = 0; index < commands.size(); ++index) {
    const auto many = count(commands[index]);
    EXPECT_LE(many.calls, few[index].calls + few[index].calls / 5) << few[index].text << "\n" << many.text;
  }
  for (int number = 0; number < k_others; ++number) {
    fs::remove_all(other(number));
  }
}

TEST_F(SystemCalls, OfADiffDoNotGrowWithTheTree) {
  one_small_project();
  inside("echo two > file");
  const auto few = count({"diff", "--json"});
  for (int directory = 0; directory < 20; ++directory) {
    for (int file = 0; file < 50; ++file) {
      write_file(project() / std::to_string(directory) / std::to_string(file), "text\n");
    }
  }
  expect(0, {"apply", "--yes"});
  inside("echo two > file");
  const auto many = count({"diff", "--json"});
  EXPECT_LE(many.calls, few.calls + few.calls / 10) << few.text << "\n" << many.text;
}

} // namespace
} // namespace pyro::testing

// What commands cost that does not depend on the machine: system calls of the command's own process and
// writes that wait for the disk. Bounds are what was counted when they were written, and a tenth: who goes
// beyond has made a command slower, or writes down here why it is worth it.
#include "../support/home.hpp"

#include <pyro/base/text.hpp>

#include <algorithm>

namespace pyro::testing {
namespace {

struct Counted {
  std::size_t calls = 0;
  std::size_t durable = 0; // fsync and the like
  std::string text;        // of all of them, for who has to find out
};

class SystemCalls : public Functional {
protected:
  Counted count(const Arguments& arguments) {
    const auto trace = root() / "trace";
    Arguments argv{"strace", "-qq", "-o", trace.string(), (bin / "pyro").string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    // Each directory of PATH that lacks a program is a call.
    const auto result = command(argv, {.env = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}}});
    EXPECT_EQ(result.status, 0) << result;
    Counted counted;
    counted.text = read_file(trace);
    for (const auto& line : lines_of(counted.text)) {
      const auto name = line.substr(0, line.find('('));
      counted.calls += line.find('(') != std::string::npos ? 1 : 0;
      counted.durable += name == "fsync" || name == "fdatasync" || name == "syncfs" ? 1 : 0;
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
  expect_at_most(count({"exec", "--", "true"}), 250, 0);
}

TEST_F(SystemCalls, OfAnApplyThatChangesNothing) {
  one_small_project();
  expect(0, {"apply"});
  expect_at_most(count({"apply"}), 970, 1);
}

TEST_F(SystemCalls, OfAReset) {
  one_small_project();
  inside("echo one > new; echo two > file");
  expect(0, {"reset"});
  inside("echo one > new; echo two > file");
  expect_at_most(count({"reset"}), 750, 2);
}

TEST_F(SystemCalls, OfASavedSnapshot) {
  one_small_project();
  inside("echo one > new; echo two > file");
  expect_at_most(count({"snapshot", "save", "first"}), 750, 12);
}

TEST_F(SystemCalls, OfAFork) {
  one_small_project();
  inside("echo one > new; echo two > file");
  expect_at_most(count({"fork", "copy"}), 1000, 15);
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

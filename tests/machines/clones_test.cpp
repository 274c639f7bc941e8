// What two clones of one saved guest must not share.
#include "machines.hpp"

#include <pyro/base/json_access.hpp>

#include <ctime>
#include <fstream>
#include <sstream>

namespace pyro::testing {
namespace {

constexpr const char* k_who_am_i = "dd if=/dev/urandom bs=16 count=1 2>/dev/null | md5sum; "
                                   "cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid "
                                   "/etc/machine-id /proc/sys/kernel/hostname; date +%s";

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> all;
  for (std::string line; std::getline(in, line);) {
    all.push_back(line);
  }
  return all;
}

class Clones : public Machines {};

TEST_F(Clones, AreStrangersToEachOther) {
  const auto other = another_project("other");
  machine(other, "two");
  expect(0, {"apply", "--yes"});
  expect(0, {"apply", "--yes"}, {.cwd = other});
  const auto before = std::time(nullptr);
  const auto one = lines(inside(k_who_am_i).out);
  const auto two = lines(inside(k_who_am_i, {.cwd = other}).out);
  expect(0, {"reset", "--yes"});
  const auto again = lines(inside(k_who_am_i).out);
  const auto after = std::time(nullptr);
  ASSERT_EQ(one.size(), 6U);
  ASSERT_EQ(two.size(), 6U);
  ASSERT_EQ(again.size(), 6U);
  for (const std::size_t line : {0U, 1U, 2U}) {
    EXPECT_NE(one[line], two[line]) << "random numbers, boot id";
    EXPECT_NE(one[line], again[line]) << "random numbers, boot id, after a reset";
  }
  EXPECT_NE(one[3], two[3]) << "machine id";
  EXPECT_EQ(one[3], again[3]) << "a workspace keeps its machine id";
  EXPECT_EQ(one[4], "one");
  EXPECT_EQ(two[4], "two");
  for (const auto& seen : {one, two, again}) {
    EXPECT_GE(std::stol(seen[5]), before - 1) << "the clock";
    EXPECT_LE(std::stol(seen[5]), after + 1) << "the clock";
  }
}

TEST_F(Clones, KnowTheirOwnNames) {
  write_file(root() / "busybox/etc/hosts", "192.0.2.7 elsewhere\n");
  const auto other = another_project("other");
  machine(other, "two");
  for (const auto& [directory, name] : {std::pair{project(), "one"}, {other, "two"}}) {
    const RunOptions there{.cwd = directory};
    expect(0, {"apply", "--yes"}, there);
    for (const auto* again : {"", "reset", "stop"}) {
      if (*again != '\0') {
        expect(0, {again}, there);
        expect(0, {"apply", "--yes"}, there);
      }
      EXPECT_EQ(
          inside("hostname -i; grep 'name of this sandbox' /etc/hosts; head -n1 /etc/hosts", there).out,
          "127.0.0.1\n127.0.0.1\t" + std::string(name)
              + " # the name of this sandbox, by pyro\n192.0.2.7 elsewhere\n")
          << name << " " << again;
      inside("echo 192.0.2.5 mine >> /etc/hosts", there);
    }
    EXPECT_EQ(json({"diff", "/"}, there)["entries"].size(), 0U);
  }
}

class Templates : public Machines {
protected:
  void SetUp() override {
    Machines::SetUp();
    ::setenv("PYRO_TEMPLATES", (root() / "templates").c_str(), 1);
  }
};

TEST_F(Templates, ADamagedOneIsMadeAnewAndTold) {
  expect(0, {"apply", "--yes"});
  int damaged = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root() / "templates")) {
    if (entry.path().filename() == "state") {
      fs::permissions(entry.path(), fs::perms::owner_all);
      std::ofstream(entry.path(), std::ios::app) << "x";
      ++damaged;
    }
  }
  EXPECT_EQ(damaged, 2) << "one of the machine, one of the stack";
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat a.txt /tmp/up").out, "one\nup\n");
  EXPECT_NE(expect(0, {"status"}).all().find("damaged"), std::string::npos);
}

TEST_F(Templates, CanBeDoneWithout) {
  ::setenv("PYRO_TEMPLATE_BUDGET", "0", 1);
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat a.txt").out, "one\n");
  EXPECT_FALSE(
      fs::exists(root() / "templates") && !fs::is_empty(root() / "templates")
      && std::any_of(
          fs::directory_iterator(root() / "templates"), fs::directory_iterator(),
          [](const auto& e) { return e.is_directory(); }));
  ::unsetenv("PYRO_TEMPLATE_BUDGET");
}

} // namespace
} // namespace pyro::testing

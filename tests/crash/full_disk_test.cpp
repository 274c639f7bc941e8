// Every operation on a disk with no room, and with ever more until it succeeds: one clear error, the state as
// before or as after, and what ends a workspace works in any case.
#include "../support/leftovers.hpp"
#include "private_mounts.hpp"
#include "scenarios.hpp"

#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace pyro::testing {
namespace {

/// All of a test on a file system of its own.
class SmallDisk : public World {
protected:
  void SetUp() override {
    if (const auto why = enter_private_mounts(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    auto pattern = std::string("/tmp/pyro-disk-XXXXXX");
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    m_disk = pattern;
    mount_small_disk(m_disk, "96m");
    if (const char* before = std::getenv("PYRO_TEST_DIR")) {
      m_before = before;
    }
    ::setenv("PYRO_TEST_DIR", m_disk.c_str(), 1);
    World::SetUp();
  }

  void TearDown() override {
    if (m_disk.empty()) {
      return;
    }
    make_room();
    World::TearDown();
    m_before.empty() ? ::unsetenv("PYRO_TEST_DIR") : ::setenv("PYRO_TEST_DIR", m_before.c_str(), 1);
    EXPECT_TRUE(eventually([&] { return ::umount2(m_disk.c_str(), 0) == 0; })) << "still in use";
    ::rmdir(m_disk.c_str());
  }

  fs::path filler() const { return m_disk / "filler"; }

  /// Takes all of the disk but so many pages; more than before where it was taken already.
  void fill(unsigned long pages_left) const {
    struct statvfs status {};

    ASSERT_EQ(::statvfs(m_disk.c_str(), &status), 0);
    if (status.f_bavail <= pages_left) {
      return;
    }
    const int fd = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    const auto size = static_cast<off_t>((status.f_bavail - pages_left) * status.f_frsize);
    EXPECT_EQ(::posix_fallocate(fd, ::lseek(fd, 0, SEEK_END), size), 0);
    ::close(fd);
  }

  void make_room() const { fs::remove(filler()); }

  static void expect_clear(const Result& result) {
    const auto at = result.err.find("pyro: error: ");
    ASSERT_NE(at, std::string::npos) << result;
    EXPECT_EQ(result.err.find("pyro: error: ", at + 1), std::string::npos)
        << "more than one error: " << result;
    EXPECT_NE(result.err.find("No space left on device"), std::string::npos)
        << "does not say what: " << result;
    const bool says_where = result.err.find('/', at) != std::string::npos
                            || result.err.find("while ", at) != std::string::npos
                            || result.err.find('\'', at) != std::string::npos;
    EXPECT_TRUE(says_where) << result;
    EXPECT_EQ(result.err.find("internal"), std::string::npos) << result;
  }

  fs::path m_disk;

private:
  std::string m_before;
};

class FullDiskAsRoot : public SmallDisk, public ::testing::WithParamInterface<Scenario> {};

TEST_P(FullDiskAsRoot, BeforeOrAfter) {
  const auto& scenario = GetParam();
  const RunOptions with{.env = scenario.env};
  const auto prepare = [&] {
    renew_seed();
    scenario.prepare(*this);
  };
  prepare();
  const auto before = observe();
  ASSERT_EQ(pyro(scenario.command(*this), with).status, 0);
  const auto after = observe();
  clear();
  bool failed = false;
  for (const unsigned long pages : {0, 1, 2, 3, 5, 8, 12, 18, 28, 45, 80, 160, 400, 1000}) {
    SCOPED_TRACE(scenario.name + " with " + std::to_string(pages) + " pages left");
    prepare();
    const auto command = scenario.command(*this);
    fill(pages);
    const auto result = pyro(command, with);
    make_room();
    if (result.status != 0 && !scenario.one_by_one
        && scenario.name != "exec") { // there the command itself cannot write
      expect_clear(result);
    }
    failed = failed || result.status != 0;
    const auto now = observe();
    constexpr int k_partial = 3;
    const bool is_part = scenario.one_by_one && result.status == k_partial && now.size() < after.size();
    const bool is_between = now == before || now == after;
    EXPECT_TRUE(is_between || scenario.in_steps || scenario.name == "exec" || is_part)
        << "to before: " << difference(now, before) << "\nto after: " << difference(now, after) << "\n"
        << result;
    expect_sound();
    if (!is_part && (now != after || scenario.repeatable)) {
      const auto again = pyro(command, with);
      EXPECT_EQ(again.status, 0) << "with room: " << again;
      EXPECT_EQ(observe(), after) << again;
    }
    expect_tidy();
    clear();
    if (HasFailure() || (result.status == 0 && pages > 0)) {
      break;
    }
  }
  RecordProperty("failed_for_want_of_room", failed ? "yes" : "no");
}

INSTANTIATE_TEST_SUITE_P(Fault, FullDiskAsRoot, ::testing::ValuesIn(scenarios()), [](const auto& info) {
  return info.param.name;
});

class EndOnFullDiskAsRoot : public SmallDisk {};

TEST_F(EndOnFullDiskAsRoot, DeleteGivesTheRoomBack) {
  make_workspace();
  fill(0);
  expect(0, {"workspace", "delete", "w"});
  EXPECT_TRUE(eventually([&] { return leftovers(state().string(), {}).empty(); }));
}

TEST_F(EndOnFullDiskAsRoot, DeleteOfOneWhoseSandboxDied) {
  make_workspace();
  for (const auto pid : supervisors()) {
    ::kill(pid, SIGKILL);
  }
  EXPECT_TRUE(eventually([&] { return supervisors().empty(); }));
  fill(0);
  expect(0, {"workspace", "delete", "w"});
  EXPECT_TRUE(eventually([&] { return leftovers(state().string(), {}).empty(); }));
}

TEST_F(EndOnFullDiskAsRoot, DestroyThatCanBeUndone) {
  declare();
  expect(0, {"apply", "--yes"});
  fill(0);
  expect(0, {"destroy", "--yes"});
  EXPECT_TRUE(eventually([&] { return supervisors().empty(); }));
  make_room();
  expect(0, {"undo"});
  EXPECT_EQ(inside("cat a.txt").out, "one\ntwo\n");
}

TEST_F(EndOnFullDiskAsRoot, StopOfOneThatFilledItItself) {
  make_workspace();
  const auto filling = pyro({"workspace", "exec", "w", "--", "sh", "-c", "cat /dev/zero > zeros"});
  EXPECT_NE(filling.status, 0) << "the disk was never full";
  expect(0, {"workspace", "stop", "w"});
  expect(0, {"workspace", "delete", "w"});
}

class RoomAsRoot : public SmallDisk {
protected:
  static constexpr unsigned long k_mib = 256; // pages

  void expect_refused(const std::string& needs) {
    const auto refused = pyro({"apply", "--yes"});
    EXPECT_EQ(refused.status, 1) << refused;
    expect_clear(refused);
    EXPECT_TRUE(contains(refused.err, needs) && contains(refused.err, "pyro prune")) << refused;
    EXPECT_FALSE(contains(refused.err, ": building")) << "something was done before: " << refused;
  }
};

TEST_F(RoomAsRoot, ASeedThatCannotFitIsRefusedAtOnceAndAnEditOfItIsNot) {
  declare();
  for (const auto* name : {"one", "two", "three"}) {
    write_file(seed() / name, std::string(8 << 20, name[0]));
  }
  fill(20 * k_mib);
  expect_refused("seed needs at least 24.0 MiB");
  EXPECT_TRUE(workspace_ids().empty());
  make_room();
  expect(0, {"apply", "--yes"});
  write_file(seed() / "a.txt", "edited\n");
  fill(8 * k_mib);
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat a.txt").out, "edited\n");
  clear();
}

TEST_F(RoomAsRoot, AStepThatWouldBeStoppedIsNotBegun) {
  declare();
  expect(0, {"apply", "--yes"});
  replace_in_file(project() / "pyro.yaml", "cat a.txt", "cat  a.txt");
  fill(k_mib / 2);
  expect_refused("prepare.work needs at least");
  EXPECT_EQ(inside("cat made.txt").status, 0);
  expect(0, {"reset", "--yes"}); // copies nothing
  make_room();
  expect(0, {"apply", "--yes"});
  clear();
}

/// What frees room, and what has to be done first to be able to: on a disk without one free page.
struct WayOut {
  std::string name;
  std::function<void(World&)> prepare;
  std::vector<std::string> command;
  std::function<void(World&)> oracle; // once there is room again
};

void made_and_edited(World& world) {
  world.make_workspace();
  world.expect(0, {"workspace", "snapshot", "create", "w", "point"});
  world.expect(0, {"workspace", "exec", "w", "--", "sh", "-c", "echo later > later"});
}

void declared_and_edited(World& world) {
  world.declare();
  world.expect(0, {"apply", "--yes"});
  world.expect(0, {"exec", "--", "sh", "-c", "echo edited > edited"});
}

void stopped(World& world) {
  declared_and_edited(world);
  world.expect(0, {"stop"});
}

std::ostream& operator<<(std::ostream& out, const WayOut& way) {
  return out << way.name;
}

std::function<void(World&)> expect_inside(std::string command, std::string wanted) {
  return [command = std::move(command), wanted = std::move(wanted)](World& world) {
    const auto result =
        world.pyro({"exec", "-w", world.json({"ls"})["workspaces"][0]["name"], "--", "sh", "-c", command});
    EXPECT_EQ(result.out, wanted) << result;
  };
}

std::function<void(World&)> expect_state(std::string wanted) {
  return [wanted = std::move(wanted)](World& world) {
    EXPECT_EQ(world.json({"ls"})["workspaces"][0]["state"], wanted);
  };
}

std::vector<WayOut> ways_out() {
  const auto edited = expect_inside("cat edited", "edited\n");
  const auto as_made = expect_inside("ls edited later 2>/dev/null; cat a.txt", "one\ntwo\n");
  return {
      {"workspace_reset", made_and_edited, {"workspace", "reset", "w"}, as_made},
      {"workspace_reset_to_snapshot",
       made_and_edited,
       {"workspace", "reset", "w", "--snapshot", "point"},
       expect_inside("ls later 2>/dev/null; cat edited", "by hand\n")},
      {"workspace_snapshot_delete",
       made_and_edited,
       {"workspace", "snapshot", "delete", "w", "point"},
       [](World& world) {
         EXPECT_EQ(world.json({"workspace", "snapshot", "list", "w"})["count"], 1);
       }},
      {"workspace_stop", made_and_edited, {"workspace", "stop", "w"}, expect_state("stopped")},
      {"reset", declared_and_edited, {"reset", "--yes"}, as_made},
      {"reset_of_stopped", stopped, {"reset", "--yes"}, as_made},
      {"undo",
       [](World& world) {
         declared_and_edited(world);
         world.expect(0, {"reset", "--yes"});
       },
       {"undo"},
       edited},
      {"stop", declared_and_edited, {"stop"}, expect_state("stopped")},
      {"start", stopped, {"start"}, edited},
      {"apply_with_nothing_to_do", declared_and_edited, {"apply", "--yes"}, edited},
      {"apply_of_stopped", stopped, {"apply", "--yes"}, edited},
      {"plan",
       [](World& world) {
         declared_and_edited(world);
         append_file(world.seed() / "a.txt", "changed\n"); // a cache that cannot be saved
       },
       {"plan"},
       edited},
      {"destroy",
       declared_and_edited,
       {"destroy", "--yes"},
       [](World& world) {
         world.expect(0, {"undo"});
       }},
      {"prune",
       [](World& world) {
         made_and_edited(world);
         world.expect(0, {"workspace", "delete", "w"});
         declared_and_edited(world);
       },
       {"prune"},
       edited},
  };
}

class WayOutOnFullDiskAsRoot : public SmallDisk, public ::testing::WithParamInterface<WayOut> {};

TEST_P(WayOutOnFullDiskAsRoot, Succeeds) {
  GetParam().prepare(*this);
  fill(0);
  const auto result = pyro(GetParam().command);
  EXPECT_EQ(result.status, 0) << result;
  make_room();
  if (result.status == 0) {
    GetParam().oracle(*this);
  }
  expect_sound();
  clear();
}

INSTANTIATE_TEST_SUITE_P(
    Fault, WayOutOnFullDiskAsRoot, ::testing::ValuesIn(ways_out()),
    [](const auto& info) { return info.param.name; });

/// Somebody takes whatever becomes free, all the time.
TEST_F(EndOnFullDiskAsRoot, OneAfterTheOtherWhileItStaysFull) {
  declared_and_edited(*this);
  const std::vector<Arguments> round{{"stop"}, {"start"},          {"reset", "--yes"},   {"ls"},
                                     {"undo"}, {"apply", "--yes"}, {"destroy", "--yes"}, {"undo"},
                                     {"plan"}};
  for (int times = 0; times < 3; ++times) {
    for (const auto& arguments : round) {
      fill(0);
      const auto result = pyro(arguments);
      EXPECT_EQ(result.status, 0) << arguments[0] << ", round " << times << ": " << result;
    }
  }
  fill(0);
  expect(0, {"destroy", "--yes", "--snapshots"});
  EXPECT_TRUE(eventually([&] { return leftovers(state().string(), {}).empty(); }));
}

/// Nothing is left of the reserve, and the sandbox died: whoever looks is told, and it can be removed.
TEST_F(EndOnFullDiskAsRoot, LookingAndRemovingNeedNoRoomAtAll) {
  declared_and_edited(*this);
  for (const auto pid : supervisors()) {
    ::kill(pid, SIGKILL);
  }
  EXPECT_TRUE(eventually([&] { return supervisors().empty(); }));
  fs::remove(state() / "reserve");
  fill(0);
  for (const Arguments& arguments : {Arguments{"ls"}, Arguments{"status"}, Arguments{"snapshot", "ls"}}) {
    const auto result = expect(0, arguments);
    EXPECT_EQ(result.out.find("started"), std::string::npos) << result;
  }
  expect(0, {"destroy", "--yes", "--snapshots"});
  EXPECT_TRUE(eventually([&] { return leftovers(state().string(), {}).empty(); }));
}

TEST_F(EndOnFullDiskAsRoot, ResetOfOneThatFilledItItself) {
  declared_and_edited(*this);
  EXPECT_NE(pyro({"exec", "--", "sh", "-c", "cat /dev/zero > zeros"}).status, 0) << "the disk was never full";
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(pyro({"exec", "--", "ls", "zeros"}).status, 1);
}

} // namespace
} // namespace pyro::testing

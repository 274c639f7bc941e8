// A mirror against the real agent program: random trees, changed again and again; what is found is compared
// entry by entry with what the agent's side has.
#include "mirror_fixture.hpp"

#include <pyro/os/tree_walk.hpp>

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <random>

namespace pyro::mirror {

namespace {

class MirrorTest : public MirrorFixture {};

TEST_F(MirrorTest, holdsWhatTheAgentHas) {
  make_directory("work", 01777);
  make_file("work/plain", "hello\n");
  make_file("work/empty", "");
  make_file("work/odd \n\xff name", "odd");
  make_file("work/tool", "#!/bin/sh\n", 04755);
  make_sparse("work/sparse", 3 << 20);
  make_symlink("work/link", "../../../etc/passwd");
  make_whiteout("work/deleted");
  make_directory("work/opaque");
  set_attribute("work/opaque", "user.overlay.opaque", "y");
  set_attribute("work/opaque", "user.overlay.origin", "bookkeeping");
  set_attribute("work/plain", "user.note", std::string("a\0b", 3));
  make_link("work/plain", "work/second");
  make_link("work/plain", "work/opaque/third");
  make_fifo("work/fifo");
  make_socket("work/socket");
  set_time("work/plain", -1'500'000'000);
  set_time("work/opaque", 1'234'567'890'123'456'789);

  const auto report = refresh();

  EXPECT_EQ(report.skipped, 1U) << "the socket";
  EXPECT_EQ(report.fetched, 5U);
  EXPECT_EQ(difference(), "");
  EXPECT_LT(blocks_of("work/sparse") * 512, 1 << 20) << "holes stay holes";
}

TEST_F(MirrorTest, fetchesOnlyWhatChanged) {
  for (int index = 0; index < 300; ++index) {
    make_file(fmt::format("file-{}", index), std::to_string(index));
  }
  refresh_settled();
  const auto before = status_in_mirror("file-7");
  make_file("file-100", "changed");
  make_file("new", "new");
  remove("file-200");

  const auto report = refresh();

  EXPECT_EQ(report.fetched, 2U);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(difference(), "");
  const auto after = status_in_mirror("file-7");
  EXPECT_EQ(after.st_ino, before.st_ino) << "what did not change is not touched";
  EXPECT_EQ(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
  refresh_settled();
  const auto idle = refresh();
  EXPECT_EQ(idle.changed + idle.removed + idle.fetched, 0U);
}

TEST_F(MirrorTest, aRenamedDirectoryIsNotFetchedAgain) {
  make_directory("one/two");
  for (int index = 0; index < 50; ++index) {
    make_file(fmt::format("one/two/{}", index), std::to_string(index));
  }
  refresh_settled();
  rename("one", "other");

  const auto report = refresh();

  EXPECT_EQ(report.fetched, 0U);
  EXPECT_EQ(report.moved, 50U);
  EXPECT_EQ(difference(), "");
}

TEST_F(MirrorTest, aFileThatChangedWithinATickIsNotMissed) {
  for (int round = 0; round < 200; ++round) {
    make_file("same", fmt::format("{:06}", round)); // the same size, often the same tick
    set_time("same", 1'000'000'000);
    refresh();
    ASSERT_EQ(difference(), "") << round;
  }
}

TEST_F(MirrorTest, kindsReplaceEachOther) {
  const std::vector<std::function<void()>> makers{
      [&] { make_file("thing", "file"); },
      [&] {
        make_directory("thing/below/deep");
        make_file("thing/below/file", "x");
      },
      [&] { make_symlink("thing", "target"); },
      [&] { make_whiteout("thing"); },
      [&] { make_fifo("thing"); },
      [&] { make_socket("thing"); },
      [&] {},
  };
  for (const auto& first : makers) {
    for (const auto& second : makers) {
      for (const auto* maker : {&first, &second}) {
        remove("thing");
        (*maker)();
        refresh();
        ASSERT_EQ(difference(), "");
      }
    }
  }
}

TEST_F(MirrorTest, aRefreshCutOffIsRepaired) {
  make_directory("a");
  make_file("a/kept", "kept");
  make_file("a/file", "one");
  refresh_settled();
  // As if one had been killed in the middle: what neither list knows lies there, what both know is not.
  rename("a", "b");
  refresh_settled();
  rename("b", "a");
  note_change_begun();
  write_in_mirror("b/left", "left");
  write_in_mirror("c", "left");
  forget_in_mirror("b/kept");
  refresh();
  EXPECT_EQ(difference(), "");

  refresh_settled();
  note_change_begun();
  write_in_mirror("a/file", "two"); // the same size
  forget_in_mirror("a/kept");
  refresh();
  EXPECT_EQ(difference(), "");
}

TEST_F(MirrorTest, everyKilledRefreshIsRepaired) {
  std::mt19937 random(7);
  for (int round = 0; round < 12; ++round) {
    change_at_random(random, 30);
    const bool was_killed = refresh_killed_after(std::chrono::microseconds(300 + 700 * round));
    change_at_random(random, round % 3);
    refresh();
    ASSERT_EQ(difference(), "") << "round " << round << (was_killed ? ", killed" : "");
  }
}

TEST_F(MirrorTest, anIndexThatIsRubbishIsDoneWithout) {
  make_file("file", "content");
  refresh_settled();
  write_index("rubbish");
  EXPECT_EQ(refresh().fetched, 1U);
  EXPECT_EQ(difference(), "");
}

TEST_F(MirrorTest, randomTreesStayEqual) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    std::mt19937 random(seed);
    for (int round = 0; round < 12; ++round) {
      change_at_random(random, 25);
      refresh();
      ASSERT_EQ(difference(), "") << "seed " << seed << ", round " << round;
    }
  }
}

TEST_F(MirrorTest, pathsLongerThanTheSystemTakes) {
  const auto top = make_deep("deep", 60, std::string(200, 'd'));
  const auto report = refresh();
  EXPECT_EQ(report.fetched, 1U);
  EXPECT_EQ(difference(), "");
  EXPECT_GT(top, 4096U);
  remove("deep");
  refresh();
  EXPECT_EQ(difference(), "");
}

TEST_F(MirrorTest, anAgentThatSettlesEndsEverybodyAndStays) {
  with_agent([&](backend::ControlClient& client) {
    const auto script = fmt::format(
        "trap 'echo last > {0}; exit' TERM; touch {1}; while :; do sleep 0.02; done", source("file"),
        source("ready"));
    const auto call = client.open("/exec", {{"argv", {"/bin/sh", "-c", script}}}, {});
    while (!os::exists(source("ready"))) {
      client.loop().turn(std::chrono::milliseconds(5));
    }
    client.call("/upper/settle", {{"grace_ms", 5000}});
    EXPECT_TRUE(os::exists(source("file")));
    return refresh_mirror(client, generation(), direct());
  });
  EXPECT_EQ(difference(), "");
}

TEST_F(MirrorTest, whileTheTreeChanges) {
  start_churn();
  for (int round = 0; round < 20; ++round) {
    refresh();
  }
  stop_churn();
  refresh();
  EXPECT_EQ(difference(), "");
}

} // namespace

} // namespace pyro::mirror

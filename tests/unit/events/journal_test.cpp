#include "../../support/files.hpp"

#include <pyro/events/journal.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>

#include <gtest/gtest.h>

#include <set>
#include <unistd.h>

namespace pyro::events::test {

namespace {

namespace fs = std::filesystem;
using pyro::testing::append_file;
using pyro::testing::read_file;
using pyro::testing::write_file;

class EventJournal : public ::testing::Test {
protected:
  /// `count` events by a process of its own.
  os::Child writer(int who, int count) const {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int i = 0; i < count; ++i) {
        journal.add({{"who", who}, {"number", i}, {"text", std::string(300, 'x')}});
      }
      ::_exit(0);
    }
    return os::Child(child);
  }

  std::string directory() const { return (fs::path(m_directory.path()) / "home" / "events").string(); }

  fs::path current() const { return fs::path(directory()) / "current.jsonl"; }

private:
  os::TempDir m_directory{"/tmp", "pyro-event-journal"};
  bool m_made = fs::create_directories(fs::path(m_directory.path()) / "home");

public:
  Journal journal{directory()};
};

TEST_F(EventJournal, WhoFollowsSeesEachEventOnceWhoeverWritesAndWheneverAFileIsFull) {
  constexpr int k_writers = 4;
  constexpr int k_events = 2500; // of all together more than one file holds, and less than two
  std::string cursor = journal.read("", 0, "").cursor;
  std::vector<os::Child> writers;
  for (int who = 0; who < k_writers; ++who) {
    writers.push_back(writer(who, k_events));
  }
  std::multiset<std::pair<int, int>> seen;
  const auto follow = [&] {
    auto page = journal.read(cursor, 0, "");
    for (const auto& event : page.events) {
      seen.emplace(event["who"], event["number"]);
    }
    cursor = page.cursor;
  };
  for (auto& one : writers) {
    while (!one.try_wait()) {
      follow();
    }
  }
  follow();
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(k_writers) * k_events);
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), seen.size());
  EXPECT_TRUE(fs::exists(fs::path(directory()) / "00000001.jsonl"));
}

TEST_F(EventJournal, WhatIsKeptIsBounded) {
  constexpr int k_events = 40'000; // about 15 MB
  writer(0, k_events).wait();
  std::uint64_t bytes = 0;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(directory())) {
    bytes += entry.file_size();
    ++files;
  }
  EXPECT_EQ(files, 2);
  EXPECT_LT(bytes, 5U << 20);
  const auto page = journal.read("", 3, "");
  ASSERT_EQ(page.events.size(), 3U);
  EXPECT_EQ(page.events.back()["number"], k_events - 1);
  // Who comes with a place in what is gone goes on with the oldest that is there.
  const auto oldest = journal.read("1:0:0", 0, "").events.front()["number"].get<int>();
  EXPECT_GT(oldest, 0);
  EXPECT_EQ(journal.read("7000:12:0", 0, "").events.front()["number"], oldest);
}

TEST_F(EventJournal, AddedToAFileThatWasFullIsReadAllTheSame) {
  journal.add({{"text", "first"}});
  const auto cursor = journal.read("", 0, "").cursor;
  fs::rename(current(), fs::path(directory()) / "00000001.jsonl");
  journal.add({{"text", "third"}});
  auto page = journal.read(cursor, 0, "");
  ASSERT_EQ(page.events.size(), 1U);
  EXPECT_EQ(page.events[0]["text"], "third");
  const auto full = fs::path(directory()) / "00000001.jsonl";
  append_file(
      full, R"({"text":"second","ts":1})"
            "\n"); // who had it open
  page = journal.read(page.cursor, 0, "");
  ASSERT_EQ(page.events.size(), 1U);
  EXPECT_EQ(page.events[0]["text"], "second");
  EXPECT_TRUE(journal.read(page.cursor, 0, "").events.empty());
}

TEST_F(EventJournal, AWriterThatWasKilledInTheMiddleTakesNoOthersEventAlong) {
  journal.add({{"text", "before"}});
  append_file(current(), R"({"address":"services.web","te)");
  const auto cursor = journal.read("", 0, "").cursor;
  journal.add({{"text", "a {\"ts\":1} in it"}});
  const auto page = journal.read(cursor, 0, "");
  ASSERT_EQ(page.events.size(), 1U);
  EXPECT_EQ(page.events[0]["text"], "a {\"ts\":1} in it");
}

TEST_F(EventJournal, NothingIsWrittenWhereOthersCouldHavePutIt) {
  fs::create_directories(directory());
  write_file(fs::path(directory()) / "elsewhere", "");
  fs::create_symlink("elsewhere", current());
  journal.add({{"text", "x"}});
  EXPECT_EQ(read_file(fs::path(directory()) / "elsewhere"), "");
  fs::remove_all(directory());
  const auto home = fs::path(directory()).parent_path();
  fs::permissions(home, fs::perms::all);
  journal.add({{"text", "x"}});
  EXPECT_FALSE(fs::exists(directory()));
  fs::remove_all(home);
  journal.add({{"text", "x"}});
  EXPECT_FALSE(fs::exists(home)) << "purge has taken it away";
}

} // namespace

} // namespace pyro::events::test

// Files that others write to while a seed is scanned and copied: none of them stops it, and the digest is
// that of what was copied.
#include "git_fixture.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/seed/copy.hpp>

#include <sys/stat.h>

#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <thread>
#include <unistd.h>

namespace pyro::seed {

namespace {

class LiveFiles : public testing::Scratch {
protected:
  SeedRequest request() {
    SeedRequest result;
    result.source = m_root;
    return result;
  }

  void append(const std::string& path, const std::string& text) {
    std::ofstream(m_root + "/" + path, std::ios::app) << text;
  }

  std::string copied(SeedScan& scan, const std::string& path, const SeedCopyReport& report) {
    EXPECT_EQ(report.changed, std::vector<std::string>{});
    std::ifstream stream(destination() + "/workspace/" + path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(stream), {}};
    const auto* entry = scan.find(path);
    EXPECT_NE(entry, nullptr);
    if (entry != nullptr) {
      EXPECT_EQ(to_hex(entry->digest), sha256_of(content)) << path;
      EXPECT_EQ(entry->size, content.size()) << path;
    }
    return content;
  }

  std::string destination() {
    auto path = m_directory.path() + "/copy";
    os::make_directories(path);
    return path;
  }
};

TEST_F(LiveFiles, ALogThatGrewIsCopiedAsItWasScanned) {
  const std::string large(3 << 20, 'x'); // beyond what is read while it is copied
  write("small.log", "one\n");
  write("large.log", large);
  auto scan = scan_seed(request());
  const auto digest = scan.tree_digest();
  append("small.log", "two\n");
  append("large.log", "more");
  const auto report = materialise(scan, destination(), {});
  EXPECT_EQ(copied(scan, "small.log", report), "one\n");
  EXPECT_EQ(copied(scan, "large.log", report), large);
  EXPECT_EQ(report.restless.size(), 2U);
  EXPECT_EQ(scan.tree_digest(), digest);
}

TEST_F(LiveFiles, WhatChangedBeforeIsKeptByTheScan) {
  write("status", "first\n");
  write("other", "same\n");
  auto once_more = request();
  once_more.restless = {"status"};
  auto scan = scan_seed(once_more);
  write("status", "another text\n");
  const auto report = materialise(scan, destination(), {});
  EXPECT_EQ(copied(scan, "status", report), "first\n");
  ASSERT_EQ(scan.warnings().size(), 1U);
  EXPECT_EQ(
      scan.warnings()[0], (SeedWarning{"status", "it is being written to: taken as it was at one moment"}));
}

TEST_F(LiveFiles, AFileThatNeverHoldsStillIsTakenOnce) {
  constexpr std::size_t k_size =
      64 << 20; // reading it takes longer than a busy machine lets the writer sleep
  write("live", std::string(k_size, 'a'));
  write("still", "still\n");
  std::atomic<bool> is_over = false;
  std::thread writer([&] {
    const int file = ::open((m_root + "/live").c_str(), O_WRONLY | O_CLOEXEC);
    for (char letter = 'a'; !is_over; letter = letter == 'z' ? 'a' : static_cast<char>(letter + 1)) {
      EXPECT_EQ(::pwrite(file, &letter, 1, k_size / 2), 1);
    }
    ::close(file);
  });
  auto scan = scan_seed(request());
  const auto report = materialise(scan, destination(), {});
  is_over = true;
  writer.join();
  EXPECT_EQ(copied(scan, "live", report).size(), k_size);
  EXPECT_EQ(copied(scan, "still", report), "still\n");
  EXPECT_EQ(scan.warnings().size(), 1U);
}

TEST_F(LiveFiles, OutputsOfPyroItselfAreLeftOut) {
  write("apply.log", "[  0.0 s] environment: building\n");
  std::filesystem::create_directories(m_root + "/deep");
  std::filesystem::create_hard_link(m_root + "/apply.log", m_root + "/deep/same.log");
  write("kept", "kept\n");

  struct stat status {};

  ASSERT_EQ(::stat((m_root + "/apply.log").c_str(), &status), 0);
  auto without = request();
  without.own_outputs = {{status.st_dev, status.st_ino}};
  const auto scan = scan_seed(without);
  EXPECT_EQ(scan.find("apply.log"), nullptr);
  EXPECT_EQ(scan.find("deep/same.log"), nullptr);
  EXPECT_NE(scan.find("kept"), nullptr);
  ASSERT_EQ(scan.warnings().size(), 2U);
  EXPECT_EQ(scan.warnings()[0], (SeedWarning{"apply.log", "pyro itself writes to it: left out"}));
}

} // namespace
} // namespace pyro::seed

#include "git_fixture.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/seed/archive.hpp>
#include <pyro/seed/copy.hpp>
#include <pyro/seed/input_pattern.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <random>
#include <thread>
#include <unistd.h>

namespace pyro::seed {

namespace {

class SeedTest : public testing::Scratch {
protected:
  SeedRequest request(GitMode mode = GitMode::tracked_untracked) {
    SeedRequest result;
    result.source = m_root;
    result.git = mode;
    return result;
  }

  SeedRequest cached() {
    auto result = request();
    result.stat_cache = m_directory.path() + "/cache";
    return result;
  }

  static std::vector<std::string> paths(const SeedScan& scan) {
    std::vector<std::string> result;
    for (const auto& entry : scan.entries()) {
      result.emplace_back(entry.path);
    }
    return result;
  }

  /// Old enough to be trusted by the next scan.
  void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(60)); }

  std::string make_destination(const std::string& name) {
    std::string path = m_directory.path() + "/" + name;
    os::make_directories(path);
    return path;
  }
};

using Paths = std::vector<std::string>;

TEST_F(SeedTest, OutsideGitEverythingIsTaken) {
  write("b/x", "1");
  write("b-c", "2");
  write(".gitignore", "b\n");
  std::filesystem::create_directories(m_root + "/empty");
  auto scan = scan_seed(request());
  EXPECT_EQ(paths(scan), (Paths{".gitignore", "b", "b/x", "b-c", "empty"}));
}

TEST_F(SeedTest, ASourceThatIsASymlinkByNowIsNotFollowed) {
  const auto elsewhere = make_destination("elsewhere");
  const auto source = m_directory.path() + "/source";
  std::filesystem::create_directory_symlink(elsewhere, source);
  auto wanted = request();
  wanted.source = source;
  const auto code = [&] {
    try {
      scan_seed(wanted);
      return ErrorCode::internal;
    } catch (const Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code(), ErrorCode::stale);
  wanted.source = source + "/below";
  EXPECT_EQ(code(), ErrorCode::stale);
}

TEST_F(SeedTest, GitModes) {
  git({"init", "-q"});
  write(".gitignore", "*.log\nbuild/\nout/*\n");
  write("tracked.c", "1");
  write("forced.log", "kept, since it is tracked");
  write("build/in.txt", "kept too");
  git({"add", "-f", "."});
  write("new.c", "2");
  write("other.log", "3");
  write("build/out.o", "4");
  write("out/x", "5");
  std::filesystem::create_directories(m_root + "/empty");
  EXPECT_EQ(
      paths(scan_seed(request(GitMode::tracked))),
      (Paths{".gitignore", "build", "build/in.txt", "forced.log", "tracked.c"}));
  EXPECT_EQ(
      paths(scan_seed(request())),
      (Paths{".gitignore", "build", "build/in.txt", "forced.log", "new.c", "tracked.c"}));
  auto all = scan_seed(request(GitMode::all));
  EXPECT_NE(all.find(".git/HEAD"), nullptr);
  EXPECT_NE(all.find("out/x"), nullptr);
}

TEST_F(SeedTest, PyroignoreAndExcludeAreStronger) {
  git({"init", "-q"});
  write(".gitignore", ".env\n*.bin\n");
  write(".pyroignore", "docs/\n!.env\n");
  write("docs/a", "1");
  write("src/a.c", "2");
  write("src/a.tmp", "3");
  write(".env", "4");
  git({"add", "-A"});
  auto wanted = request();
  wanted.exclude = {"*.tmp", "/.pyroignore"};
  EXPECT_EQ(paths(scan_seed(wanted)), (Paths{".env", ".gitignore", "src", "src/a.c"}));
}

TEST_F(SeedTest, SubdirectoriesWorktreesAndNestedCheckouts) {
  git({"init", "-q"});
  write(".gitignore", "*.o\n/sub/gone\n");
  write("sub/a.c", "1");
  write("sub/a.o", "2");
  write("sub/gone", "3");
  git({"add", "-A"});
  git({"commit", "-qm", "x"});
  write("nested/b.c", "4");
  write("nested/c.tmp", "5");
  write("nested/.gitignore", "*.tmp\n");
  git({"init", "-q"}, {}, m_root + "/nested");
  EXPECT_EQ(
      paths(scan_seed(request())),
      (Paths{".gitignore", "nested", "nested/.gitignore", "nested/b.c", "sub", "sub/a.c"}));
  auto below = request();
  below.source = m_root + "/sub";
  EXPECT_EQ(paths(scan_seed(below)), (Paths{"a.c"}));
  std::string other = m_directory.path() + "/other";
  git({"worktree", "add", "-q", other});
  auto worktree = request();
  worktree.source = other;
  EXPECT_EQ(paths(scan_seed(worktree)), (Paths{".gitignore", "sub", "sub/a.c"}));
}

TEST_F(SeedTest, DigestFollowsContentAndModeButNotTimes) {
  write("a", "1");
  write("d/b", "2");
  std::filesystem::create_symlink("a", m_root + "/link");
  auto digest = [&] {
    return scan_seed(request()).tree_digest();
  };
  auto first = digest();
  const timespec times[2] = {{1000, 0}, {1000, 0}};
  ::utimensat(AT_FDCWD, (m_root + "/a").c_str(), times, 0);
  EXPECT_EQ(digest(), first);
  ::chmod((m_root + "/a").c_str(), 0755);
  auto executable = digest();
  EXPECT_NE(executable, first);
  write("d/b", "3");
  EXPECT_NE(digest(), executable);
  std::set<std::string> seen{first, executable, digest()};
  std::filesystem::remove(m_root + "/link");
  std::filesystem::create_symlink("d", m_root + "/link");
  EXPECT_TRUE(seen.insert(digest()).second);
  std::filesystem::rename(m_root + "/a", m_root + "/z");
  EXPECT_TRUE(seen.insert(digest()).second);
}

TEST_F(SeedTest, CacheGivesTheSameAnswersAsReading) {
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    write(fmt::format("d{}/e{}/f{}", i % 5, i % 3, i), std::to_string(i));
  }
  scan_seed(cached());
  settle();
  scan_seed(cached());
  for (int round = 0; round < 30; ++round) {
    auto number = random() % 60;
    std::string path = fmt::format("d{}/e{}/f{}", number % 5, number % 3, number);
    switch (random() % 5) {
    case 0:
      write(path, std::to_string(random()));
      break;
    case 1:
      std::filesystem::remove(m_root + "/" + path);
      break;
    case 2:
      if (std::filesystem::exists(m_root + "/" + path)) {
        ::chmod((m_root + "/" + path).c_str(), random() % 2 ? 0600 : 0755);
      }
      break;
    case 3:
      write(fmt::format("new{}/x", random() % 9), "n");
      break;
    default:
      settle();
    }
    auto with = scan_seed(cached());
    auto without = scan_seed(request());
    ASSERT_EQ(with.tree_digest(), without.tree_digest()) << "round " << round;
    ASSERT_EQ(paths(with), paths(without));
  }
}

TEST_F(SeedTest, SameSizeChangeRightAfterTheScanIsSeen) {
  for (int round = 0; round < 20; ++round) {
    write("racy", fmt::format("{:04}", round));
    auto with = scan_seed(cached()).tree_digest();
    EXPECT_EQ(with, scan_seed(request()).tree_digest());
  }
}

TEST_F(SeedTest, UnchangedTreeIsNotReadAndCacheNotRewritten) {
  write("a", "1");
  write("d/b", "2");
  settle();
  auto first = scan_seed(cached()).tree_digest();
  auto before = std::filesystem::last_write_time(cached().stat_cache);
  auto lazy = cached();
  lazy.hashing = Hashing::known_only;
  auto scan = scan_seed(lazy);
  EXPECT_TRUE(scan.complete());
  EXPECT_EQ(scan.tree_digest(), first);
  EXPECT_EQ(std::filesystem::last_write_time(cached().stat_cache), before);
}

TEST_F(SeedTest, DamagedCacheIsIgnored) {
  write("a", "1");
  write("d/b", "2");
  settle();
  auto digest = scan_seed(cached()).tree_digest();
  std::string good = os::read_file(cached().stat_cache);
  for (std::size_t at = 0; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    std::ofstream(cached().stat_cache, std::ios::binary) << (at % 2 ? bad : good.substr(0, at));
    ASSERT_EQ(scan_seed(cached()).tree_digest(), digest) << at;
  }
}

TEST_F(SeedTest, SpecialFilesAreLeftOutWithAWarning) {
  write("a", "1");
  ::mkfifo((m_root + "/pipe").c_str(), 0600);
  auto scan = scan_seed(request());
  EXPECT_EQ(paths(scan), (Paths{"a"}));
  EXPECT_EQ(scan.warnings(), (std::vector<SeedWarning>{{"pipe", "a FIFO is left out"}}));
}

TEST_F(SeedTest, MissingSource) {
  auto wanted = request();
  wanted.source = m_root + "/no";
  try {
    scan_seed(wanted);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_missing);
  }
}

/// Directories are told apart by their names, not by how long those are.
TEST_F(SeedTest, SiblingsWhoseNamesAreEquallyLongStayApart) {
  for (const auto* directory :
       {"one", "two", "module/deep", "nested/deep", "a/much/longer/path", "b/much/longer/path"}) {
    write(std::string(directory) + "/same", directory);
    write(std::string(directory) + "/only-" + directory[0], directory);
  }
  auto scan = scan_seed(request());
  const auto to = make_destination("copy");
  materialise(scan, to, {});
  auto copied = request();
  copied.source = to + "/workspace";
  EXPECT_EQ(scan_seed(copied).tree_digest(), scan.tree_digest());
}

TEST_F(SeedTest, CopyKeepsEverythingThatCounts) {
  write("a", "content");
  write("d/b", std::string(3'000'000, 'x'));
  ::chmod((m_root + "/a").c_str(), 0751);
  ::chmod((m_root + "/d").c_str(), 0500);
  ::chmod((m_root + "/d").c_str(), 0700);
  std::filesystem::create_hard_link(m_root + "/a", m_root + "/d/a2");
  std::filesystem::create_symlink("nowhere", m_root + "/link");
  ASSERT_EQ(::setxattr((m_root + "/a").c_str(), "user.note", "hi", 2, 0), 0);
  {
    os::Fd sparse = os::open_file(m_root + "/sparse", O_WRONLY | O_CREAT);
    ASSERT_EQ(::pwrite(sparse.get(), "end", 3, 5'000'000), 3);
  }
  const timespec times[2] = {{1234, 5}, {1234, 5}};
  ::utimensat(AT_FDCWD, (m_root + "/d").c_str(), times, 0);
  auto lazy = request();
  lazy.hashing = Hashing::known_only;
  auto scan = scan_seed(lazy);
  EXPECT_EQ(scan.unread_files(), 4U);
  std::string to = make_destination("copy");
  auto report = materialise(scan, to, {});
  EXPECT_EQ(report.files, 3U);
  EXPECT_EQ(report.hardlinks, 1U);
  ASSERT_TRUE(scan.complete());
  EXPECT_EQ(scan.tree_digest(), scan_seed(request()).tree_digest());
  auto copied = request();
  copied.source = to + "/workspace";
  EXPECT_EQ(scan_seed(copied).tree_digest(), scan.tree_digest());

  struct stat status {};

  ASSERT_EQ(::stat((to + "/workspace/d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, 1234);
  ASSERT_EQ(::stat((to + "/workspace/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_nlink, 2U);
  EXPECT_EQ(status.st_mode & 07777, 0751U);
  ASSERT_EQ(::stat((to + "/workspace/sparse").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 5'000'003);
  EXPECT_LT(status.st_blocks * 512, 1'000'000);
  char value[8];
  EXPECT_EQ(::getxattr((to + "/workspace/a").c_str(), "user.note", value, sizeof value), 2);
  auto known = known_content_of(scan, {});
  EXPECT_EQ(known("workspace/a"), sha256_of("content"));
}

TEST_F(SeedTest, ChangeBetweenScanAndCopyIsTold) {
  write("a", "1");
  write("b", "1");
  write("gone/c", "1");
  write("same", "1");
  auto scan = scan_seed(request());
  write("a", "2");
  std::filesystem::remove(m_root + "/b");
  std::filesystem::remove_all(m_root + "/gone");
  const auto report = materialise(scan, make_destination("copy"), {});
  EXPECT_EQ(report.changed, (Paths{"a", "b", "gone"}));
}

TEST_F(SeedTest, DeltaAndManifest) {
  write("keep", "1");
  write("change", "2");
  write("dir/x", "3");
  write("dir/y", "3");
  write("becomes-file/z", "4");
  write("deep/er/w", "5");
  auto before_scan = scan_seed(request());
  auto before = decode_manifest(before_scan.manifest(), "test");
  EXPECT_EQ(before.tree_digest, before_scan.tree_digest());
  write("change", "22");
  std::filesystem::remove_all(m_root + "/dir");
  std::filesystem::remove_all(m_root + "/becomes-file");
  write("becomes-file", "now");
  std::filesystem::remove(m_root + "/deep/er/w");
  write("deep/er/v", "6");
  auto after = scan_seed(request());
  auto delta = delta_of(before.entries, after.entries());
  EXPECT_EQ(delta.changed, (Paths{"becomes-file", "change", "deep/er/v"}));
  EXPECT_EQ(delta.deleted, (Paths{"deep/er/w", "dir"}));
  std::string to = make_destination("delta");
  auto report = materialise(after, to, placement_of(delta, {}));
  EXPECT_EQ(report.files, 3U);
  EXPECT_EQ(report.whiteouts, 2U);
  EXPECT_FALSE(os::exists(to + "/workspace/keep"));

  struct stat status {};

  ASSERT_EQ(::lstat((to + "/workspace/dir").c_str(), &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0));

  std::string good = after.manifest();
  for (std::size_t at = 0; at < good.size(); at += 3) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    if (at >= 16 && at < 80) {
      continue; // the tree digest itself, which the layer's record repeats
    }
    EXPECT_THROW(decode_manifest(bad, "test"), Error) << at;
    EXPECT_THROW(decode_manifest(good.substr(0, at), "test"), Error) << at;
  }
}

TEST_F(SeedTest, InputsAreDigestedAlone) {
  write("package.json", "1");
  write("src/a.ts", "2");
  write("src/deep/b.ts", "3");
  write("other", "4");
  auto scan = scan_seed(request());
  auto inputs = digest_of_inputs(scan, {"package.json", "src/**/*.ts"});
  EXPECT_EQ(inputs.paths, (Paths{"package.json", "src/a.ts", "src/deep/b.ts"}));
  EXPECT_EQ(digest_of_inputs(scan, {"src"}).paths, (Paths{"src", "src/a.ts", "src/deep", "src/deep/b.ts"}));
  write("other", "5");
  auto lazy = request();
  lazy.hashing = Hashing::known_only;
  auto again = scan_seed(lazy);
  EXPECT_EQ(digest_of_inputs(again, {"./package.json", "src/**/*.ts"}).digest, inputs.digest);
  EXPECT_GT(again.unread_files(), 0U);
  write("src/a.ts", "changed");
  auto changed = scan_seed(request());
  EXPECT_NE(digest_of_inputs(changed, {"package.json", "src/**/*.ts"}).digest, inputs.digest);
  try {
    digest_of_inputs(scan, {"nothing*"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_missing);
  }
  for (const auto* outside : {"../x", "x/../..", "/x", ".."}) {
    EXPECT_THROW(digest_of_inputs(scan, {outside}), Error) << outside;
  }
}

TEST_F(SeedTest, AnInputIsTheSameHoweverItIsWritten) {
  write("src/a.ts", "1");
  write("src/deep/b.ts", "2");
  write("other", "3");
  auto scan = scan_seed(request());
  for (const auto* written : {"src", "src/", "./src", ".//src/.//"}) {
    EXPECT_EQ(
        digest_of_inputs(scan, {written}).paths, (Paths{"src", "src/a.ts", "src/deep", "src/deep/b.ts"}))
        << written;
  }
  for (const auto* written : {".", "./", "**", "*"}) {
    EXPECT_EQ(digest_of_inputs(scan, {written}).paths.size(), scan.entries().size()) << written;
  }
  EXPECT_TRUE(InputPattern("./src/").covers("src/gone/")) << "what is no longer there can be asked about too";
  EXPECT_FALSE(InputPattern("src").covers("srcs/a"));
}

TEST_F(SeedTest, ArchiveSeed) {
  write("in/a", "1");
  std::string archive = m_directory.path() + "/seed.tar.gz";
  os::Command tar;
  tar.argv = {"tar", "-C", m_root, "-czf", archive, "."};
  os::run_checked(tar);
  settle();
  std::string cache = m_directory.path() + "/archive-cache";
  auto seed = scan_archive_seed(archive, cache);
  EXPECT_EQ(seed.tree_digest, sha256_of(os::read_file(archive)));
  EXPECT_EQ(scan_archive_seed(archive, cache).tree_digest, seed.tree_digest);
  std::string to = make_destination("unpacked");
  unpack_archive_seed(seed, to, {});
  EXPECT_EQ(os::read_file(to + "/workspace/in/a"), "1");
  std::ofstream(archive, std::ios::app) << "x";
  EXPECT_THROW(unpack_archive_seed(seed, make_destination("again"), {}), Error);
  EXPECT_NE(scan_archive_seed(archive, cache).tree_digest, seed.tree_digest);
}

} // namespace

} // namespace pyro::seed

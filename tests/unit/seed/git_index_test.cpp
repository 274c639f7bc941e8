#include "git_fixture.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/seed/git_index.hpp>

#include <map>
#include <sstream>

namespace pyro::seed {

namespace {

class GitIndexTest : public testing::Scratch {
protected:
  void SetUp() override {
    git({"init", "-q"});
    write("a.txt", "1");
    write("dir/b", "2");
    write("dir/deeper/c", "3");
    write("dir-x/d", "4");
    write("name with\nnewline", "5");
    write(std::string(200, 'n') + "/" + std::string(200, 'm'), "6");
    std::filesystem::create_symlink("a.txt", m_root + "/link");
    git({"add", "-A"});
  }

  std::vector<std::string> read() {
    auto index = GitIndex::read(*checkout_at(m_root));
    std::vector<std::string> paths;
    for (const auto& file : index.files()) {
      paths.push_back(fmt::format("{:o} {}", file.mode, file.path));
    }
    return paths;
  }

  /// What git itself says, in the same form.
  std::vector<std::string> asked() {
    std::map<std::string, std::string> modes; // by path, once for all stages
    std::istringstream lines(git({"ls-files", "-z", "--stage"}));
    for (std::string line; std::getline(lines, line, '\0');) {
      modes[line.substr(line.find('\t') + 1)] = line.substr(0, line.find(' '));
    }
    std::vector<std::string> paths;
    for (const auto& [path, mode] : modes) {
      paths.push_back(mode + " " + path);
    }
    return paths;
  }
};

TEST_F(GitIndexTest, ReadsAllVersionsLikeGit) {
  ASSERT_EQ(asked().size(), 7U);
  for (const char* version : {"2", "3", "4"}) {
    git({"update-index", "--index-version", version});
    if (version[0] == '3') {
      git({"update-index", "--skip-worktree", "a.txt"}); // needs the extended flags
    }
    EXPECT_EQ(read(), asked()) << "version " << version;
  }
}

TEST_F(GitIndexTest, SplitIndexesAreReadLikeGit) {
  for (const char* version : {"2", "4"}) {
    git({"update-index", "--index-version", version});
    git({"update-index", "--split-index"});
    EXPECT_EQ(read(), asked()) << "all shared, version " << version;
    git({"rm", "-q", "--cached", "dir/b", "link"});
    write("a.txt", "changed");
    std::filesystem::permissions(m_root + "/a.txt", std::filesystem::perms(0755));
    write("dir/added", "new");
    write("0 first", "new");
    git({"add", "a.txt", "dir/added", "0 first"});
    EXPECT_EQ(read(), asked()) << "changed, version " << version;
    EXPECT_NE(os::read_file(m_root + "/.git/index").find("link"), std::string::npos) << "it is split";
    git({"add", "-A"});
    EXPECT_EQ(read(), asked()) << "changed back, version " << version;
    git({"update-index", "--no-split-index"});
    EXPECT_EQ(read(), asked());
  }
}

TEST_F(GitIndexTest, ManyChangesOfASplitIndexAreReadLikeGit) { // runs and literal words of its bitmaps
  for (int number = 0; number < 1000; ++number) {
    write(fmt::format("many/{:04}", number), "x");
  }
  git({"add", "-A"});
  git({"-c", "splitIndex.maxPercentChange=100", "update-index", "--split-index"});
  std::string gone;
  for (int number = 100; number < 1000; number += number < 600 ? 1 : 7) {
    gone += fmt::format("many/{:04}", number) + '\0';
  }
  git({"-c", "splitIndex.maxPercentChange=100", "update-index", "-z", "--force-remove", "--stdin"}, gone);
  EXPECT_NE(os::read_file(m_root + "/.git/index").find("link"), std::string::npos) << "it is split";
  EXPECT_EQ(read(), asked());
}

TEST_F(GitIndexTest, WithoutItsSharedPartASplitIndexIsRefusedWithAWayOut) {
  git({"update-index", "--split-index"});
  for (const auto& entry : std::filesystem::directory_iterator(m_root + "/.git")) {
    if (entry.path().filename().string().starts_with("sharedindex.")) {
      std::filesystem::remove(entry.path());
    }
  }
  try {
    read();
    ADD_FAILURE() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_missing);
    EXPECT_NE(error.hint().find("seed.git: all"), std::string::npos) << error.what();
  }
}

TEST_F(GitIndexTest, SparseIndexesNameDirectories) {
  git({"commit", "-qm", "x"});
  git({"sparse-checkout", "set", "--cone", "--sparse-index", "dir-x"});
  auto index = GitIndex::read(*checkout_at(m_root));
  EXPECT_TRUE(index.is_unlisted("dir"));
  EXPECT_TRUE(index.is_unlisted("dir/deeper"));
  EXPECT_FALSE(index.is_unlisted("dir-x"));
  EXPECT_FALSE(index.is_unlisted(""));
  EXPECT_EQ(index.below("dir").last - index.below("dir").first, 1U);
  EXPECT_EQ(index.below("dir-x").last - index.below("dir-x").first, 1U);
}

TEST_F(GitIndexTest, LongerObjectNamesAreReadLikeGit) {
  std::filesystem::remove_all(m_root + "/.git");
  git({"init", "-q", "--object-format=sha256"});
  git({"add", "-A"});
  for (const char* version : {"2", "4"}) {
    git({"update-index", "--index-version", version});
    EXPECT_EQ(read(), asked()) << "version " << version;
    EXPECT_EQ(read().size(), 7U);
  }
}

TEST_F(GitIndexTest, RangesOfDirectories) {
  auto index = GitIndex::read(*checkout_at(m_root));
  auto range = index.below("dir");
  ASSERT_EQ(range.last - range.first, 2U);
  EXPECT_EQ(index.files()[range.first].path, "dir/b");
  EXPECT_TRUE(index.below("di").empty());
}

TEST_F(GitIndexTest, WorktreesAndParentsAreFound) {
  git({"commit", "-qm", "x"});
  std::string other = m_directory.path() + "/other";
  git({"worktree", "add", "-q", other});
  auto checkout = find_checkout(other + "/dir/deeper");
  ASSERT_TRUE(checkout.has_value());
  EXPECT_EQ(checkout->top, other);
  EXPECT_TRUE(os::is_directory(checkout->common_dir + "/info"));
  EXPECT_EQ(GitIndex::read(*checkout).files().size(), 7U);
}

TEST_F(GitIndexTest, APathThatIsThereTwiceIsDamage) {
  std::string entry(64, '\0'); // of a version 2: the path and its padding fill it up
  entry.replace(26, 2, "\x81\xa4");
  entry[61] = 1;
  entry[62] = 'a';
  const std::string head("DIRC\0\0\0\2\0\0\0\2", 12);
  EXPECT_THROW(GitIndex::parse(head + entry + entry + std::string(20, '\0')), Error);
  auto other = entry;
  other[62] = 'b';
  EXPECT_EQ(GitIndex::parse(head + entry + other + std::string(20, '\0')).files().size(), 2U);
  other[62] = 'a';
  entry[60] = 0x10; // two sides of a conflict
  other[60] = 0x20;
  EXPECT_EQ(GitIndex::parse(head + entry + other + std::string(20, '\0')).files().size(), 1U);
}

TEST_F(GitIndexTest, DamageIsNoticedAndNeverReadBeyond) {
  git({"update-index", "--index-version", "4"});
  std::string four = os::read_file(m_root + "/.git/index");
  git({"update-index", "--index-version", "2"});
  std::string two = os::read_file(m_root + "/.git/index");
  for (const auto& bytes : {two, four}) {
    for (std::size_t size = 0; size + 20 < bytes.size(); ++size) {
      try {
        auto index = GitIndex::parse(bytes.substr(0, size));
        EXPECT_EQ(index.files().size(), 7U) << size; // what is missing must be extensions only
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::protocol);
      }
    }
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 0xff);
      try {
        GitIndex::parse(changed);
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == ErrorCode::protocol || error.code() == ErrorCode::unavailable);
      }
    }
  }
}

/// Every byte of a split index and of its shared part in turn is another one.
TEST_F(GitIndexTest, DamagedSplitIndexesAreNoticed) {
  git({"update-index", "--split-index"});
  git({"rm", "-q", "--cached", "dir/b"});
  std::string shared;
  for (const auto& entry : std::filesystem::directory_iterator(m_root + "/.git")) {
    if (entry.path().filename().string().starts_with("sharedindex.")) {
      shared = entry.path().string();
    }
  }
  ASSERT_FALSE(shared.empty());
  for (const auto& path : {m_root + "/.git/index", shared}) {
    const auto whole = os::read_file(path);
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    for (std::size_t at = 0; at < whole.size(); ++at) {
      auto changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 0xff);
      std::ofstream(path, std::ios::binary) << changed;
      try {
        read();
      } catch (const Error& error) {
        EXPECT_TRUE(
            error.code() == ErrorCode::protocol || error.code() == ErrorCode::unavailable
            || error.code() == ErrorCode::input_missing)
            << error.what();
      }
    }
    std::ofstream(path, std::ios::binary) << whole;
  }
}

} // namespace

} // namespace pyro::seed

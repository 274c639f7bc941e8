#include "git_fixture.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/store/git_index.hpp>

namespace pyro::store {

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

  std::vector<std::string> asked() {
    std::vector<std::string> paths;
    auto index = GitIndex::from_ls_files(git({"ls-files", "-z", "--stage"}));
    for (const auto& file : index.files()) {
      paths.push_back(fmt::format("{:o} {}", file.mode, file.path));
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
    EXPECT_TRUE(GitIndex::parse(os::read_file(m_root + "/.git/index")).has_value());
  }
}

TEST_F(GitIndexTest, UnknownFormsAreAskedFromGit) {
  git({"update-index", "--split-index"});
  EXPECT_FALSE(GitIndex::parse(os::read_file(m_root + "/.git/index")).has_value());
  EXPECT_EQ(read(), asked());
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

TEST_F(GitIndexTest, DamageIsNoticedAndNeverReadBeyond) {
  git({"update-index", "--index-version", "4"});
  std::string four = os::read_file(m_root + "/.git/index");
  git({"update-index", "--index-version", "2"});
  std::string two = os::read_file(m_root + "/.git/index");
  for (const auto& bytes : {two, four}) {
    for (std::size_t size = 0; size + 20 < bytes.size(); ++size) {
      try {
        auto index = GitIndex::parse(bytes.substr(0, size));
        if (index) { // what is missing must be extensions only
          EXPECT_EQ(index->files().size(), 7U) << size;
        }
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
        EXPECT_EQ(error.code(), ErrorCode::protocol);
      }
    }
  }
}

} // namespace

} // namespace pyro::store

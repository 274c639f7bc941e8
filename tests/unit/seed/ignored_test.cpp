#include "git_fixture.hpp"

#include <pyro/seed/ignored.hpp>

namespace pyro::seed::testing {
namespace {

class Ignored : public Scratch {
protected:
  /// As whoever walks there asks: an ignored directory hides what is below it.
  static bool hides(const IgnoredPaths& paths, const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      if (paths.has(path.substr(0, slash), true)) {
        return true;
      }
    }
    return paths.has(path, false);
  }
};

TEST_F(Ignored, AsGitSaysOfPathsThatAreNotThere) {
  git({"init", "-q"});
  write(".gitignore", "*.o\n!kept.o\n/dist\nnode_modules/\n");
  write("sub/.gitignore", "generated\n!special.o\n");
  write("sub/forced.o", "tracked all the same");
  write(".git/info/exclude", "private\n");
  git({"add", "-A"});
  git({"add", "-f", "sub/forced.o"});
  git({"commit", "-qm", "x"});
  const IgnoredPaths paths(m_root, {});
  for (const std::string path :
       {"main.o", "kept.o", "new/deep.o", "dist/x", "sub/dist", "node_modules/a/b", "sub/node_modules/a",
        "generated", "sub/generated", "sub/new/generated", "sub/special.o", "private", "notes",
        "sub/forced.o"}) {
    // git follows the ignored directories above a path itself, and says nothing of what it tracks.
    const bool by_git = !git({"check-ignore", path}).empty();
    EXPECT_EQ(hides(paths, path), by_git) << path;
  }
}

TEST_F(Ignored, OfASeedBelowTheTopToo) {
  git({"init", "-q"});
  write(".gitignore", "*.o\n/app/out\n");
  write("app/main.c", "");
  const IgnoredPaths paths(m_root + "/app", {"local/"});
  EXPECT_TRUE(hides(paths, "main.o"));
  EXPECT_TRUE(hides(paths, "out/x"));
  EXPECT_TRUE(hides(paths, "local/x"));
  EXPECT_FALSE(hides(paths, "deeper/out"));
}

TEST_F(Ignored, WithoutGitBySeedsOwnRulesAlone) {
  write(".gitignore", "*.o\n");
  write(".pyroignore", "made/\n");
  const IgnoredPaths paths(m_root, {"*.log"});
  EXPECT_FALSE(hides(paths, "main.o"));
  EXPECT_TRUE(hides(paths, "made/x"));
  EXPECT_TRUE(hides(paths, "sub/a.log"));
}

} // namespace
} // namespace pyro::seed::testing

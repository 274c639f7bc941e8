#include <pyro/base/error.hpp>
#include <pyro/store/patch_apply.hpp>
#include <pyro/store/patch_parse.hpp>

#include <gtest/gtest.h>

namespace pyro::store {
namespace {

std::string error_of(const std::string& patch) {
  try {
    parse_patch(patch);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string patched(const std::string& content, const std::string& hunks) {
  return apply_hunks(content, parse_patch("--- a/f\n+++ b/f\n" + hunks).at(0).hunks, "f");
}

TEST(PatchParse, ReadsWhatGitWrites) {
  const auto patches = parse_patch(
      "From: somebody\n\ndiff --git a/a b b/a b\nold mode 100644\nnew mode 100755\n"
      "diff --git \"a/t\\tab\" \"b/t\\tab\"\nnew file mode 100644\nindex 000..111\n--- /dev/null\n"
      "+++ \"b/t\\tab\"\n@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n"
      "diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\n"
      "diff --git a/e b/e\ndeleted file mode 100644\n-- \n2.39\n");
  ASSERT_EQ(patches.size(), 4U);
  EXPECT_EQ(patches[0].before, "a b");
  EXPECT_EQ(patches[0].executable, true);
  EXPECT_FALSE(patches[1].before);
  EXPECT_EQ(patches[1].after, "t\tab");
  ASSERT_EQ(patches[1].hunks.size(), 1U);
  EXPECT_EQ(patches[1].hunks[0].lines[1].text, "two");
  EXPECT_EQ(patches[2].before, "x");
  EXPECT_EQ(patches[2].after, "y");
  EXPECT_EQ(patches[3].before, "e");
  EXPECT_FALSE(patches[3].after);
}

TEST(PatchParse, RefusesWhatItCannotDo) {
  EXPECT_NE(error_of("nothing").find("no patch"), std::string::npos);
  EXPECT_NE(error_of("diff --git a/l b/l\nnew file mode 120000\n").find("symlinks"), std::string::npos);
  EXPECT_NE(error_of("diff --git a/l b/l\nGIT binary patch\n").find("binary"), std::string::npos);
  EXPECT_NE(error_of("--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n").find("stay inside"), std::string::npos);
  EXPECT_NE(
      error_of("--- a//etc/x\n+++ b//etc/x\n@@ -1 +1 @@\n-a\n+b\n").find("stay inside"), std::string::npos);
  EXPECT_NE(error_of("--- a/x\n+++ b/x\n@@ -1,9 +1 @@\n-a\n+b\n"), "");
  EXPECT_NE(error_of("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n"), "");
  EXPECT_NE(error_of("--- a/x\n+++ b/x\n@@ -99999999999999999999 +1 @@\n-a\n+b\n"), "");
  EXPECT_NE(error_of("--- \"a/x\\\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"), "");
  EXPECT_NE(error_of("--- a/x\n+++ b/x\n@@ -1 +1 @@\n"), "");
  EXPECT_NE(error_of("diff --git a b\n"), "");
}

TEST(PatchApply, FindsLinesThatMoved) {
  EXPECT_EQ(patched("a\nb\nc\n", "@@ -2 +2 @@\n-b\n+B\n"), "a\nB\nc\n");
  EXPECT_EQ(patched("new\nnew\na\nb\nc\n", "@@ -2 +2 @@\n-b\n+B\n"), "new\nnew\na\nB\nc\n");
  EXPECT_EQ(patched("b\nc\n", "@@ -9,2 +9,2 @@\n-b\n+B\n c\n"), "B\nc\n");
  EXPECT_EQ(patched("x\ny", "@@ -1,2 +1,2 @@\n x\n-y\n\\ No newline at end of file\n+y\n"), "x\ny\n");
  EXPECT_EQ(patched("", "@@ -0,0 +1 @@\n+x\n"), "x\n");
  EXPECT_EQ(patched("1\n2\n3\n", "@@ -1 +1 @@\n-1\n+one\n@@ -3 +3 @@\n-3\n+three\n"), "one\n2\nthree\n");
}

TEST(PatchApply, RefusesLinesThatAreNotThere) {
  EXPECT_THROW(patched("a\nb\n", "@@ -2 +2 @@\n-x\n+B\n"), Error);
  EXPECT_THROW(patched("", "@@ -1 +1 @@\n-x\n+B\n"), Error);
  EXPECT_THROW(patched("a", "@@ -1 +1 @@\n-a\n+B\n"), Error); // the newline is not there
  EXPECT_THROW(patched("1\n2\n", "@@ -2 +2 @@\n-2\n+x\n@@ -1 +1 @@\n-1\n+y\n"), Error); // backwards
}

} // namespace
} // namespace pyro::store

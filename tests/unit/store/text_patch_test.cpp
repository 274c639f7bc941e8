#include "tree_support.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/tree_copy.hpp>
#include <pyro/store/diff.hpp>
#include <pyro/store/line_diff.hpp>
#include <pyro/store/text_patch.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

namespace pyro::store::test {

namespace {

using Lines = std::vector<std::string_view>;

/// Applies the changes and says how many lines were removed or added.
std::size_t check_changes(const Lines& before, const Lines& after, const std::vector<LineChange>& changes) {
  Lines result;
  std::size_t at = 0;
  std::size_t edits = 0;
  for (const LineChange& change : changes) {
    while (at < static_cast<std::size_t>(change.before)) {
      result.push_back(before[at++]);
    }
    EXPECT_EQ(result.size(), static_cast<std::size_t>(change.after));
    at += static_cast<std::size_t>(change.before_count);
    for (int i = 0; i < change.after_count; ++i) {
      result.push_back(after[static_cast<std::size_t>(change.after + i)]);
    }
    edits += static_cast<std::size_t>(change.before_count + change.after_count);
  }
  while (at < before.size()) {
    result.push_back(before[at++]);
  }
  EXPECT_EQ(result, after);
  return edits;
}

std::size_t shortest_edit(const Lines& one, const Lines& other) {
  std::vector<std::vector<std::size_t>> common(one.size() + 1, std::vector<std::size_t>(other.size() + 1, 0));
  for (std::size_t i = 1; i <= one.size(); ++i) {
    for (std::size_t j = 1; j <= other.size(); ++j) {
      common[i][j] = one[i - 1] == other[j - 1] ? common[i - 1][j - 1] + 1
                                                : std::max(common[i - 1][j], common[i][j - 1]);
    }
  }
  return one.size() + other.size() - 2 * common.back().back();
}

Lines random_lines(std::mt19937& random) {
  constexpr std::array<std::string_view, 5> k_words{"a\n", "b\n", "c\n", "d\n", "\n"};
  Lines lines;
  const auto count = random() % 25;
  for (unsigned i = 0; i < count; ++i) {
    lines.push_back(k_words[random() % k_words.size()]);
  }
  return lines;
}

const std::vector<std::string> k_odd_names{"plain",    "with space",  "tab\there", "new\nline",
                                           "quo\"te",  "back\\slash", "dash/-n",   "\xc3\xa4\xc3\xb6",
                                           "\xff\xfe", "sub dir/x y", "a/b/c",     "trailing ",
                                           "del\x7f",  "$(x)",        "b/file"};

std::string random_file(std::mt19937& random) {
  std::string text;
  const auto lines = random() % 30;
  for (unsigned i = 0; i < lines; ++i) {
    text += fmt::format("{} line\n", random() % 12);
  }
  if (!text.empty() && random() % 3 == 0) {
    text.pop_back();
  }
  return text;
}

std::string edited(std::string text, std::mt19937& random) {
  for (int i = 0; i < 3 && !text.empty(); ++i) {
    const std::size_t at = random() % text.size();
    random() % 2 == 0 ? text.erase(at, 1 + random() % 9) : text.insert(at, "in\nserted");
  }
  return text;
}

/// Files and their executable bit; what git can tell of a tree.
std::map<std::string, std::pair<std::string, bool>> git_tree(const std::string& root) {
  std::map<std::string, std::pair<std::string, bool>> files;
  for (const auto& [path, node] : full_walk(root)) {
    if (S_ISREG(node.mode)) {
      files[path] = {node.content, (node.mode & 0100) != 0};
    }
  }
  return files;
}

} // namespace

TEST(LineDiff, IsRightAndShortest) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    const Lines before = random_lines(random);
    const Lines after = random_lines(random);
    EXPECT_EQ(check_changes(before, after, line_changes(before, after)), shortest_edit(before, after))
        << round;
    check_changes(before, after, line_changes(before, after, 4));
  }
}

TEST(LineDiff, SplitsKeepingNewlines) {
  EXPECT_EQ(split_lines("a\n\nb"), (Lines{"a\n", "\n", "b"}));
  EXPECT_TRUE(split_lines("").empty());
}

TEST(TextPatch, LooksAsGitWritesIt) {
  EXPECT_EQ(
      text_patch("f", TextSide{"1\n2\n3\n4\n5\n6\n7\n8\n9\n"}, TextSide{"1\n2\n3\n4\nfive\n6\n7\n8\n9"}),
      "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -2,8 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n-9\n+9\n"
      "\\ No newline at end of file\n");
  EXPECT_EQ(
      text_patch("n e w", std::nullopt, TextSide{"x\n", true}),
      "diff --git a/n e w b/n e w\nnew file mode 100755\n--- /dev/null\n+++ b/n e w\t\n@@ -0,0 +1 @@\n+x\n");
  EXPECT_EQ(
      text_patch("x", TextSide{"same"}, TextSide{"same", true}),
      "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n");
  EXPECT_EQ(git_quoted("a\xc3\xa4\n"), "\"a\\303\\244\\n\"");
}

TEST(TextPatch, TextIsUtf8WithoutNul) {
  EXPECT_TRUE(is_text("gr\xc3\xbc\xc3\x9f\xf0\x9f\x99\x82"));
  EXPECT_FALSE(is_text("latin \xfc 1"));
  EXPECT_FALSE(is_text(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xe2\x82"));
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));
}

TEST(TextPatch, GitApplyReproducesRandomTrees) {
  if (!os::find_program("git")) {
    GTEST_SKIP() << "git is not installed";
  }
  std::mt19937 random(11);
  for (int round = 0; round < 40; ++round) {
    const Scratch scratch;
    const std::string before = scratch / "before";
    const std::string after = scratch / "after";
    make_directory(before);
    make_directory(after);
    for (const std::string& name : k_odd_names) {
      const std::string text = random_file(random);
      const mode_t mode = random() % 3 == 0 ? 0755 : 0644;
      const auto fate = random() % 6;
      if (fate != 0) {
        write(before + "/" + name, text, mode);
      }
      if (fate != 1) {
        write(after + "/" + name, fate == 2 ? text : edited(text, random), fate == 3 ? 0755 : mode);
      }
    }
    const Json document = diff_document(compute_diff(Stack::of({before}), Stack::of({after})));
    const std::string patch = get_string(document, "patch");
    EXPECT_EQ(value_at(document, "summary").at("non_text"), 0);
    if (!patch.empty()) {
      os::Command command;
      command.argv = {"git", "apply", "--whitespace=nowarn", "-"};
      command.cwd = before;
      ASSERT_NO_THROW(os::run_checked(command, patch)) << patch;
    }
    EXPECT_EQ(git_tree(before), git_tree(after)) << patch;
  }
}

TEST(Diff, CountsAsTheContractSays) { // row diff-counts
  const Scratch scratch;
  const std::string low = scratch / "low/workspace";
  const std::string up = scratch / "up/workspace";
  write(low + "/note.txt", "hello\n");
  write(low + "/gone.txt", "bye\n");
  write(low + "/data.bin", std::string("\0\1", 2));
  make_symlink("note.txt", low + "/link");
  make_directory(low + "/thing");
  make_directory(low + "/old-empty");
  write(low + "/untouched", "same");
  write(up + "/note.txt", "hello there\n");
  make_whiteout(up + "/gone.txt");
  write(up + "/new.txt", "new\n");
  write(up + "/data.bin", std::string("\0\2", 2));
  make_symlink("new.txt", up + "/link");
  write(up + "/thing", "now a file\n");
  make_whiteout(up + "/old-empty");
  make_directory(up + "/new-empty");
  write(up + "/untouched", "same");
  DiffOptions options;
  options.root = "workspace";
  const Json document = diff_document(
      compute_diff(Stack::of({scratch / "low"}), Stack::of({scratch / "low", scratch / "up"}), options));
  EXPECT_EQ(
      value_at(document, "summary"), (Json{
                                         {"total", 8},
                                         {"added", 2},
                                         {"modified", 3},
                                         {"deleted", 2},
                                         {"type_changed", 1},
                                         {"text_patched", 3},
                                         {"non_text", 5}}));
  for (const Json& entry : value_at(document, "entries")) {
    const std::string path = get_string(entry, "path");
    EXPECT_EQ(entry.at("text_patch").is_string(), path.ends_with(".txt")) << path;
    if (path == "thing") {
      EXPECT_EQ(entry.at("artifact_type"), "file");
    }
  }
  EXPECT_EQ(
      diff_document({}), (Json{
                             {"changed", false},
                             {"summary",
                              {{"total", 0},
                               {"added", 0},
                               {"modified", 0},
                               {"deleted", 0},
                               {"type_changed", 0},
                               {"text_patched", 0},
                               {"non_text", 0}}},
                             {"entries", Json::array()},
                             {"patch", ""}}));
}

TEST(Diff, IgnoredPathsAreLeftOut) {
  const Scratch scratch;
  make_directory(scratch / "low");
  write(scratch / "up/cache/x", "");
  write(scratch / "up/keep", "");
  DiffOptions options;
  options.ignored = [](const std::string& path, bool is_directory) {
    return is_directory && path == "cache";
  };
  const auto entries =
      compute_diff(Stack::of({scratch / "low"}), Stack::of({scratch / "low", scratch / "up"}), options);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].path, "keep");
}

TEST(Diff, LooksOnlyAtWhatTheUppersHold) {
  const Scratch scratch;
  for (int i = 0; i < 300; ++i) {
    write(scratch / fmt::format("low/d{}/f", i), "x");
  }
  write(scratch / "up/d5/f", "y");
  // A directory that is read gets a new access time, which an old one shows.
  const auto access_time = [&scratch](const std::string& name) {
    struct stat status {};
    EXPECT_EQ(stat((scratch / name).c_str(), &status), 0);
    return status.st_atim.tv_sec;
  };
  const timespec old[2] = {{1, 0}, {1, 0}};
  for (const char* name : {"low", "low/d7", "low/d8"}) {
    ASSERT_EQ(utimensat(AT_FDCWD, (scratch / name).c_str(), old, 0), 0);
  }
  const auto entries =
      compute_diff(Stack::of({scratch / "low"}), Stack::of({scratch / "low", scratch / "up"}));
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(access_time("low"), 1) << "the lower was listed";
  EXPECT_EQ(access_time("low/d7"), 1) << "a directory that nothing touched was read";
  std::ignore = os::list_directory(scratch / "low/d8");
  if (access_time("low/d8") == 1) {
    GTEST_SKIP() << "no access times on this file system";
  }
}

} // namespace pyro::store::test

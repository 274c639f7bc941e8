// Patches of workspace_diff are for git: random trees, changed inside, and the patch applied outside.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/operations/text.hpp>
#include <pyro/os/process.hpp>

#include <cstdlib>
#include <random>

namespace pyro::contract {
namespace {

struct Node {
  enum class Kind { text, binary, symlink, directory } kind = Kind::text;
  std::string content; // or target
  bool executable = false;
};

/// Relative path to what lies there; directories only where they are empty.
using Tree = std::map<std::string, Node>;

class RandomTrees {
public:
  explicit RandomTrees(unsigned seed) : m_random(seed) {}

  Tree make() {
    Tree tree;
    for (const auto& name : k_names) {
      if (chance(2)) {
        put(tree, name);
      }
    }
    return tree;
  }

  /// Some entries gone, some changed, some of another kind, some new.
  Tree change(const Tree& before) {
    Tree after;
    for (const auto& [path, node] : before) {
      if (chance(4)) {
        continue;
      }
      auto changed = node;
      if (chance(2)) {
        edit(changed);
      } else if (chance(5)) {
        changed = node_of_any_kind();
      }
      place(after, path, changed);
    }
    for (const auto& name : k_names) {
      if (chance(3) && !before.contains(name)) {
        put(after, name);
      }
    }
    return after;
  }

private:
  bool chance(unsigned of) { return m_random() % of == 0; }

  std::string text() {
    std::string result;
    for (auto lines = m_random() % 12; lines > 0; --lines) {
      result += k_lines[m_random() % k_lines.size()];
    }
    if (!result.empty() && chance(3)) {
      result.pop_back(); // no newline at the end
    }
    return result;
  }

  Node node_of_any_kind() {
    switch (m_random() % 6) {
    case 0:
      return {Node::Kind::binary, "\x89" + std::string("\0\1", 2) + text()};
    case 1:
      return {Node::Kind::symlink, chance(2) ? "its target" : "no/such\nplace"};
    case 2:
      return {Node::Kind::directory};
    default:
      return {Node::Kind::text, text(), chance(3)};
    }
  }

  void edit(Node& node) {
    if (node.kind == Node::Kind::text) {
      const auto at = node.content.empty() ? 0 : m_random() % node.content.size();
      chance(2) ? (void)node.content.insert(at, "in\nserted") : (void)node.content.erase(at, m_random() % 9);
      node.executable = node.executable != chance(3);
    } else if (node.kind == Node::Kind::binary) {
      node.content += "more";
    } else if (node.kind == Node::Kind::symlink) {
      node.content += "x";
    }
  }

  void put(Tree& tree, const std::string& path) { place(tree, path, node_of_any_kind()); }

  /// Nothing lies below what is no directory.
  static void place(Tree& tree, const std::string& path, const Node& node) {
    for (const auto& [other, there] : tree) {
      if (path.starts_with(other + "/") || other.starts_with(path + "/")) {
        return;
      }
    }
    tree[path] = node;
  }

  static inline const std::vector<std::string> k_names{
      "a file",
      "quo\"te",
      "new\nline",
      "tab\there",
      "back\\slash",
      "\xff\xfe bytes",
      "\xc3\xa4\xc3\xb6",
      "dir",
      "dir/inside",
      "dir/d2/x y",
      "dir.b",
      "trailing ",
      "-n",
      "$(x) & `y`",
      "b/a",
      "a/b/file",
      "a/b",
      "dev/null",
      "s p/a c/e",
      "\x1b[1m",
      "'single'"};
  static inline const std::vector<std::string> k_lines{"one\n",          "two\n",     "\n",
                                                       "-- \n",          "+++ b/x\n", "\xc3\xa9t\xc3\xa9\n",
                                                       "with\rreturn\n", "crlf\r\n",  "\\ No newline\n",
                                                       "@@ -1 +1 @@\n"};
  std::mt19937 m_random;
};

void write(const Tree& tree, const fs::path& root) {
  fs::create_directories(root);
  for (const auto& [path, node] : tree) {
    fs::create_directories((root / path).parent_path());
    if (node.kind == Node::Kind::symlink) {
      fs::create_symlink(node.content, root / path);
    } else if (node.kind == Node::Kind::directory) {
      fs::create_directories(root / path);
    } else {
      testing::write_file(root / path, node.content);
      fs::permissions(root / path, fs::perms(node.executable ? 0755 : 0644));
    }
  }
}

/// What git keeps of a tree: files with their execute bit, and symlinks.
std::map<std::string, std::string> git_view(const fs::path& root) {
  std::map<std::string, std::string> view;
  for (const auto& [path, what] : testing::tree_of(root)) {
    if (!what.starts_with("directory")) {
      view[path] = what;
    }
  }
  return view;
}

class Patches {
public:
  Patches(Contract& test, unsigned seed) : m_test(test) {
    RandomTrees random(seed);
    const auto before = random.make();
    const auto after = random.change(before);
    write(before, root("before"));
    write(after, root("after"));
    id = test.create_id({{"seed_path", root("before").string()}});
    test.exec(id, "rm -rf ./* ./.[!.]*");
    test.call("workspace_sync_push", {{"workspace_id", id}, {"source_path", root("after").string()}});
    patch = test.call("workspace_diff", {{"workspace_id", id}})["patch"].get<std::string>();
  }

  fs::path root(const std::string& name) const { return m_test.root() / name; }

  /// The seed's tree with the changes that the patch can tell: those of text, and text that gave way to
  /// directories.
  std::map<std::string, std::string> expected() const {
    auto view = git_view(root("before"));
    const auto after = git_view(root("after"));
    const auto type_of = [](const std::map<std::string, std::string>& tree, const std::string& path) {
      const auto found = tree.find(path);
      return found == tree.end() ? "none" : found->second.substr(0, 4);
    };
    for (const auto& path : paths()) {
      const bool was_text = is_text("before", path);
      const bool is_text_now = is_text("after", path);
      const bool was_directory = is_directory("before", path);
      const auto was = was_directory ? "directory" : type_of(view, path);
      const auto is = type_of(after, path);
      if (is == "none" && (was_text || (was == "link" && is_directory("after", path)))) {
        view.erase(path);
      } else if (is_text_now && (was == "none" || was_text)) {
        view[path] = after.at(path);
      }
    }
    // What is no text and became a directory stays, so nothing of that directory is made.
    for (const auto& [path, what] : git_view(root("before"))) {
      if (view.contains(path)) {
        std::erase_if(
            view, [below = path + "/"](const auto& entry) { return entry.first.starts_with(below); });
      }
    }
    return view;
  }

  void clean_up() const {
    fs::remove_all(root("before"));
    fs::remove_all(root("after"));
    m_test.call("workspace_delete", {{"workspace_id", id}});
  }

  std::string id;
  std::string patch;

private:
  std::set<std::string> paths() const {
    std::set<std::string> all;
    for (const auto* side : {"before", "after"}) {
      for (const auto& [path, what] : git_view(root(side))) {
        all.insert(path);
      }
    }
    return all;
  }

  bool is_directory(const std::string& side, const std::string& path) const {
    std::error_code ignored;
    return fs::is_directory(fs::symlink_status(root(side) / path, ignored));
  }

  bool is_text(const std::string& side, const std::string& path) const {
    const auto place = root(side) / path;
    std::error_code ignored; // a symlink that leads to itself may be on the way
    if (!fs::is_regular_file(fs::symlink_status(place, ignored))) {
      return false;
    }
    const auto content = testing::read_file(place);
    return content.find('\0') == std::string::npos && operations::to_utf8(content) == content;
  }

  Contract& m_test;
};

/// PYRO_TEST_ROUNDS: more for a longer look.
unsigned rounds() {
  const char* wanted = std::getenv("PYRO_TEST_ROUNDS");
  return wanted != nullptr ? static_cast<unsigned>(std::atoi(wanted)) : 12;
}

TEST_P(ContractContent, diff_patch) {
  for (unsigned seed = 1; seed <= rounds(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const Patches patches(*this, seed);
    // What was pushed is there to the last byte.
    call(
        "workspace_export",
        {{"workspace_id", patches.id}, {"path", "/workspace"}, {"output_path", (root() / "out").string()}});
    EXPECT_EQ(testing::tree_of(root() / "out"), testing::tree_of(patches.root("after")));
    const auto expected = patches.expected();
    if (!patches.patch.empty()) {
      testing::write_file(root() / "p.patch", patches.patch);
      const auto git = os::run(
          {.argv = {"git", "apply", "--whitespace=nowarn", (root() / "p.patch").string()},
           .cwd = patches.root("before").string()});
      EXPECT_TRUE(git.outcome.ok()) << git.err << patches.patch;
    }
    EXPECT_EQ(git_view(patches.root("before")), expected) << patches.patch;
    patches.clean_up();
    fs::remove_all(root() / "out");
  }
}

TEST_P(ContractContent, diff_patch__taken_by_another_workspace) {
  for (unsigned seed = 101; seed <= 100 + rounds() / 2; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const Patches patches(*this, seed);
    const auto id = create_id({{"seed_path", patches.root("before").string()}});
    const auto expected = patches.expected();
    if (patches.patch.find("deleted file mode 120000") == std::string::npos && !patches.patch.empty()) {
      call("workspace_patch_apply", {{"workspace_id", id}, {"patch", patches.patch}});
      call(
          "workspace_export",
          {{"workspace_id", id}, {"path", "/workspace"}, {"output_path", (root() / "out").string()}});
      EXPECT_EQ(git_view(root() / "out"), expected) << patches.patch;
      fs::remove_all(root() / "out");
    }
    patches.clean_up();
    call("workspace_delete", {{"workspace_id", id}});
  }
}

} // namespace
} // namespace pyro::contract

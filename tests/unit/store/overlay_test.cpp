// The layered view and the diff against the kernel: random changes through real overlayfs mounts, every
// answer compared with a full walk of the mounted tree.
#include "tree_support.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/capture.hpp>
#include <pyro/store/diff.hpp>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sched.h>
#include <stdexcept>
#include <unistd.h>

namespace pyro::store::test {

namespace {

void check(bool good, const std::string& what) {
  if (!good) {
    throw std::runtime_error(what);
  }
}

/// A mount namespace of our own; as an ordinary user inside a user namespace in which we are root.
void enter_namespaces() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  check(
      unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) == 0,
      std::string("unshare: ") + strerror(errno));
  if (uid != 0) {
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
    std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
  }
  check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make mounts private");
}

/// Runs it in a child with namespaces of its own, so that nothing stays mounted. 77: no namespaces to be had
/// here.
int in_namespaces(const std::function<void()>& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      enter_namespaces();
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
      _exit(77);
    }
    try {
      work();
    } catch (const std::exception& error) {
      std::cerr << error.what() << std::endl;
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

class Overlay {
public:
  Overlay(const std::vector<std::string>& lowers, const std::string& generation)
      : m_merged(generation + "/merged") {
    for (const char* name : {"/root/upper", "/root/work", "/merged"}) {
      make_directory(generation + name);
    }
    std::string options = "userxattr,redirect_dir=nofollow,metacopy=off,index=off,lowerdir=";
    for (auto lower = lowers.rbegin(); lower != lowers.rend(); ++lower) {
      options += (lower == lowers.rbegin() ? "" : ":") + *lower;
    }
    options += ",upperdir=" + generation + "/root/upper,workdir=" + generation + "/root/work";
    if (mount("overlay", m_merged.c_str(), "overlay", 0, options.c_str()) != 0) {
      throw std::runtime_error(std::string("mount overlay: ") + strerror(errno));
    }
  }

  ~Overlay() { umount2(m_merged.c_str(), MNT_DETACH); }

  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  const std::string& path() const { return m_merged; }

private:
  std::string m_merged;
};

void walk_view(const LayeredDirectory& directory, const std::string& path, Tree& tree) {
  for (const std::string& name : directory.names()) {
    const auto found = directory.lookup(name);
    check(found.has_value(), "listed but not found: " + path + name);
    Node node{found->status.st_mode, found->status.st_uid, found->status.st_gid, ""};
    if (found->is_file()) {
      node.content = os::read_all(found->open().get(), 1 << 20);
    } else if (found->is_symlink()) {
      node.content = found->link_target();
    }
    tree[path + name] = node;
    if (const auto below = directory.enter(name)) {
      walk_view(*below, path + name + "/", tree);
    }
  }
}

bool is_empty_directory(const Tree& tree, const std::string& path) {
  const auto next = tree.upper_bound(path + "/");
  return next == tree.end() || !next->first.starts_with(path + "/");
}

/// The rules of diff.hpp, told the simple way: every path of both trees.
std::vector<std::string> naive_diff(const Tree& before, const Tree& after) {
  std::set<std::string> paths;
  for (const auto& [path, node] : before) {
    paths.insert(path);
  }
  for (const auto& [path, node] : after) {
    paths.insert(path);
  }
  std::vector<std::string> result;
  for (const std::string& path : paths) {
    const auto old_node = before.find(path);
    const auto new_node = after.find(path);
    if (old_node == before.end() || new_node == after.end()) {
      const Tree& tree = old_node == before.end() ? after : before;
      if (!S_ISDIR(tree.at(path).mode) || is_empty_directory(tree, path)) {
        result.push_back((old_node == before.end() ? "added " : "deleted ") + path);
      }
    } else if ((old_node->second.mode & S_IFMT) != (new_node->second.mode & S_IFMT)) {
      result.push_back("type_changed " + path);
    } else if (old_node->second != new_node->second) {
      result.push_back("modified " + path);
    }
  }
  return result;
}

std::vector<std::string> told(const std::vector<DiffEntry>& entries) {
  std::vector<std::string> result;
  for (const DiffEntry& entry : entries) {
    result.push_back(std::string(name_of(entry.status)) + " " + entry.path);
  }
  return result;
}

std::string lines(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& each : list) {
    text += "  " + each + "\n";
  }
  return text;
}

/// One story: a base, some captured layers on it, a live upper; looked at after each step.
void one_story(unsigned seed) {
  std::mt19937 random(seed);
  const Scratch scratch;
  const Base base(scratch / "base");
  base.prepare();
  const LayerStore store(base);
  const std::string ground = scratch / "ground";
  make_directory(ground);
  mutate(ground, random, 60);
  Stack stack = Stack::of({ground});
  const Stack baseline = stack;
  const Tree original = full_walk(ground);

  for (int round = 0; round < 4; ++round) {
    const std::string generation = scratch / ("gen" + std::to_string(round));
    std::vector<std::string> lowers;
    for (const StackTree& tree : stack.trees) {
      lowers.push_back(tree.path);
    }
    Tree seen;
    std::vector<UpperPart> parts;
    {
      const Overlay overlay(lowers, generation);
      mutate(overlay.path(), random, 25);
      seen = full_walk(overlay.path());
      parts = parts_of_generation(generation, {});
      const Stack live = with_uppers(stack, parts);
      Tree viewed;
      walk_view(LayeredView(live).root(), "", viewed);
      check(
          viewed == seen,
          fmt::format("seed {} round {}: the view is not what the kernel shows", seed, round));
      const auto expected = naive_diff(original, seen);
      const auto got = told(compute_diff(baseline, live));
      check(
          got == expected,
          fmt::format(
              "seed {} round {}: wrong diff\nexpected\n{}got\n{}", seed, round, lines(expected), lines(got)));
      auto reverse = compute_diff(live, baseline);
      check(
          told(reverse) == naive_diff(seen, original),
          fmt::format("seed {} round {}: wrong reverse", seed, round));
    }
    Staging staging = store.stage();
    CaptureOptions options;
    options.mode = random() % 2 == 0 ? CaptureMode::move : CaptureMode::copy;
    if (options.mode == CaptureMode::move && random() % 2 == 0) {
      options.below = stack;
    }
    capture_generation(parts, staging, options);
    const LayerManifest layer = store.publish(std::move(staging), {"test", "one_story"}, os::Durable::no);
    check(!store.verify(layer.digest), "a new layer does not verify");
    stack.trees.push_back(StackTree{store.tree(layer.digest)});
    Tree captured;
    walk_view(LayeredView(stack).root(), "", captured);
    check(captured == seen, fmt::format("seed {} round {}: the capture is not what was seen", seed, round));
  }
}

} // namespace

TEST(Overlay, ViewDiffAndCaptureEqualAFullWalk) {
  const int result = in_namespaces([] {
    for (unsigned seed = 1; seed <= 25; ++seed) {
      one_story(seed);
    }
  });
  if (result == 77) {
    GTEST_SKIP() << "no mount namespaces for this user";
  }
  EXPECT_EQ(result, 0);
}

} // namespace pyro::store::test

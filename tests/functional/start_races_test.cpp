// Races against the start of a sandbox and of what runs in it: whoever may change something that a start
// mounts, makes or opens does so all the time meanwhile - another sandbox in a cache that both have, the
// checkout in what it gives, the sandbox's own processes in what the agent opens for the next one. The oracle
// is a canary of the host: it stays as it was, and its content is nowhere in our state and in no output.
#include "../support/busybox.hpp"
#include "../support/holding.hpp"
#include "../support/home.hpp"
#include "../support/host_state.hpp"

#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <thread>
#include <unistd.h>

namespace pyro::testing {
namespace {

/// Exchanges pairs of paths of the host, each with its other and back, until it goes out of scope.
class Swapper {
public:
  explicit Swapper(
      std::vector<std::pair<fs::path, fs::path>> pairs,
      std::chrono::microseconds pause = std::chrono::microseconds(0))
      : m_thread([this, pause, pairs = std::move(pairs)] {
          while (!m_over) {
            for (std::size_t turn = 0; turn < 2 * pairs.size(); ++turn) {
              const auto& [one, two] = pairs[turn / 2];
              constexpr unsigned k_exchange = RENAME_EXCHANGE;
              m_swaps +=
                  ::syscall(SYS_renameat2, AT_FDCWD, one.c_str(), AT_FDCWD, two.c_str(), k_exchange) == 0;
            }
            std::this_thread::sleep_for(pause);
          }
        }) {}

  ~Swapper() {
    m_over = true;
    m_thread.join();
  }

  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;

  long swaps() const { return m_swaps; }

private:
  std::atomic<bool> m_over{false};
  std::atomic<long> m_swaps{0};
  std::thread m_thread;
};

class StartRaces : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    m_marker = "marker-" + std::to_string(::getpid()) + "-of-the-host";
    write_file(canary() / "secret", m_marker + "\n");
    m_before = tree_of(canary());
    write_file(project() / "seed/file", "seed\n");
    make_busybox_root(project() / "image");
    m_host = HostState::now();
  }

  fs::path canary() const { return root() / "canary"; }

  static fs::path program(const std::string& name) { return binary_dir() / "bin/attacks" / name; }

  /// A file for a system of one program: quick to start, and all of its own.
  void
  small_spec(const std::string& body, const fs::path& where = {}, const std::string& image = "dir:./image") {
    write_file(
        (where.empty() ? project() : where) / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: '" + image + "'}\nseed: {from: ./seed}\n" + body);
  }

  bool is_untouched() const { return tree_of(canary()) == m_before; }

  void expect_untouched(const std::string& after) {
    EXPECT_EQ(tree_of(canary()), m_before) << after;
    EXPECT_EQ(m_host.changes_since(HostState::now()), "") << after;
  }

  void expect_nothing_of_the_host_kept() {
    EXPECT_EQ(files_holding(state(), m_marker), std::vector<std::string>());
  }

  /// Neither a bug of ours nor killed nor hung, and nothing of the canary's in what it says.
  Result bounded(const Arguments& arguments, const std::string& what, RunOptions options = {}) {
    options.timeout = std::chrono::seconds(60);
    options.env["PYRO_TRUST"] = "1";
    auto result = pyro(arguments, options);
    EXPECT_NE(result.status, 70) << what << ": " << result;
    EXPECT_LT(result.status, 128) << what << ": " << result;
    EXPECT_NE(result.status, 124) << what << ": " << result;
    EXPECT_FALSE(contains(result.all(), m_marker)) << what << ": " << result;
    return result;
  }

  std::string m_marker;

private:
  std::map<std::string, std::string> m_before;
  HostState m_host;
};

// The control: who goes by names in what is swapped reads the canary and writes to it, and both are seen.
TEST_F(StartRaces, TheOraclesSeeWhoGoesByNames) {
  write_file(root() / "like-state/inside/secret", "inside\n");
  fs::create_directory_symlink(canary(), root() / "like-state/out");
  const Swapper swapper({{root() / "like-state/inside", root() / "like-state/out"}});
  const auto place = root() / "like-state/inside";
  bool has_read = false;
  for (int round = 0; round < 200'000 && (!has_read || is_untouched()); ++round) {
    std::string line;
    std::getline(std::ifstream(place / "secret"), line);
    if (line == m_marker && !has_read) {
      std::ofstream(root() / "like-state/kept") << line;
      has_read = true;
    }
    std::ofstream(place / "planted") << "x";
  }
  EXPECT_FALSE(is_untouched());
  EXPECT_NE(files_holding(root() / "like-state", m_marker), std::vector<std::string>());
  EXPECT_GT(swapper.swaps(), 0);
}

TEST_F(StartRaces, ACacheThatAnotherSandboxSwapsMeanwhileLeadsNowhere) {
  fs::copy_file(program("attack_swap"), project() / "seed/attack_swap");
  const std::string cache = "cache: [{path: /var/cache/ours, share: machine}]";
  small_spec(
      "prepare: [{id: swapper, " + cache
      + ", run: 'cd /var/cache/ours && cp /workspace/attack_swap . && mkdir "
      + "sub && echo inside > sub/secret && echo inside > one && mkfifo pipe && ln -s " + canary().string()
      + " out && ln -s " + canary().string()
      + "/secret two && touch begun && exec ./attack_swap 120 sub out one two pipe begun'}]\n");
  const auto second = another_project("second");
  fs::create_directories(second / "seed");
  make_busybox_root(second / "image");
  auto attacker = start({"apply", "--yes"}, {.env = {{"PYRO_TRUST", "1"}}});
  // As seen from outside: the cache's own link goes to and fro.
  const auto finds_link = [&] {
    std::error_code none;
    for (auto entry =
             fs::recursive_directory_iterator(state(), fs::directory_options::skip_permission_denied, none);
         !none && entry != fs::recursive_directory_iterator(); entry.increment(none)) {
      if (entry->path().filename() == "sub" && entry->is_symlink(none)) {
        return true;
      }
    }
    return false;
  };
  ASSERT_TRUE(eventually(finds_link, 30)) << "nobody swaps anything there";
  for (int round = 0; round < 6; ++round) {
    const auto what = "round " + std::to_string(round);
    small_spec(
        "prepare: [{id: victim, " + cache
            + ", run: 'cd /var/cache/ours; for i in 0 1 2 3 4 5 6 7 8 9; do cat "
            + "one two sub/secret out/secret >> /var/seen 2>&1 || true; echo " + std::to_string(round)
            + " > sub/planted || true; done; true'}]\n",
        second);
    const auto applied = bounded({"apply", "--yes", "--verbose"}, what, {.cwd = second});
    EXPECT_EQ(applied.status, 0) << what << ": " << applied;
    const auto seen = bounded({"exec", "--", "cat", "/var/seen"}, what, {.cwd = second});
    EXPECT_EQ(seen.status, 0) << seen;
    expect_untouched(what);
  }
  EXPECT_TRUE(finds_link() || eventually(finds_link, 30)) << "it was over before the starts were";
  EXPECT_TRUE(ends_when_interrupted(attacker, 20, 20));
  expect_nothing_of_the_host_kept();
}

TEST_F(StartRaces, WhatACheckoutGivesIsSwappedMeanwhileAndLeadsNowhere) {
  // An archive of the host's, and one of the checkout, which is swapped with a link to it.
  write_file(root() / "private/etc/secret", m_marker + "\n");
  write_file(root() / "private.tar", archive_of(root() / "private"));
  write_file(project() / "base.tar", archive_of(project() / "image"));
  fs::create_symlink(root() / "private.tar", project() / "linked.tar");
  const std::vector<std::pair<fs::path, fs::path>> pairs{
      {project() / "base.tar", project() / "linked.tar"},
      {project() / "image/lib", project() / "image/out"},
      {project() / "image/etc/issue", project() / "image/etc/out"},
      {project() / "seed/dir", project() / "seed/out"},
      {project() / "seed/file", project() / "seed/two"},
      {project() / "seed", project() / "elsewhere"},
      {project() / "image", project() / "away"}};
  write_file(project() / "image/lib/secret", "inside\n");
  write_file(project() / "image/etc/issue", "inside\n");
  write_file(project() / "seed/dir/secret", "seed\n");
  for (const auto& [one, two] : pairs) {
    if (two.extension() != ".tar") {
      const bool is_directory = fs::is_directory(one);
      fs::create_symlink(is_directory ? canary() : canary() / "secret", two);
    }
  }
  int started = 0;
  long swaps = 0;
  for (std::size_t round = 0; round < 2 * pairs.size(); ++round) {
    const auto& pair = pairs[round % pairs.size()];
    const auto what = pair.first.string() + ", round " + std::to_string(round);
    small_spec("", {}, pair.first.extension() == ".tar" ? "tar:./base.tar" : "dir:./image");
    // With a pause in which all is as it should be, some starts come to their end.
    const Swapper swapper({pair}, std::chrono::milliseconds(round < pairs.size() ? 0 : 20));
    const auto applied = bounded({"apply", "--yes"}, what);
    if (applied.status == 0) {
      ++started;
      const auto seen = bounded(
          {"exec", "--", "/bin/sh", "-c",
           "cat /etc/* /lib/* /workspace/file /workspace/two /workspace/*/* 2>/dev/null; true"},
          what);
      EXPECT_EQ(seen.status, 0) << seen;
    } else {
      EXPECT_FALSE(applied.err.empty()) << what;
    }
    expect_untouched(what);
    bounded({"destroy", "--yes", "--snapshots"}, what);
    swaps += swapper.swaps();
  }
  EXPECT_GT(started, 0) << "nothing was ever tried to the end";
  std::printf("%d of %zu started, %ld exchanges\n", started, 2 * pairs.size(), swaps);
  EXPECT_GT(swaps, 1000);
  expect_nothing_of_the_host_kept();
}

TEST_F(StartRaces, ALiveDirectoryThatIsSwappedMeanwhileLeadsNowhere) {
  write_file(project() / "live/deep/secret", "inside\n");
  fs::create_directory_symlink(canary(), project() / "away");
  fs::create_directory_symlink(root(), project() / "up");
  write_file(root() / "deep/secret", m_marker + "\n");
  const auto deep_before = tree_of(root() / "deep");
  int started = 0;
  long swaps = 0;
  for (int round = 0; round < 24; ++round) {
    const auto what = "round " + std::to_string(round);
    const bool is_above = round % 2 == 1; // what lies on the way is swapped, or the directory itself
    small_spec(
        std::string("backend: namespaces\nmounts: [{from: ./live") + (is_above ? "/deep" : "")
        + ", to: /workspace/live, mode: rw}]\n");
    const Swapper swapper(
        {{project() / "live", project() / (is_above ? "up" : "away")}},
        std::chrono::milliseconds(round < 12 ? 0 : 5));
    const auto applied = bounded({"apply", "--yes"}, what);
    if (applied.status == 0) {
      ++started;
      bounded(
          {"exec", "--", "/bin/sh", "-c",
           "cat live/* live/*/* live/../secret; echo x > live/planted; ls -lR live"},
          what);
    } else {
      EXPECT_FALSE(applied.err.empty()) << what;
    }
    EXPECT_EQ(tree_of(root() / "deep"), deep_before) << what;
    expect_untouched(what);
    bounded({"destroy", "--yes", "--snapshots"}, what);
    swaps += swapper.swaps();
  }
  EXPECT_GT(started, 0) << "nothing was ever tried to the end";
  std::printf("%d of 24 started, %ld exchanges\n", started, swaps);
  EXPECT_GT(swaps, 1000);
  expect_nothing_of_the_host_kept();
}

// Its processes swap what the agent opens for the next one, from the first start on and through every other.
TEST_F(StartRaces, WhatRunsInsideSwapsMeanwhileIsNotWhatTheNextProcessGets) {
  fs::copy_file(program("attack_swap"), project() / "seed/attack_swap");
  small_spec("services: {swapper: {command: exec /bin/sh /workspace/swap}}\n");
  const std::string swap = "exec /swap 600 /workspace /w /tmp /t /.pyro /p /dev/ptmx /dev/fifo /dev/stdin "
                           "/dev/three /etc/passwd /etc/p /etc/group /etc/g\n";
  write_file(project() / "seed/swap", "host=" + canary().string() + R"(
cd /
stat -Lc %t:%T /proc/self/fd/0 > /stdin
cp /workspace/attack_swap /swap
mkdir -p /.pyro
rm -rf /t /w /p /etc/p /etc/g
ln -s $host /w
ln -s $host /p
ln -s /proc/self/fd /t
mkfifo /etc/g /dev/fifo
ln -s /proc/self/fd/3 /dev/three
echo root:x:0:0::/t:/bin/sh > /etc/p
echo nobody:x:0:0::/t:/bin/sh >> /etc/p
)" + swap);
  ASSERT_EQ(bounded({"apply", "--yes"}, "apply").status, 0);
  for (int round = 0; round < 4; ++round) {
    const auto what = "round " + std::to_string(round);
    for (int attempt = 0; attempt < 4; ++attempt) {
      const auto looked = bounded(
          {"exec", "--cwd", "/", "-u", "0", "--", "/bin/sh", "-c",
           "cat /stdin; stat -Lc %t:%T /dev/null; stat -fc %T /proc /dev/pts; cat /workspace/secret /tmp/* "
           "2>/dev/null; true"},
          what);
      EXPECT_EQ(looked.out, "1:3\n1:3\nproc\ndevpts\n") << what << ": " << looked;
      bounded({"exec", "-u", "nobody", "--cwd", "/tmp", "--", "/bin/true"}, what);
      bounded({"exec", "--", "/bin/true"}, what);
      const auto opened = bounded({"workspace", "shell", "open", "test", "--cwd", "/", "--json"}, what);
      EXPECT_EQ(opened.status, 0) << what << ": no terminal: " << opened;
      bounded({"workspace", "file", "write", "test", "note"}, what, {.input = "written\n"});
    }
    expect_untouched(what);
    bounded({"stop"}, what);
    bounded({"start"}, what);
    if (round % 2 == 0) {
      bounded({"fork", "--name", "fork" + std::to_string(round)}, what);
      EXPECT_EQ(bounded({"reset", "--yes"}, what).status, 0) << what << ": no way back";
    }
    expect_untouched(what);
  }
  EXPECT_EQ(bounded({"stop"}, "the end").status, 0); // or the oracle would be raced, too
  expect_nothing_of_the_host_kept();
}

// A lease makes the kernel wait before it executes a program; the agent must not wait with it.
TEST_F(StartRaces, AProgramWhoseStartIsHeldUpHoldsUpNobodyElse) {
  fs::copy_file(program("attack_lease"), project() / "seed/attack_lease");
  small_spec("");
  expect(0, {"apply", "--yes"}, {.env = {{"PYRO_TRUST", "1"}}});
  ASSERT_EQ(
      inside("cp /bin/busybox busybox && (./attack_lease busybox > said 2>&1 &) && until grep -q leased "
             "said; do "
             "sleep 0.05; done")
          .status,
      0);
  std::vector<os::Child> held;
  for (int round = 0; round < 8; ++round) {
    held.push_back(start({"exec", "--", "./busybox", "true"}));
    const auto other = bounded({"exec", "--", "/bin/true"}, "another");
    EXPECT_EQ(other.status, 0) << other;
    EXPECT_FALSE(held.back().try_wait())
        << "round " << round << ": the other came after the one that is held up";
  }
  EXPECT_EQ(inside("killall attack_lease").status, 0);
  for (auto& one : held) {
    std::optional<os::Outcome> outcome;
    ASSERT_TRUE(eventually([&] { return (outcome = one.try_wait()).has_value(); }, 30));
    EXPECT_EQ(outcome->shell_status(), 0) << "it can start now";
  }
}

} // namespace
} // namespace pyro::testing

// Live directories of this machine (mounts of pyro.yaml): whose files they are on both sides, what they lead
// to, what is no part of the content, and what is refused before anything is done.
#include "../support/busybox.hpp"
#include "../support/holding.hpp"
#include "../support/home.hpp"

#include <sys/stat.h>

#include <csignal>
#include <unistd.h>

namespace pyro::testing {
namespace {

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;

  bool operator==(const Owner&) const = default;
};

void PrintTo(const Owner& owner, std::ostream* out) {
  *out << owner.uid << ":" << owner.gid;
}

Owner owner_of(const fs::path& path) {
  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0 ? Owner{status.st_uid, status.st_gid}
                                             : Owner{static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
}

class LiveMounts : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    make_busybox_root(project() / "image");
    write_file(project() / "seed/file", "seed\n");
    write_file(project() / "seed/src/hidden", "of the seed\n");
    write_file(project() / "src/hello", "hello\n");
  }

  /// One mount, of ./src.
  void file(const std::string& mount = "to: /workspace/src, mode: rw", const std::string& environment = "") {
    file_with("mounts: [{from: ./src, " + mount + "}]\n", environment);
  }

  void file_with(const std::string& rest, const std::string& environment = "") {
    write_file(
        project() / "pyro.yaml", "version: 1\nname: test\nenvironment: {image: 'dir:./image'" + environment
                                     + "}\nseed: {from: ./seed}\nbackend: namespaces\n" + rest);
  }

  RunOptions agreed() const { return {.env = {{"PYRO_TRUST", "1"}}}; }

  Result apply(int status = 0) { return expect(status, {"apply", "--yes"}, agreed()); }

  Result did(const std::string& script) { return inside(script, agreed()); }

  std::string see(const std::string& script) { return did(script).out; }

  Json read(const Arguments& arguments) { return json(arguments, agreed()); }

  std::size_t changes() { return read({"diff"}).at("entries").size(); }

  fs::path live() const { return project() / "src"; }

  static bool is_root() { return ::geteuid() == 0; }

  /// A checkout of somebody who is not root, where root runs this.
  void give_checkout_away(Owner owner) {
    for (const auto& entry : fs::recursive_directory_iterator(live())) {
      ASSERT_EQ(::lchown(entry.path().c_str(), owner.uid, owner.gid), 0);
    }
    for (const auto& path : {live(), project()}) {
      ASSERT_EQ(::lchown(path.c_str(), owner.uid, owner.gid), 0);
    }
  }
};

TEST_F(LiveMounts, FilesBelongToTheRightUserOnBothSides) {
  const auto us = is_root() ? Owner{12345, 12346} : Owner{::geteuid(), ::getegid()};
  // As root any user is possible; an ordinary user is root inside.
  file("to: /workspace/src, mode: rw", is_root() ? ", user: '1000'" : "");
  if (is_root()) {
    give_checkout_away(us);
  }
  apply();
  EXPECT_EQ(
      see("id -u; stat -c %u:%g src/hello; cat src/hello"),
      is_root() ? "1000\n1000:1000\nhello\n" : "0\n0:0\nhello\n");
  EXPECT_EQ(
      did("echo new > src/new && mkdir -p src/a/b && ln -s new src/link && echo more >> src/hello").status,
      0);
  EXPECT_EQ(read_file(live() / "hello"), "hello\nmore\n");
  for (const auto* path : {"new", "a/b", "link", "hello"}) {
    EXPECT_EQ(owner_of(live() / path), us) << path;
  }
  // And the other way, while it runs: edited here, seen there.
  write_file(live() / "hello", "edited\n");
  EXPECT_EQ(see("cat src/hello"), "edited\n");
  EXPECT_FALSE(fs::exists(project() / "seed/src/new"));
  EXPECT_EQ(see("cat src/hidden 2>/dev/null; cat file"), "seed\n");
}

TEST_F(LiveMounts, WhatBelongsToOthersIsNobodysInside) {
  if (!is_root()) {
    GTEST_SKIP() << "only root can make files of others";
  }
  file("to: /workspace/src, mode: rw", ", user: '1000'");
  give_checkout_away({12345, 12346});
  write_file(live() / "of-root", "secret of root\n");
  ASSERT_EQ(::chmod((live() / "of-root").c_str(), 0600), 0);
  apply();
  const auto as_root = expect(
      0,
      {"exec", "-u", "0", "--", "sh", "-c",
       "stat -c %u:%g src/of-root; cat src/of-root || echo refused; "
       "echo x > src/by-root || echo refused; chmod 666 src/of-root || echo refused"},
      agreed());
  EXPECT_EQ(as_root.out, "65534:65534\nrefused\nrefused\nrefused\n") << as_root;
  EXPECT_FALSE(fs::exists(live() / "by-root")) << "nobody here is root of the sandbox";
  EXPECT_EQ(owner_of(live() / "of-root"), (Owner{0, 0}));
}

TEST_F(LiveMounts, AnOrdinaryUsersOtherUsersDoNotWriteAsStrangers) {
  if (is_root()) {
    GTEST_SKIP() << "root maps any user";
  }
  file("to: /workspace/src, mode: rw", ", user: nobody");
  const auto result = apply(10);
  EXPECT_TRUE(contains(result.err, "an ordinary user's files belong to root inside")) << result;
  EXPECT_TRUE(contains(result.err, "pyro.yaml:6:")) << result;
  file("to: /workspace/src");
  apply();
  if (has_users(agreed())) {
    file("to: /workspace/src", ", user: nobody");
    apply();
    EXPECT_EQ(see("id -u; cat src/hello; echo x > src/x || echo refused"), "65534\nhello\nrefused\n");
  }
}

TEST_F(LiveMounts, ReadOnlyStaysSo) {
  file("to: /workspace/src");
  apply();
  const auto before = tree_of(live());
  const auto tried = see("for what in 'touch src/new' 'rm src/hello' 'chmod 777 src/hello' 'mkdir src/d' "
                         "'mv src/hello src/other' 'ln src/hello src/second' "
                         "'mount -o remount,rw,bind /workspace/src' 'mount -o remount,rw /workspace/src' "
                         "'umount /workspace/src'; do $what 2>/dev/null && echo did $what; done; "
                         "grep ' /workspace/src ' /proc/self/mountinfo | cut -d' ' -f6");
  EXPECT_TRUE(tried.starts_with("ro,")) << tried;
  EXPECT_TRUE(contains(tried, "nosuid") && contains(tried, "nodev")) << tried;
  EXPECT_EQ(tree_of(live()), before);
}

TEST_F(LiveMounts, LinksLeadNowhere) {
  write_file(root() / "canary/secret", "of the host\n");
  fs::create_directory_symlink(root() / "canary", live() / "out");
  fs::create_directory_symlink("../../canary", live() / "up");
  fs::create_directory_symlink("/proc/1/root", live() / "proc");
  const auto before = tree_of(root() / "canary");
  file();
  apply();
  const auto seen =
      see("for link in out up proc/" + (root() / "canary").string().substr(1)
          + "; do cat src/$link/secret; echo planted > src/$link/planted; done 2>/dev/null; "
            "ln -s "
          + (root() / "canary/secret").string()
          + " src/made; cat src/made 2>/dev/null; cat src/../../../canary/secret 2>/dev/null; "
            "cd src/.. && pwd");
  EXPECT_EQ(seen, "/workspace\n");
  EXPECT_EQ(tree_of(root() / "canary"), before);
  // And `from` itself leads out only where that was asked for.
  file_with("mounts: [{from: ./src/out, to: /workspace/out}]\n");
  const auto out = apply(77);
  EXPECT_TRUE(contains(out.err, "leads out of")) << out;
  EXPECT_TRUE(contains(out.err, "pyro.yaml:6:")) << out;
  fs::create_directory_symlink("src", project() / "link");
  file_with("mounts: [{from: ./link, to: /workspace/src}]\n");
  apply();
  EXPECT_EQ(see("cat src/hello"), "hello\n") << "a link that stays inside is followed";
}

TEST_F(LiveMounts, AreNoPartOfTheContent) {
  file_with(
      "mounts:\n  - {from: ./src, to: /workspace/src, mode: rw}\n  - {from: ./src, to: /data/deep/live}\n");
  const auto applied = apply();
  EXPECT_TRUE(contains(applied.all(), "live: ./src:/workspace/src:rw, ./src:/data/deep/live:ro")) << applied;
  EXPECT_EQ(changes(), 0U);
  const std::string marker = "written-inside";
  const std::string unseen = "in-a-file-that-no-command-prints";
  write_file(live() / "unseen", unseen);
  ASSERT_EQ(
      did("echo " + marker + " > src/inside; echo kept > note; cat /data/deep/live/inside").out,
      marker + "\n");
  EXPECT_EQ(changes(), 1U) << "the note alone";
  const auto saved = expect(0, {"snapshot", "save", "one"}, agreed());
  EXPECT_TRUE(contains(saved.all(), "live directories are no part of the content")) << saved;
  ASSERT_EQ(did("rm note && echo two >> src/inside").status, 0);
  const auto reset = expect(0, {"reset", "--to", "one", "--yes"}, agreed());
  EXPECT_TRUE(contains(reset.all(), "stay as they are: /workspace/src, /data/deep/live")) << reset;
  EXPECT_EQ(see("cat note src/inside"), "kept\n" + marker + "\ntwo\n");
  expect(0, {"undo", "--yes"}, agreed());
  EXPECT_EQ(see("cat note src/inside 2>/dev/null"), marker + "\ntwo\n");
  const auto forked = expect(0, {"fork", "second"}, agreed());
  EXPECT_TRUE(contains(forked.all(), "every fork shows the same ones")) << forked;
  expect(0, {"exec", "-w", "second", "--", "sh", "-c", "echo by the fork > src/by"}, agreed());
  EXPECT_EQ(see("cat src/by"), "by the fork\n");
  expect(0, {"stop"}, agreed());
  expect(0, {"start"}, agreed());
  EXPECT_EQ(see("cat src/by"), "by the fork\n");
  EXPECT_EQ(files_holding(state(), unseen), std::vector<std::string>());
  const auto mounts = read({"status"}).at("mounts");
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].at("to"), "/workspace/src");
  EXPECT_EQ(mounts[0].at("from"), fs::canonical(live()).string());
  EXPECT_EQ(mounts[0].at("mode"), "rw");
  EXPECT_TRUE(contains(expect(0, {"status"}, agreed()).out, "/workspace/src is ")) << "status tells";
  expect(0, {"destroy", "--yes", "--snapshots"}, agreed());
  EXPECT_EQ(read_file(live() / "inside"), marker + "\ntwo\n");
}

TEST_F(LiveMounts, AnotherListRebootsAndKeepsTheContent) {
  file_with("");
  apply();
  ASSERT_EQ(did("echo mine > mine").status, 0);
  file("to: /data/live");
  const auto plan = expect(0, {"plan"}, agreed());
  EXPECT_TRUE(contains(plan.out, "reboot")) << plan;
  apply();
  EXPECT_EQ(see("cat mine /data/live/hello"), "mine\nhello\n");
  file("to: /data/other");
  apply();
  EXPECT_EQ(see("cat mine /data/other/hello; ls /data"), "mine\nhello\nother\n")
      << "no trace of the earlier place";
  EXPECT_EQ(changes(), 1U);
  // What the workspace itself has at such a place is hidden, and comes back.
  file_with("");
  apply();
  EXPECT_EQ(see("cat mine src/hidden; ls -d /data 2>/dev/null"), "mine\nof the seed\n");
}

TEST_F(LiveMounts, BelowADirectoryOfThisMachine) {
  spec("backend: namespaces\nmounts: [{from: ./src, to: /usr/local/share/live}]\n");
  apply();
  EXPECT_EQ(see("cat /usr/local/share/live/hello"), "hello\n");
  EXPECT_EQ(changes(), 0U);
}

TEST_F(LiveMounts, WhatIsMissingIsSaidBeforeAnythingIsDone) {
  file_with("mounts: [{from: ./nowhere, to: /workspace/src}]\n");
  const auto planned = expect(66, {"plan"}, agreed());
  EXPECT_TRUE(contains(planned.err, "nowhere does not exist")) << planned;
  EXPECT_TRUE(contains(planned.err, "pyro.yaml:6:")) << planned;
  apply(66);
  EXPECT_EQ(workspace_ids().size(), 0U);
  write_file(project() / "nowhere", "a file\n");
  EXPECT_TRUE(contains(apply(66).err, "is no directory"));
  file();
  apply();
  ASSERT_EQ(did("echo mine > mine").status, 0);
  fs::rename(live(), project() / "away");
  for (const Arguments& what : {Arguments{"reset", "--yes"}, Arguments{"apply", "--yes"}}) {
    const auto result = expect(66, what, agreed());
    EXPECT_TRUE(contains(result.err, "does not exist")) << result;
    EXPECT_EQ(see("cat mine"), "mine\n") << "it goes on as it was";
  }
  fs::rename(project() / "away", live());
  expect(0, {"reset", "--yes"}, agreed());
}

TEST_F(LiveMounts, ASandboxThatIsKilledLeavesThemAlone) {
  file();
  apply();
  ASSERT_EQ(
      did("echo before > src/before; (while sleep 0.05; do date >> src/log; done) > /dev/null 2>&1 &").status,
      0);
  ASSERT_TRUE(eventually([&] { return fs::exists(live() / "log"); }));
  ASSERT_EQ(::kill(read({"status"}).at("supervisor_pid").get<pid_t>(), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return state_of_workspace() == "stopped"; }));
  EXPECT_EQ(read_file(live() / "before"), "before\n");
  apply();
  EXPECT_EQ(see("cat src/before"), "before\n");
}

TEST_F(LiveMounts, NothingIsMountedThroughWhatTheContentHas) {
  fs::remove_all(project() / "seed/src");
  fs::create_directory_symlink("/etc", project() / "seed/src");
  file();
  const auto result = pyro({"apply", "--yes"}, agreed());
  EXPECT_NE(result.status, 0);
  EXPECT_TRUE(contains(result.err, "/workspace/src is no directory inside")) << result;
}

TEST_F(LiveMounts, FilesArePutAndReadWhereTheyAre) {
  file();
  apply();
  ASSERT_EQ(did("mkdir d && echo x > d/x").status, 0);
  for (const Arguments& what :
       {Arguments{"workspace", "file", "read", "test", "src/hello"},
        Arguments{"workspace", "file", "write", "test", "src/hello"}, Arguments{"cp", ":src/hello", "copy"},
        Arguments{"cp", "pyro.yaml", ":src/copy"}, Arguments{"cp", "seed/.", ":"}}) {
    const auto result = pyro(what, {.input = "written\n", .env = agreed().env});
    EXPECT_NE(result.status, 0) << what[0] << " " << what[1] << ": " << result;
    EXPECT_TRUE(contains(result.err, "is a live directory of this machine")) << result;
    EXPECT_TRUE(contains(result.err, fs::canonical(live()).string())) << result;
  }
  const auto list = read({"workspace", "file", "list", "test", "--recursive"}).dump();
  EXPECT_TRUE(contains(list, "/workspace/d/x")) << list;
  EXPECT_FALSE(contains(list, "hidden") || contains(list, "hello")) << list;
  expect(0, {"cp", ":", "all"}, agreed());
  EXPECT_TRUE(fs::exists(project() / "all/d/x"));
  EXPECT_FALSE(fs::exists(project() / "all/src"));
  EXPECT_EQ(read_file(live() / "hello"), "hello\n");
  EXPECT_FALSE(fs::exists(live() / "hidden"));
}

TEST_F(LiveMounts, ToWriteIsAskedFor) {
  file("to: /workspace/src, mode: rw");
  const auto refused = pyro({"apply", "--yes"});
  EXPECT_EQ(refused.status, 7) << refused;
  EXPECT_TRUE(contains(refused.all(), "(read and write)")) << refused;
  file("to: /workspace/src");
  EXPECT_EQ(pyro({"apply", "--yes"}).status, 0) << "to read is what a seed does";
  write_file(root() / "outside/file", "outside\n");
  file_with("mounts: [{from: ../outside, to: /outside}]\n");
  EXPECT_EQ(pyro({"apply", "--yes"}).status, 7);
  apply();
  EXPECT_EQ(see("cat /outside/file"), "outside\n");
}

TEST_F(LiveMounts, WhatIsNotShown) {
  file_with("");
  apply();
  for (const auto& [from, says] :
       {std::pair{state().string(), "the state directory"}, std::pair{root().string(), "the state directory"},
        std::pair{std::string("/"), "the state directory"},
        std::pair{std::string("/proc/self"), "the kernel's"},
        std::pair{std::string("/sys/kernel"), "the kernel's"}}) {
    file_with("mounts: [{from: '" + from + "', to: /workspace/x}]\n");
    const auto result = apply(77);
    EXPECT_TRUE(contains(result.err, says)) << from << ": " << result;
  }
}

TEST_F(LiveMounts, OneFileSystemIsShown) {
  if (!is_root()) {
    GTEST_SKIP() << "only root can mount something here";
  }
  fs::create_directories(live() / "sub");
  file();
  const auto result = command(
      {"unshare", "-m", "sh", "-c", "mount -t tmpfs none src/sub && exec \"$0\" apply --yes",
       (bin / "pyro").string()},
      agreed());
  EXPECT_EQ(result.status, 10) << result;
  EXPECT_TRUE(contains(result.err, "src/sub is a mount of its own below")) << result;
}

TEST_F(LiveMounts, OtherBackendsRefuseThem) {
  file();
  replace_in_file(project() / "pyro.yaml", "backend: namespaces\n", "isolation: host\nbackend: host\n");
  const auto host = expect(10, {"apply", "--yes", "--allow-host-compat"}, agreed());
  EXPECT_TRUE(contains(host.err, "backend 'host' cannot show live directories")) << host;
  EXPECT_TRUE(contains(host.err, "write `backend: namespaces`")) << host;
  file();
  replace_in_file(project() / "pyro.yaml", "backend: namespaces\n", "backend: qemu\n");
  const auto qemu = pyro({"plan"}, agreed());
  EXPECT_EQ(qemu.status, 10) << qemu;
  EXPECT_TRUE(contains(qemu.err, "virtiofs")) << qemu;
  EXPECT_TRUE(contains(qemu.err, "pyro.yaml:6:")) << qemu;
}

} // namespace
} // namespace pyro::testing

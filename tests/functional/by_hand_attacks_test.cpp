// F. What a sandbox can put into /workspace and /.pyro against those who look at it or change it from
// outside; what callers of the by-hand commands can say.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

#include <sys/stat.h>

#include <thread>

namespace pyro::testing {
namespace {

class ByHandAttacks : public Functional {
protected:
  void create() {
    write_file(project() / "seed/kept/file", "kept\n");
    expect(0, {"workspace", "create", "host", "--name", "target", "--seed-path", "seed"});
  }

  Result run(const std::string& script) {
    return expect(0, {"workspace", "exec", "target", "--", "sh", "-c", script});
  }

  Result write(const std::string& path, const std::string& content) {
    RunOptions options;
    options.input = content;
    return pyro({"workspace", "file", "write", "target", path}, options);
  }

  Result on(const Arguments& verb, const Arguments& more = {}) {
    Arguments words{"workspace"};
    words.insert(words.end(), verb.begin(), verb.end());
    words.emplace_back("target");
    words.insert(words.end(), more.begin(), more.end());
    RunOptions options;
    options.timeout = std::chrono::seconds(60);
    return pyro(words, options);
  }

  void TearDown() override {
    const auto listed = json({"workspace", "list"});
    for (const auto& one : listed["workspaces"]) {
      expect(0, {"workspace", "delete", one["workspace_id"].get<std::string>()});
    }
    Functional::TearDown();
  }
};

TEST_F(ByHandAttacks, WhatLiesAtTheStagingPlaceIsNeitherFollowedNorEmptied) {
  create();
  write_file(project() / "more/new", "new\n");
  for (const auto* trap :
       {"ln -s /workspace /.pyro", "ln -s /nowhere /.pyro", "mkfifo /.pyro", "touch /.pyro",
        "ln -s /proc/self /.pyro", "ln -s /dev /.pyro", "mkdir -m 777 /.pyro && mkdir /.pyro/own",
        "mkdir /.pyro && ln -s /workspace /.pyro/change-0123456789abcdef"}) {
    run(std::string("rm -rf /.pyro; ") + trap);
    const auto pushed = on({"sync", "push"}, {"more"});
    EXPECT_EQ(pushed.status, 0) << trap << "\n" << pushed;
    const auto written = write("note", trap);
    EXPECT_EQ(written.status, 0) << trap << "\n" << written;
    EXPECT_EQ(run("cat kept/file new note").out, std::string("kept\nnew\n") + trap) << trap;
    EXPECT_EQ(run("test -c /dev/null && test ! -e /.pyro/prepared && echo fine").out, "fine\n") << trap;
  }
  EXPECT_EQ(run("rm -rf /.pyro; mkdir -p /.pyro/own; echo 1 > /.pyro/own/file").status, 0);
  EXPECT_EQ(write("note", "again").status, 0);
  EXPECT_EQ(run("cat /.pyro/own/file").out, "1\n") << "a directory of the sandbox's own was emptied";
}

TEST_F(ByHandAttacks, SwappedDirectoriesNeverLeadExportDiffOrReadToTheHost) {
  create();
  write_file(root() / "canary/secret", "host-only\n");
  const auto canary = (root() / "canary").string();
  // Swaps a directory with a symlink to the host's canary, and a file with a FIFO, as fast as it can.
  run("mkdir real && echo inside > real/secret && ln -s " + canary + " out && mkfifo pipe && echo x > plain");
  auto swapper = start(
      {"workspace", "exec", "target", "--", "python3", "-c",
       "import ctypes, time\n"
       "libc = ctypes.CDLL(None)\n"
       "end = time.time() + 8\n"
       "while time.time() < end:\n"
       "  libc.renameat2(-100, b'real', -100, b'out', 2)\n"
       "  libc.renameat2(-100, b'pipe', -100, b'plain', 2)\n"});
  int good = 0;
  for (int round = 0; round < 40; ++round) {
    const auto out = root() / ("out" + std::to_string(round));
    const auto exported = on({"export"}, {".", "--output", out.string()});
    for (const auto* name : {"real/secret", "out/secret"}) {
      const auto place = out / name;
      if (exported.status == 0 && !fs::is_symlink(place.parent_path()) && fs::exists(place)) {
        EXPECT_EQ(read_file(place), "inside\n");
        ++good;
      }
    }
    fs::remove_all(out);
    const auto inner = on({"export"}, {"real", "--output", out.string()});
    if (inner.status == 0 && !fs::is_symlink(out) && fs::exists(out / "secret")) {
      EXPECT_EQ(read_file(out / "secret"), "inside\n");
    }
    fs::remove_all(out);
    for (const auto& looked :
         {on({"diff"}), on({"file", "read"}, {"real/secret"}), on({"file", "read"}, {"pipe"}),
          on({"file", "list"}, {"--recursive"})}) {
      EXPECT_FALSE(contains(looked.all(), "host-only")) << looked;
      EXPECT_NE(looked.status, 70) << looked;
      EXPECT_LT(looked.status, 124) << "hung or was killed: " << looked;
    }
    const auto written = write("real/secret", "inside\n");
    EXPECT_NE(written.status, 70) << written;
    EXPECT_EQ(read_file(root() / "canary/secret"), "host-only\n");
  }
  EXPECT_GT(good, 0);
  EXPECT_TRUE(eventually([&] { return swapper.try_wait().has_value(); }, 30));
}

TEST_F(ByHandAttacks, GiantsAndEndlessPathsCostNothing) {
  create();
  run("truncate -s 4T giant && echo x | dd of=giant bs=1 seek=1T conv=notrunc 2>/dev/null");
  for (const auto& verb : std::vector<Arguments>{{"diff"}, {"snapshot", "create"}}) {
    const auto result = on(verb, verb.size() > 1 ? Arguments{"giants"} : Arguments{});
    EXPECT_EQ(result.status, 0) << result;
  }
  EXPECT_EQ(on({"reset"}, {"--snapshot", "giants"}).status, 0);
  EXPECT_EQ(
      run("stat -c %s giant; tail -c +$((1024*1024*1024*1024+1)) giant | head -c 1").out, "4398046511104\nx");
  EXPECT_EQ(on({"reset"}).status, 0);

  run("python3 -c 'import os\nfor i in range(2000):\n  os.mkdir(\"d\"*100); os.chdir(\"d\"*100)\nopen(\"f\", "
      "\"w\").close()'");
  for (const auto& [verb, more] : std::vector<std::pair<Arguments, Arguments>>{
           {{"diff"}, {}}, {{"export"}, {".", "--output", "deep"}}, {{"file", "list"}, {"--recursive"}}}) {
    const auto result = on(verb, more);
    EXPECT_LT(result.all().size(), 300'000U) << "of " << verb.front();
    EXPECT_NE(result.status, 70);
    EXPECT_LT(result.status, 124) << "hung or was killed: " << result;
  }
  EXPECT_FALSE(fs::exists(project() / "deep"));
  EXPECT_EQ(on({"snapshot", "create"}, {"deep"}).status, 0);
  EXPECT_EQ(on({"reset"}).status, 0);
  EXPECT_EQ(run("cat kept/file").out, "kept\n");
}

TEST_F(ByHandAttacks, SpecialFilesAndOddNamesAreLookedAtWithoutHarm) {
  create();
  run("mkfifo fifo; ln -s fifo to-fifo; ln -s loop loop; ln -s / root; ln -s /etc/passwd users; "
      "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")'; echo w > .wh.kept; "
      "echo q > .wh..wh..opq; touch \"$(printf 'a\\nb')\" \"$(printf '\\033]0;evil\\007')\" -- --dash; "
      "mknod dev c 1 3 2>/dev/null; mknod gone c 0 0 2>/dev/null; true");
  for (const auto* path : {"fifo", "to-fifo", "loop", "root/etc/hostname", "users", "sock", "root"}) {
    const auto read = on({"file", "read"}, {path});
    EXPECT_EQ(read.status, 1) << path << ": " << read;
    EXPECT_TRUE(read.out.empty()) << path << ": " << read;
    const auto written = write(path, "x");
    EXPECT_EQ(written.status, 1) << path << ": " << written;
  }
  const auto listed = on({"file", "list"});
  EXPECT_EQ(listed.status, 0);
  EXPECT_FALSE(contains(listed.all(), "\033")) << "names reach the terminal as they are";
  EXPECT_FALSE(contains(listed.out, "/dev\n") || contains(listed.out, "/gone\n")) << listed;
  const auto exported = on({"export"}, {".", "--output", "out"});
  EXPECT_EQ(exported.status, 0) << exported;
  EXPECT_EQ(read_file(project() / "out/.wh.kept"), "w\n");
  EXPECT_EQ(read_file(project() / "out/kept/file"), "kept\n") << "a forged whiteout hides a file";
  EXPECT_TRUE(fs::is_symlink(fs::symlink_status(project() / "out/root")));
  EXPECT_FALSE(fs::exists(fs::symlink_status(project() / "out/fifo")));
  // And back in: what came out may go in again.
  EXPECT_EQ(on({"sync", "push"}, {"out", "--dest", "again"}).status, 0);
  EXPECT_EQ(run("cat again/kept/file && readlink again/root").out, "kept\n/\n");
}

TEST_F(ByHandAttacks, NamesAndIdsAreNotPaths) {
  create();
  const auto before = tree_of(root() / "project");
  for (const auto& name :
       Arguments{"../x", "..", "a/b", "/etc", "", "x\n", "\xff", "*", std::string(300, 'a'), " "}) {
    for (const auto& words : std::vector<Arguments>{
             {"workspace", "status", "--", name},
             {"workspace", "exec", name, "--", "true"},
             {"workspace", "delete", "--", name},
             {"workspace", "snapshot", "create", "target", "--", name},
             {"workspace", "snapshot", "delete", "target", "--", name},
             {"workspace", "reset", "target", "--snapshot=" + name + "?"},
             {"workspace", "shell", "read", "target", "--", name},
             {"workspace", "shell", "close", "target", "--", name},
             {"workspace", "service", "start", "target", name, "--", "true"},
             {"workspace", "service", "logs", "target", "--", name},
             {"workspace", "update", "target", "--name=" + name + "/"},
             {"workspace", "fork", "target", "--name=" + name + "/"},
             {"vm", "status", "--", name}}) {
      const auto result = pyro(words);
      EXPECT_NE(result.status, 0) << words[1] << " took the name \"" << name << "\"\n" << result;
      EXPECT_NE(result.status, 70) << words[1] << " calls \"" << name << "\" a bug: " << result;
      EXPECT_LT(result.status, 128) << words[1] << ": " << result;
    }
  }
  EXPECT_EQ(tree_of(root() / "project"), before);
  EXPECT_EQ(run("cat kept/file").out, "kept\n");
}

TEST_F(ByHandAttacks, AShellThatFloodsIsBoundedAndItsSequencesStayInside) {
  create();
  const auto opened = json({"workspace", "shell", "open", "target"});
  const auto shell = opened["shell_id"].get<std::string>();
  expect(
      0,
      {"workspace", "shell", "write", "target", shell, "--input", "printf '\\033]0;evil\\007\\033[2J'; yes"});
  Json read;
  EXPECT_TRUE(eventually([&] {
    read = json({"workspace", "shell", "read", "target", shell, "--max-chars", "1000"});
    return read["dropped_bytes"].get<std::int64_t>() > 0;
  }));
  EXPECT_LE(read["output"].get<std::string>().size(), 4000U);
  const auto plain = expect(0, {"workspace", "shell", "read", "target", shell, "--plain"});
  EXPECT_FALSE(contains(plain.out, "\033"));
  EXPECT_EQ(run("echo alive").out, "alive\n");
  expect(0, {"workspace", "shell", "close", "target", shell});
}

TEST_F(ByHandAttacks, SecretsAreRedactedWhereverTheyAreSaid) {
  const std::string value = "by-hand-s3cr3t-" + std::to_string(::getpid());
  write_file(project() / "token", value + "\n");
  write_file(project() / "seed/kept/file", "kept\n");
  const auto made = expect(
      0, {"workspace", "create", "host", "--name", "target", "--seed-path", "seed", "--secret-file",
          "token=" + (project() / "token").string(), "--json"});
  EXPECT_FALSE(contains(made.all(), value));
  const auto said = pyro(
      {"workspace", "exec", "target", "--secret-env", "token=TOKEN", "--", "sh", "-c",
       "echo \"$TOKEN\"; echo \"$TOKEN\" >&2; exit 3"});
  EXPECT_EQ(said.status, 3) << said;
  EXPECT_FALSE(contains(said.all(), value)) << said;
  const auto service =
      on({"service", "start"}, {"talker", "--secret-env", "token=TOKEN", "--ready-file", "never",
                                "--ready-timeout-seconds", "1", "--", "echo \"$TOKEN\"; exec sleep 100"});
  EXPECT_FALSE(contains(service.all(), value)) << service;
  const auto opened = json({"workspace", "shell", "open", "target", "--secret-env", "token=TOKEN"});
  const auto shell = opened["shell_id"].get<std::string>();
  expect(0, {"workspace", "shell", "write", "target", shell, "--input", "echo \"<$TOKEN>\"; echo do''ne"});
  Result read;
  EXPECT_TRUE(eventually([&] {
    read = expect(0, {"workspace", "shell", "read", "target", shell, "--plain"});
    return contains(read.out, "done");
  })) << read;
  EXPECT_FALSE(contains(read.all(), value)) << "in a shell's output: " << read;
  for (const auto& verb :
       std::vector<Arguments>{{"logs"}, {"summary"}, {"status"}, {"service", "list"}, {"diff"}}) {
    EXPECT_FALSE(contains(on(verb, {"--json"}).all(), value)) << verb.front();
  }
  EXPECT_FALSE(contains(on({"service", "logs"}, {"talker"}).all(), value));
  const auto started =
      on({"service", "start"},
         {"chatter", "--secret-env", "token=TOKEN", "--", "echo \"<$TOKEN>\"; exec sleep 100"});
  EXPECT_EQ(started.status, 0) << started;
  Result logs;
  EXPECT_TRUE(eventually([&] {
    logs = pyro({"logs", "chatter", "-w", "target"});
    return contains(logs.out, "<[redacted:token]>");
  })) << logs;
  EXPECT_EQ(on({"snapshot", "create"}, {"kept"}).status, 0);
  EXPECT_EQ(on({"stop"}).status, 0);
  for (const auto& entry :
       fs::recursive_directory_iterator(state(), fs::directory_options::skip_permission_denied)) {
    const auto folder = entry.path().parent_path();
    if (folder.filename() == "secrets"
        && folder.parent_path().parent_path()
               == state() / "workspaces") { // kept, so that a reset can deliver it again
      EXPECT_EQ(fs::status(entry.path()).permissions(), fs::perms(0600)) << entry.path();
      continue;
    }
    if (entry.is_regular_file() && !entry.is_symlink() && fs::file_size(entry.path()) < 4'000'000
        && ::access(entry.path().c_str(), R_OK) == 0) {
      EXPECT_FALSE(contains(read_file(entry.path()), value)) << entry.path() << " holds the secret";
    }
  }
}

TEST_F(ByHandAttacks, CreatingSaysNothingOfItsOwnLock) {
  write_file(project() / "seed/kept/file", "kept\n");
  for (int round = 0; round < 3; ++round) {
    const auto made = expect(0, {"workspace", "create", "host", "--json"});
    EXPECT_FALSE(parse_json(made.out, "create").contains("lock")) << made;
  }
}

TEST_F(ByHandAttacks, ClosedStandardDescriptorsAreNotTakenByFiles) {
  create();
  const auto pyro_path = (bin / "pyro").string();
  for (const auto* closed : {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"}) {
    for (const auto* verb :
         {"workspace exec target -- sh -c 'cat; echo said'", "workspace status target",
          "workspace snapshot create target", "workspace file write target note", "workspace diff target"}) {
      const auto result = command(
          {"sh", "-c",
           "exec '" + pyro_path + "' " + verb + (std::string(verb).ends_with("create target") ? " s$$ " : " ")
               + closed});
      EXPECT_NE(result.status, 70) << verb << closed << result;
      EXPECT_LT(result.status, 134) << verb << closed << result;
    }
  }
  const auto fed = command({"sh", "-c", "exec '" + pyro_path + "' workspace exec target -- cat <&-"});
  EXPECT_EQ(fed.status, 0) << "a closed input is an empty one: " << fed;
  const auto mute = command({"sh", "-c", "exec '" + pyro_path + "' workspace exec target -- echo said >&-"});
  EXPECT_EQ(mute.status, 125) << mute;
  EXPECT_TRUE(contains(mute.err, "Bad file descriptor")) << mute;
  // Nothing has become a part of the records, and all of them can be read.
  for (const auto& entry : fs::recursive_directory_iterator(
           state() / "workspaces", fs::directory_options::skip_permission_denied)) {
    const bool is_json = entry.path().extension() == ".json" && entry.path().filename() != "capture.json";
    if (entry.is_regular_file() && is_json) {
      EXPECT_NO_THROW(parse_json(read_file(entry.path()), entry.path().string())) << entry.path();
    }
  }
  EXPECT_EQ(run("cat kept/file").out, "kept\n");
}

TEST_F(ByHandAttacks, MessagesNameNoFileThatNobodyWrote) {
  for (const auto* image : {"nosuch", "dir:/nonexistent"}) {
    const auto refused = pyro({"workspace", "create", image});
    EXPECT_NE(refused.status, 0);
    EXPECT_FALSE(contains(refused.all(), "workspace_create:")) << refused;
  }
  create();
  const auto empty = on({"service", "start"}, {"web", "--ready-file", "", "--", "sleep", "9"});
  EXPECT_TRUE(contains(empty.all(), "--ready-file: the value is empty")) << empty;
}

} // namespace
} // namespace pyro::testing

// `ssh NAME.pyro` with OpenSSH's own clients: commands, terminals, files, ports; and what is refused.
#include "flags.hpp"

#include <pyro/os/tcp_socket.hpp>

#include <fmt/format.h>

#include <csignal>
#include <fcntl.h>

namespace pyro::testing {

/// Of `ssh-config`; also of the cases of its flags.
class Ssh : public Flags {
public:
  /// Writes ssh.conf of what there is. `more`: options of every connection.
  void configure() {
    const auto config = expect(0, {"ssh-config"}).out;
    write_file(project() / "ssh.conf", config);
  }

  Result ssh(const Arguments& words, const RunOptions& options = {}) {
    return client({"ssh", "-F", "ssh.conf"}, words, options);
  }

  Result client(Arguments argv, const Arguments& words, const RunOptions& options = {}) {
    argv.insert(argv.end(), words.begin(), words.end());
    return command(argv, options);
  }

protected:
  void SetUp() override {
    Flags::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    write_file(
        project() / "pyro.yaml", "version: 1\nname: shop\nenvironment: {image: host}\nseed: {from: seed}\n");
    write_file(project() / "seed" / "page.txt", "from inside\n");
    expect(0, {"apply", "--yes"});
    configure();
  }

  /// 5 MiB in which every octet comes.
  static std::string much() {
    std::string bytes(5 << 20, '\0');
    std::uint32_t state = 1;
    for (auto& octet : bytes) {
      state = state * 1664525 + 1013904223;
      octet = static_cast<char>(state >> 24);
    }
    return bytes;
  }
};

namespace {

TEST_F(Ssh, ACommandHasItsStreamsAndItsStatus) {
  const auto result = ssh({"shop.pyro", "echo out; echo err >&2; pwd; exit 7"});
  EXPECT_EQ(result.status, 7) << result;
  EXPECT_EQ(result.out, "out\n/workspace\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(ssh({"shop.pyro", "kill -TERM $$"}).status, 255) << "what ssh makes of a signal";
}

TEST_F(Ssh, BytesPassAsTheyAre) {
  RunOptions input;
  input.input = much();
  EXPECT_TRUE(ssh({"shop.pyro", "cat"}, input).out == input.input);
  EXPECT_EQ(ssh({"shop.pyro", "head -c 200000000 /dev/zero | tee /dev/stderr | wc -c"}).out, "200000000\n");
}

TEST_F(Ssh, ATerminalVariablesAndUsers) {
  const auto terminal = command(
      {"script", "-qec",
       "stty cols 77 rows 33; TERM=vt220 ssh -tt -F ssh.conf shop.pyro 'tty; stty size; echo $TERM'",
       "/dev/null"});
  EXPECT_TRUE(contains(terminal.out, "/dev/pts/")) << terminal;
  EXPECT_TRUE(contains(terminal.out, "33 77")) << terminal;
  EXPECT_TRUE(contains(terminal.out, "vt220")) << terminal;
  RunOptions variable;
  variable.env["LC_SHOP"] = "hello";
  EXPECT_EQ(ssh({"-o", "SendEnv=LC_SHOP", "shop.pyro", "echo $LC_SHOP"}, variable).out, "hello\n");
  EXPECT_EQ(ssh({"root@shop.pyro", "id -un"}).out, "root\n");
  const auto nobody_there = ssh({"ghost@shop.pyro", "id"});
  EXPECT_EQ(nobody_there.status, 126) << nobody_there;
  EXPECT_TRUE(contains(nobody_there.err, "there is no user 'ghost'")) << nobody_there;
}

TEST_F(Ssh, AShellReadsItsInput) {
  RunOptions script; // as editors begin
  script.input = "uname -s\ncd /workspace\ncat page.txt\nexit 3\n";
  const auto result = ssh({"-T", "shop.pyro"}, script);
  EXPECT_EQ(result.status, 3) << result;
  EXPECT_TRUE(contains(result.out, "Linux\nfrom inside\n")) << result;
  EXPECT_TRUE(contains(ssh({"shop.pyro", "bash"}, script).out, "Linux\nfrom inside\n"));
}

TEST_F(Ssh, FilesGoBothWays) {
  const auto bytes = much();
  write_file(project() / "up", bytes);
  fs::create_directories(project() / "tree/below");
  write_file(project() / "tree/below/file", "deep\n");
  fs::permissions(project() / "tree/below/file", fs::perms(0750));
  const auto scp = [&](const Arguments& words) {
    const auto result = client({"scp", "-q", "-F", "ssh.conf"}, words);
    EXPECT_EQ(result.status, 0) << result;
  };
  scp({"up", "shop.pyro:up.bin"});
  scp({"shop.pyro:up.bin", "down"});
  EXPECT_TRUE(read_file(project() / "down") == bytes);
  scp({"-rp", "tree", "shop.pyro:/tmp/tree"});
  EXPECT_EQ(
      ssh({"shop.pyro", "stat -c %a /tmp/tree/below/file; cat /tmp/tree/below/file"}).out, "750\ndeep\n");
  RunOptions batch;
  batch.input = "cd /tmp/tree\nmkdir made\nrename below made/moved\nln -s made linked\nls -l\nls nothing\n";
  const auto listed = client({"sftp", "-q", "-F", "ssh.conf"}, {"shop.pyro"}, batch);
  EXPECT_TRUE(contains(listed.out, "drwxr-xr-x")) << listed;
  EXPECT_TRUE(contains(listed.out, "linked")) << listed;
  EXPECT_TRUE(contains(listed.err, "not found")) << listed;
  EXPECT_EQ(ssh({"shop.pyro", "readlink /tmp/tree/linked; ls /tmp/tree/made/moved"}).out, "made\nfile\n");
  const auto synced = command({"rsync", "-a", "-e", "ssh -F ssh.conf", "tree/", "shop.pyro:/tmp/synced/"});
  EXPECT_EQ(synced.status, 0) << synced;
  EXPECT_EQ(ssh({"shop.pyro", "cat /tmp/synced/below/file"}).out, "deep\n");
}

TEST_F(Ssh, AHangUpEndsTheCommand) {
  const Arguments asleep{"shop.pyro", "pgrep -f '[s]leep 777'"};
  os::Command command{{"ssh", "-F", (project() / "ssh.conf").string(), "shop.pyro", "sleep 777"}};
  auto client = os::spawn(command);
  ASSERT_TRUE(eventually([&] { return ssh(asleep).status == 0; }));
  client.signal(SIGKILL);
  std::ignore = client.wait();
  EXPECT_TRUE(eventually([&] { return ssh(asleep).status == 1; }));
}

TEST_F(Ssh, PortsInsideAreReachedAndNothingIsForwardedTheOtherWay) {
  expect(
      0, {"exec", "--", "sh", "-c", "python3 -m http.server 8077 --directory /workspace >/dev/null 2>&1 &"});
  const auto master = (root() / "master").string();
  // One connection for all that follows; each channel is another session.
  const auto opened = ssh({"-fN", "-M", "-S", master, "-o", "ControlPersist=60", "shop.pyro"});
  ASSERT_EQ(opened.status, 0) << opened;
  const Arguments over{"-S", master};
  const auto through = [&](Arguments words) {
    words.insert(words.begin(), over.begin(), over.end());
    return ssh(words);
  };
  const auto port = os::port_of(os::listen_tcp("127.0.0.1", 0).get()); // free again
  EXPECT_EQ(through({"-O", "forward", "-L", fmt::format("{}:127.0.0.1:8077", port), "shop.pyro"}).status, 0);
  EXPECT_TRUE(eventually([&] {
    return command({"curl", "-sS", fmt::format("http://127.0.0.1:{}/page.txt", port)}).out == "from inside\n";
  }));
  EXPECT_EQ(through({"shop.pyro", "echo one"}).out, "one\n");
  EXPECT_EQ(through({"shop.pyro", "exit 4"}).status, 4);
  EXPECT_NE(through({"-O", "forward", "-R", "5999:127.0.0.1:22", "shop.pyro"}).status, 0);
  EXPECT_EQ(through({"-O", "exit", "shop.pyro"}).status, 0);
  const auto backwards =
      ssh({"-o", "ExitOnForwardFailure=yes", "-R", "5999:127.0.0.1:22", "shop.pyro", "true"});
  EXPECT_EQ(backwards.status, 255) << backwards;
  EXPECT_TRUE(contains(backwards.err, "-R (RemoteForward) is refused")) << backwards;
}

TEST_F(Ssh, TheEndOfTheSandboxEndsIt) {
  os::Command command{{"ssh", "-F", (project() / "ssh.conf").string(), "shop.pyro", "sleep 777"}};
  const auto said = os::open_file((root() / "said").string(), O_RDWR | O_CREAT);
  command.fds = {{0, 0}, {1, 1}, {2, said.get()}};
  auto client = os::spawn(command);
  ASSERT_TRUE(eventually([&] { return ssh({"shop.pyro", "pgrep -f '[s]leep 777'"}).status == 0; }));
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(client.wait().code, 255);
  EXPECT_TRUE(contains(read_file(root() / "said"), "the workspace was reset")) << read_file(root() / "said");
  expect(0, {"stop"});
  const auto stopped = ssh({"shop.pyro", "true"});
  EXPECT_EQ(stopped.status, 255);
  EXPECT_TRUE(contains(stopped.err, "must be in 'started' state")) << stopped;
  EXPECT_TRUE(contains(stopped.err, "pyro start")) << stopped;
  expect(0, {"destroy", "--yes"});
  EXPECT_TRUE(contains(ssh({"shop.pyro", "true"}).err, "workspace shop does not exist"));
}

TEST_F(Ssh, OutputIsWithoutSecretsAndFilesAreAsTheyAre) {
  write_file(project() / "token", "wherefore-art-thou\n");
  write_file(
      project() / "pyro.yaml",
      read_file(project() / "pyro.yaml")
          + "secrets: {token: {file: ./token}}\nservices: {user: {command: sleep 1000, secrets: [token]}}\n");
  expect(0, {"apply", "--yes", "--trust"});
  EXPECT_EQ(ssh({"shop.pyro", "cat /run/secrets/token"}).out, "[redacted:token]\n");
  EXPECT_EQ(client({"scp", "-q", "-F", "ssh.conf"}, {"shop.pyro:/run/secrets/token", "copied"}).status, 0);
  EXPECT_EQ(read_file(project() / "copied"), "wherefore-art-thou\n");
}

TEST_F(Ssh, TheConfigurationNamesWhatIsAskedFor) {
  const auto document = json({"ssh-config", "shop"});
  EXPECT_EQ(document.at("hosts"), Json::parse(R"([{"host": "shop.pyro", "workspace": "shop"}])"));
  EXPECT_EQ(document.at("written"), false);
  EXPECT_TRUE(contains(document.at("config").get<std::string>(), "Host shop.pyro\n"));
  const auto unknown = pyro({"ssh-config", "shopp"});
  EXPECT_NE(unknown.status, 0);
  EXPECT_TRUE(contains(unknown.err, "did you mean 'shop'")) << unknown;
  for (const auto* key : {"host_key", "client_key", "known_hosts"}) {
    EXPECT_EQ(fs::status(state() / "ssh" / key).permissions(), fs::perms(0600)) << key;
  }
}

} // namespace

TEST_F(Flags, ssh_config__write) {
  file();
  expect(0, {"apply"});
  RunOptions options;
  options.env["HOME"] = (project() / "person").string();
  const auto config = project() / "person/.ssh/config";
  fs::create_directories(config.parent_path());
  write_file(config, "Host *\n  User somebody\n");
  EXPECT_TRUE(contains(expect(0, {"ssh-config"}, options).out, "Host test.pyro\n"));
  EXPECT_FALSE(fs::exists(project() / "person/.ssh/config.d"));
  expect(0, {"ssh-config", "--write"}, options);
  expect(0, {"ssh-config", "--write"}, options);
  const auto kept = (project() / "person/.ssh/config.d/pyro").string();
  EXPECT_EQ(read_file(config), fmt::format("Include \"{}\"\nHost *\n  User somebody\n", kept));
  EXPECT_TRUE(contains(read_file(kept), "Host test.pyro\n"));
  EXPECT_EQ(command({"ssh", "-F", config.string(), "test.pyro", "pwd"}, options).out, "/workspace\n");
}

} // namespace pyro::testing

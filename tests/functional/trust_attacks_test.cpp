// Ways around the list of `pyro trust`: whatever a checkout does, nothing of the host outside of it is run or
// read that the list did not name. The oracles are a canary file that a command would make, and a marker that
// must be neither inside, nor in our state, nor said.
#include "../support/busybox.hpp"
#include "../support/holding.hpp"
#include "../support/home.hpp"
#include "../support/host_state.hpp"

#include <pyro/base/json_access.hpp>

#include <sys/stat.h>

#include <unistd.h>

namespace pyro::testing {
namespace {

class TrustAttacks : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    m_marker = "marker-" + std::to_string(::getpid()) + "-of-the-host";
    write_file(outside() / "file", m_marker + "\n");
    write_file(outside() / "env", "HOSTS=" + m_marker + "\n");
    write_file(outside() / "tree/file", m_marker + "\n");
    write_file(outside() / "tree/.git/HEAD", "ref: refs/heads/main\n");
    write_file(project() / "plain", "plain\n");
  }

  fs::path outside() const { return root() / "outside"; }

  fs::path canary() const { return root() / "canary"; }

  std::string a_command() const {
    return "touch " + canary().string() + "; cat " + (outside() / "file").string();
  }

  /// The file, with `top` at its top level and `service` in a service that shows what it was given.
  std::string text(const std::string& top, const std::string& service = "") const {
    return "version: 1\nname: test\n"
           + (contains(top, "environment:") ? "" : std::string("environment: {image: host}\n"))
           + (contains(top, "seed:") ? "" : std::string("seed: {from: .}\n")) + top
           + (contains(top, "services:") ? ""
                                         : "services:\n  web:\n    command: exec sleep 1000\n" + service);
  }

  void file(const std::string& top, const std::string& service = "") {
    write_file(project() / "pyro.yaml", text(top, service));
  }

  RunOptions with_variable() const { return {.env = {{"HOSTS_OWN", m_marker}}}; }

  void expect_nothing_taken(const Result& result, const std::string& what) {
    EXPECT_NE(result.status, 70) << what << ": " << result;
    EXPECT_LT(result.status, 128) << what << ": " << result;
    EXPECT_NE(result.status, 124) << what << " hung: " << result;
    EXPECT_FALSE(fs::exists(canary())) << what << ": a command of the file was run";
    EXPECT_FALSE(contains(result.all(), m_marker)) << what << ": " << result;
    EXPECT_EQ(files_holding(state(), m_marker), std::vector<std::string>()) << what;
  }

  /// An apply that nobody agreed to: refused, or it took nothing.
  Result attempt(const std::string& what, Arguments more = {}, RunOptions options = {}) {
    options.env["HOSTS_OWN"] = m_marker;
    options.timeout = std::chrono::seconds(90);
    Arguments words{"apply", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    auto result = pyro(words, options);
    expect_nothing_taken(result, what);
    if (result.status == 0) {
      const auto seen = inside(
          "cat /run/secrets/* /workspace/* /workspace/*/* /etc/marker 2>/dev/null; "
          "for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; done 2>/dev/null; env; true",
          options);
      expect_nothing_taken(seen, what + ", looked at inside");
      pyro({"destroy", "--yes", "--snapshots"}, options);
    }
    return result;
  }

  std::string m_marker;
};

TEST_F(TrustAttacks, HoweverTheFileIsWritten) {
  const auto key = (outside() / "file").string();

  struct Trick {
    std::string what;
    std::string top;
    std::string service;
    int status = 7; // asked about; 0: allowed, since nothing of the host is in it
  };

  const std::vector<Trick> tricks{
      {"anchor", "x-base: &b {command: '" + a_command() + "'}\nsecrets: {t: *b}\n", "    secrets: [t]\n"},
      {"merge key", "x-base: &b {command: '" + a_command() + "'}\nsecrets: {t: {<<: *b}}\n",
       "    secrets: [t]\n", -1},
      {"an extension key alone", "x-base: {command: '" + a_command() + "', v: '${env:HOSTS_OWN}'}\n", "", 0},
      {"path of a variable", "vars: {p: {default: '" + key + "'}}\nsecrets: {t: {file: '${p}'}}\n",
       "    secrets: [t]\n"},
      {"climbing in pieces", "vars: {p: {default: ..}}\nsecrets: {t: {file: './x/${p}/${p}/outside/file'}}\n",
       "    secrets: [t]\n"},
      {"default of an unset variable", "secrets: {t: {file: '${env:NOT_SET_HERE:-" + key + "}'}}\n",
       "    secrets: [t]\n"},
      {"variable by a variable", "vars: {v: {env: HOSTS_OWN}, w: {default: x}}\nlabels: {a: '${v}'}\n", ""},
      {"label that looks like an extension", "labels: {x-a: '${env:HOSTS_OWN}'}\n", ""},
      {"header of a probe",
       "services:\n  web:\n    command: exec sleep 1000\n    readiness: {http: {port: 1, headers: {x-a: "
       "'${env:HOSTS_OWN}'}}, deadline: 1s}\n",
       ""},
      {"message of a variable",
       "vars: {v: {default: ''}}\ndescription: '${env:NOT_SET_HERE:?${env:HOSTS_OWN}}'\n", "", -1},
      {"escaped dollar", "labels: {a: '$${env:HOSTS_OWN}'}\n", "    env: {A: '$${env:HOSTS_OWN}'}\n", 0},
      {"variable's name by a variable", "vars: {v: {default: HOSTS_OWN}}\nlabels: {a: '${env:${v}}'}\n", "",
       -1},
      {"secret of a step",
       "secrets: {t: {command: '" + a_command()
           + "'}}\nprepare: [{id: s, secrets: [t], run: 'cp $T_FILE /x'}]\n",
       ""},
      {"secret of a setup step",
       "environment:\n  image: host\n  setup: [{id: s, secrets: [t], run: 'cp $T_FILE /x'}]\nsecrets: {t: "
       "{file: "
           + key + "}}\n",
       ""},
      {"a secret that nobody uses", "secrets: {t: {command: '" + a_command() + "', required: false}}\n", ""},
      {"image", "environment: {image: 'dir:" + (outside() / "tree").string() + "'}\n", ""},
      {"image that climbs", "environment: {image: 'tar:./a/../../outside/file'}\n", ""},
      {"image with a tag", "environment: {image: 'oci:../outside/tree:latest'}\n", ""},
      {"seed with slashes", "seed: {from: './/../outside//tree/'}\n", ""},
      {"env file", "", "    env_file: ['./../outside/env']\n", 65},
      {"port for all", "", "    ports: ['0.0.0.0:45871:80']\n"},
      {"mount", "mounts: [{from: ../outside, to: /mnt/x, mode: rw}]\n", "", -1},
      {"user of the profile", "profiles: {'': {secrets: {t: {command: '" + a_command() + "'}}}}\n", "", -1},
  };
  for (const auto& trick : tricks) {
    file(trick.top, trick.service);
    const auto result = attempt(trick.what);
    if (trick.status >= 0) {
      EXPECT_EQ(result.status, trick.status) << trick.what << ": " << result;
    }
  }
}

TEST_F(TrustAttacks, WhateverTheCallerSays) {
  const std::string body = "vars: {p: {default: plain}}\nsecrets: {t: {file: '${p}'}}\n"
                           "profiles: {ci: {secrets: {t: {file: ../outside/file}}}}\n";
  file(body, "    secrets: [t]\n");
  expect(0, {"apply", "--yes"});
  expect(0, {"destroy", "--yes", "--snapshots"});
  EXPECT_EQ(attempt("--profile", {"--profile", "ci"}).status, 7);
  EXPECT_EQ(attempt("--var", {"--var", "p=../outside/file"}).status, 7);
  RunOptions options;
  options.env["PYRO_VAR_p"] = "../outside/file";
  EXPECT_EQ(attempt("PYRO_VAR_", {}, options).status, 7);

  const auto other = another_project("other");
  write_file(other / "pyro.yaml", text("secrets: {t: {file: ../outside/file}}\n", "    secrets: [t]\n"));
  EXPECT_EQ(attempt("-f", {"-f", (other / "pyro.yaml").string()}).status, 7);
  EXPECT_EQ(attempt("-C", {"-C", other.string()}).status, 7);
  // Agreed to there, which is nothing for the same words here.
  expect(0, {"trust"}, {.cwd = other});
  file("secrets: {t: {file: ../outside/file}}\n", "    secrets: [t]\n");
  EXPECT_EQ(attempt("another checkout's agreement").status, 7);
  // A link to a file that was agreed to elsewhere is that file: what is beside the link is not read.
  const auto linked = another_project("linked");
  fs::create_symlink(other / "pyro.yaml", linked / "pyro.yaml");
  write_file(linked / "planted", "planted\n");
  const auto shown = json({"trust", "--show"}, {.cwd = linked});
  EXPECT_EQ(shown["checkout"], fs::canonical(other).string());
}

TEST_F(TrustAttacks, LinksArchivesAndRepositoriesOfTheCheckout) {
  fs::create_symlink("../outside/tree", project() / "link");
  fs::create_symlink("../outside/file", project() / "file-link");
  fs::create_symlink("..", project() / "up");
  fs::create_symlink(outside() / "env", project() / "env-link");
  for (const std::string seed : {"link", "./link/", "link/.", "up/outside/tree", "up/project/link"}) {
    file("seed: {from: '" + seed + "'}\n");
    EXPECT_NE(attempt("seed " + seed).status, 0) << seed;
  }
  for (const std::string place : {"file-link", "up/outside/file", "link/file"}) {
    file("secrets: {t: {file: '" + place + "'}}\n", "    secrets: [t]\n");
    EXPECT_NE(attempt("secret " + place).status, 0) << place;
  }
  file("", "    env_file: [env-link]\n");
  EXPECT_NE(attempt("env file").status, 0);
  for (const std::string image :
       {"dir:link", "dir:./up/outside/tree", "tar:file-link", "oci:link", "docker-archive:file-link"}) {
    file("environment: {image: '" + image + "'}\n");
    EXPECT_NE(attempt(image).status, 0) << image;
  }

  // An image and a seed whose files are links to the host: they are links inside, too.
  make_busybox_root(project() / "image");
  fs::create_symlink(outside() / "file", project() / "image/etc/marker");
  fs::create_directory_symlink(outside() / "tree", project() / "image/opt");
  file("environment: {image: 'dir:./image'}\n");
  attempt("links in an image");
  fs::remove_all(project() / "image");

  // Archives with links out, and files and hard links through them.
  write_file(root() / "pack.py", R"(import io, sys, tarfile
with tarfile.open('evil.tar', 'w') as tar:
    def link(name, target, kind):
        info = tarfile.TarInfo(name)
        info.type = kind
        info.linkname = target
        tar.addfile(info)
    link('out', sys.argv[1], tarfile.SYMTYPE)
    link('taken', sys.argv[1] + '/file', tarfile.LNKTYPE)
    link('climbed', '../../../../../../../..' + sys.argv[1] + '/file', tarfile.LNKTYPE)
    info = tarfile.TarInfo('out/planted')
    info.size = 1
    tar.addfile(info, io.BytesIO(b'x'))
)");
  const Arguments pack{"python3", (root() / "pack.py").string(), outside().string()};
  const auto packed = Functional::command(pack);
  ASSERT_EQ(packed.status, 0) << packed;
  for (const std::string& top :
       {std::string("seed: {from: evil.tar}\n"), std::string("environment: {image: 'tar:evil.tar'}\n")}) {
    file(top);
    attempt(top);
    EXPECT_FALSE(fs::exists(outside() / "planted")) << top;
  }

  // A repository that says that it lies elsewhere.
  write_file(project() / ".git", "gitdir: " + (outside() / "tree/.git").string() + "\n");
  file("");
  attempt("gitdir elsewhere");
  fs::remove(project() / ".git");
  fs::create_directory_symlink(outside() / "tree/.git", project() / ".git");
  attempt(".git is a link");
}

TEST_F(TrustAttacks, NoVerbTakesWhatCameIntoTheFileAfterwards) {
  file("");
  expect(0, {"apply"});
  expect(0, {"snapshot", "save", "mine"});
  expect(0, {"reset", "--yes"});
  file(
      "secrets: {t: {command: '" + a_command() + "'}}\nlabels: {a: '${env:HOSTS_OWN}'}\n",
      "    secrets: [t]\n    env_file: []\n    env: {A: '${env:HOSTS_OWN}'}\n");
  const std::vector<Arguments> verbs{
      {"validate"},
      {"config"},
      {"plan"},
      {"why", "workspace"},
      {"status"},
      {"ls"},
      {"logs"},
      {"diff"},
      {"exec", "--", "env"},
      {"snapshot", "ls"},
      {"snapshot", "show", "mine"},
      {"snapshot", "save", "other"},
      {"workspace", "service", "list", "test"},
      {"workspace", "service", "status", "test", "web"},
      {"workspace", "summary", "test"},
      {"run", "--", "env"},
      {"up"},
      {"fork"},
      {"workspace", "fork", "test"},
      {"stop"},
      {"start"},
      {"workspace", "start", "test"},
      {"reset", "--yes"},
      {"reset", "--to", "mine", "--yes"},
      {"workspace", "reset", "test"},
      {"undo"},
      {"doctor"},
      {"prune"},
      {"forget"},
      {"adopt", "test"},
      {"env", "list"},
      {"shell"},
      {"attach"},
      {"down"}};
  for (const auto& verb : verbs) {
    auto options = with_variable();
    options.timeout = std::chrono::seconds(60);
    expect_nothing_taken(pyro(verb, options), verb[0] + (verb.size() > 1 ? " " + verb[1] : ""));
  }
}

TEST_F(TrustAttacks, WhatIsShownIsWhatIsThere) {
  // Overrides of direction, characters without a width, other line ends, and the eight-bit controls.
  const std::vector<std::string> hiding{"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\x8f", "\xe2\x80\xa8",
                                        "\xe2\x80\x8b", "\xef\xbb\xbf", "\xd8\x9c",     "\xe2\x81\xa0"};
  std::string command = "true ";
  for (const auto& one : hiding) {
    command += one + "a";
  }
  command += "\\e[2K\\r\\u009b2K\\n; touch " + canary().string();
  file("secrets: {t: {command: \"" + command + "\"}}\n", "    secrets: [t]\n");
  for (const auto& words : std::vector<Arguments>{
           {"plan"}, {"trust", "--show"}, {"trust", "--show", "--json"}, {"trust"}, {"trust", "ls"}}) {
    const auto result = pyro(words);
    EXPECT_TRUE(contains(result.all(), "touch " + canary().string())) << words.back() << ": " << result;
    for (const auto& one : hiding) {
      EXPECT_EQ(result.all().find(one), std::string::npos)
          << words.back() << " shows a character that hides: " << result;
    }
    EXPECT_EQ(result.all().find('\x1b'), std::string::npos) << words.back() << ": " << result;
    EXPECT_EQ(result.all().find("\xc2\x9b"), std::string::npos) << words.back() << ": " << result;
  }
}

TEST_F(TrustAttacks, AnImageOfThisMachinesOwnRegistryIsNotAskedForByAPlan) {
  HostServices services(root() / "socket");
  file("environment: {image: 'localhost:" + std::to_string(services.port()) + "/a/b:1'}\n");
  std::ignore = pyro({"plan"});
  std::ignore = pyro({"validate"});
  EXPECT_EQ(services.connections(), 0);
}

} // namespace
} // namespace pyro::testing

// `pyro doctor` on this machine, and where something is taken away from it: in namespaces of their own, in
// which it really is so.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/text.hpp>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>

namespace pyro::testing {
namespace {

struct Row {
  std::string backend;
  std::string name;
  std::string levels;
};

/// The table of docs/doctor.md.
std::vector<Row> documented() {
  std::vector<Row> rows;
  const auto text = read_file(source_dir() / "docs/doctor.md");
  for (const auto line : lines_of(text)) {
    if (!line.starts_with("| `") && !line.starts_with("| | `")) {
      continue;
    }
    std::vector<std::string> cells;
    for (auto cell : fields_of(line, '|')) {
      std::erase_if(cell, [](char letter) { return letter == '`' || letter == ' '; });
      cells.push_back(cell);
    }
    rows.push_back({cells.at(1), cells.at(2), "," + cells.at(3) + ","});
  }
  return rows;
}

class Doctor : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (const auto reason = why_no_sandbox(); !reason.empty()) {
      GTEST_SKIP() << reason;
    }
  }

  /// As root of a user namespace, after these commands of a shell.
  Result after(const std::string& preparation, const std::string& then, const RunOptions& options = {}) {
    return command(
        {"unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
         "set -e\n" + preparation + "\nexec " + (bin / "pyro").string() + " " + then},
        options);
  }

  Json check_of(const Result& result, const std::string& name) {
    const auto doctor = Json::parse(result.out, nullptr, false);
    EXPECT_FALSE(doctor.is_discarded()) << result;
    for (const auto& check : doctor.is_object() ? doctor["checks"] : Json::array()) {
      if (check["name"] == name) {
        return check;
      }
    }
    ADD_FAILURE() << name << " is missing in " << result;
    return {{"level", ""}, {"text", ""}, {"hint", ""}};
  }

  /// What is said of `name`, and that doctor ends with `status`.
  Json said_after(
      const std::string& preparation, const std::string& name, int status, const RunOptions& options = {}) {
    const auto result = after(preparation, "doctor --json", options);
    EXPECT_EQ(result.status, status) << result;
    return check_of(result, name);
  }
};

TEST_F(Doctor, HasTheChecksOfItsDocumentationInTheirOrder) {
  const auto doctor = json({"doctor"});
  EXPECT_EQ(doctor["format_version"], "1.0");
  const auto rows = documented();
  ASSERT_EQ(doctor["checks"].size(), rows.size()) << doctor.dump(1);
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const auto& check = doctor["checks"][index];
    EXPECT_EQ(check["backend"], rows[index].backend) << check;
    EXPECT_EQ(check["name"], rows[index].name) << check;
    EXPECT_TRUE(contains(rows[index].levels, "," + check["level"].get<std::string>() + ",")) << check;
    EXPECT_EQ(check["ok"], check["level"] == "ok") << check;
  }
  EXPECT_EQ(doctor["usable"], true) << doctor.dump(1);
}

TEST_F(Doctor, HasTheSameChecksWhereNothingWorks) {
  const auto result =
      after("echo 0 > /proc/sys/user/max_user_namespaces", "doctor --json", {.env = {{"PATH", "/bin"}}});
  EXPECT_EQ(result.status, 10) << result;
  const auto doctor = Json::parse(result.out, nullptr, false);
  ASSERT_TRUE(doctor.is_object()) << result;
  const auto rows = documented();
  ASSERT_EQ(doctor["checks"].size(), rows.size()) << result;
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const auto& check = doctor["checks"][index];
    EXPECT_EQ(check["name"], rows[index].name) << check;
    EXPECT_TRUE(contains(rows[index].levels, "," + check["level"].get<std::string>() + ",")) << check;
  }
}

TEST_F(Doctor, SaysThatNobodyMayMakeUserNamespaces) {
  const std::string none = "echo 0 > /proc/sys/user/max_user_namespaces";
  const auto said = said_after(none, "max-user-namespaces", 10);
  EXPECT_EQ(said["level"], "error") << said;
  const std::string remedy = "sysctl -w user.max_user_namespaces=15000";
  EXPECT_TRUE(contains(said["hint"], remedy)) << said;
  EXPECT_TRUE(contains(said_after(none, "user-namespaces", 10)["hint"], remedy));
  make_busybox_root(project() / "image");
  write_file(project() / "pyro.yaml", "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\n");
  const auto applied = after(none, "apply --yes");
  EXPECT_EQ(applied.status, 10) << applied;
  EXPECT_TRUE(contains(applied.err, remedy)) << applied;
}

TEST_F(Doctor, SaysThatPartsOfProcAreCovered) {
  const auto said = said_after("mount -t tmpfs none /proc/irq", "proc", 10);
  EXPECT_EQ(said["level"], "error") << said;
  EXPECT_TRUE(contains(said["text"], "/proc/irq")) << said;
  EXPECT_TRUE(contains(said["hint"], "--security-opt unmask=/proc/*")) << said;
}

TEST_F(Doctor, SaysThatThereIsNoTunDevice) {
  const auto said = said_after("mount -t tmpfs none /dev/net", "tun", 0);
  EXPECT_EQ(said["level"], "warning") << said;
  EXPECT_TRUE(contains(said["hint"], "--device /dev/net/tun")) << said;
}

TEST_F(Doctor, SaysThatTheStateDirectoryLiesOnAnOverlay) {
  const auto place = root() / "place";
  fs::create_directories(place);
  const std::string overlay =
      "cd " + place.string()
      + "; mount -t tmpfs none .; cd .; cd \"$PWD\"; mkdir lower upper work merged; mount -t overlay none "
        "-o lowerdir=lower,upperdir=upper,workdir=work,userxattr merged";
  const RunOptions there{.env = {{"PYRO_HOME", (place / "merged/pyro").string()}}};
  const auto said = said_after(overlay, "state-directory", 10, there);
  EXPECT_EQ(said["level"], "error") << said;
  EXPECT_TRUE(contains(said["text"], "overlay")) << said;
  EXPECT_TRUE(contains(said["hint"], "-v pyro:")) << said;
  EXPECT_EQ(said_after("true", "state-directory", 0)["level"], "ok");
}

/// As containers refuse them: unshare(2) with EPERM, clone3(2) with ENOSYS.
TEST_F(Doctor, SaysThatASeccompFilterRefusesThem) {
  const std::vector<sock_filter> program{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  write_file(
      root() / "filter",
      std::string(reinterpret_cast<const char*>(program.data()), program.size() * sizeof(program[0])));
  const auto result = command(
      {"sh", "-c",
       "exec bwrap --dev-bind / / --seccomp 9 -- " + (bin / "pyro").string() + " doctor --json 9< "
           + (root() / "filter").string()});
  EXPECT_EQ(result.status, 10) << result;
  const auto said = check_of(result, "seccomp");
  EXPECT_EQ(said["level"], "error") << said;
  EXPECT_TRUE(contains(said["hint"], "--security-opt seccomp=unconfined")) << said;
}

TEST_F(Doctor, SaysInsideAWorkspaceThatThisIsOne) {
  spec();
  for (const auto* name : {"pyro", "pyro-agent", "pyro-supervisor"}) {
    fs::copy(bin / name, project() / name);
  }
  expect(0, {"apply"});
  const auto result = inside("HOME=/tmp ./pyro doctor --json");
  EXPECT_EQ(result.status, 10) << result;
  const auto said = check_of(result, "max-user-namespaces");
  EXPECT_EQ(said["level"], "error") << said;
  EXPECT_TRUE(contains(said["text"], "pyro workspace")) << said;
  EXPECT_TRUE(contains(said["hint"], "isolation: vm")) << said;
}

/// As in a container of an ordinary user without a range of ids.
TEST_F(Doctor, RootOfAUserNamespaceHasWorkspaces) {
  spec();
  write_file(project() / "a.txt", "one\n");
  EXPECT_EQ(said_after("true", "ids", 0)["level"], "warning");
  const auto applied = after("true", "run --yes -- cat a.txt");
  EXPECT_EQ(applied.status, 0) << applied;
  EXPECT_TRUE(applied.out.ends_with("one\n")) << applied;
  const auto destroyed = after("true", "destroy --yes --snapshots");
  EXPECT_EQ(destroyed.status, 0) << destroyed;
}

} // namespace
} // namespace pyro::testing

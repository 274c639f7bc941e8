// Programs with the setuid bit or file capabilities that were made inside lie as such in the store, so that
// an exported image has them. No other user of the machine may get at them, by any name, nor may they give
// anybody anything inside.
#include "../support/home.hpp"

#include <sys/wait.h>

#include <fcntl.h>
#include <grp.h>
#include <unistd.h>

namespace pyro::testing {
namespace {

/// What somebody who is nobody here opens of these paths. Nothing, it is to be.
std::vector<fs::path> opened_by_a_stranger(const std::vector<fs::path>& paths) {
  std::vector<fs::path> opened;
  for (const auto& path : paths) {
    const pid_t child = ::fork();
    if (child == 0) {
      constexpr uid_t k_nobody = 65534;
      const bool changed = ::setgroups(0, nullptr) == 0 && ::setresgid(k_nobody, k_nobody, k_nobody) == 0
                           && ::setresuid(k_nobody, k_nobody, k_nobody) == 0;
      ::_exit(!changed || ::open(path.c_str(), O_PATH | O_CLOEXEC) >= 0 ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) {
      opened.push_back(path);
    }
  }
  return opened;
}

using PrivilegedFiles = Functional;

TEST_F(PrivilegedFiles, OfTheStoreAreOutOfReachForOtherUsersAndWithoutEffectInside) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can become another user to try";
  }
  spec("prepare:\n  - {id: tools, run: \"cp /bin/sleep /usr/local/bin/as-root && chmod 4755 "
       "/usr/local/bin/as-root\"}\n"
       "snapshots: {ready: {at: seed}}\n");
  expect(0, {"apply"});
  inside("cp /bin/sleep /workspace/as-root && chmod 6755 /workspace/as-root; exec 9</workspace/as-root; "
         "(sleep 300 <&9 >/dev/null 2>&1 &)");
  std::vector<fs::path> privileged;
  for (const auto& entry :
       fs::recursive_directory_iterator(state(), fs::directory_options::skip_permission_denied)) {
    if (entry.is_regular_file() && !entry.is_symlink()
        && (entry.status().permissions() & fs::perms::set_uid) != fs::perms::none) {
      privileged.push_back(entry.path());
    }
  }
  ASSERT_GE(privileged.size(), 2U) << "a layer and the writable layer hold one each";
  auto names = privileged;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    std::error_code gone; // processes come and go
    const auto exe = fs::read_symlink(entry.path() / "exe", gone).string();
    if (exe.find("pyro") == std::string::npos && exe.find("sleep") == std::string::npos) {
      continue;
    }
    for (const auto* place : {"root", "cwd"}) {
      names.push_back(entry.path() / place / "workspace/as-root");
      names.push_back(entry.path() / place / state().relative_path());
    }
    for (const auto& descriptor : fs::directory_iterator(entry.path() / "fd", gone)) {
      names.push_back(descriptor.path());
    }
  }
  const auto opened = opened_by_a_stranger(names);
  EXPECT_TRUE(opened.empty()) << opened.front();
  EXPECT_EQ(opened_by_a_stranger({"/usr"}).size(), 1U)
      << "the stranger can open nothing at all: proves nothing";
  // Device nodes are mounts as well, which no program can lie in.
  const auto result = inside("grep NoNewPrivs /proc/self/status; awk '$6 !~ /nosuid/ {print $5}' "
                             "/proc/self/mountinfo | while read at; do "
                             "[ -c $at ] || echo $at; done; cp /usr/bin/id /tmp/id && chmod 4755 /tmp/id && "
                             "setpriv --reuid 1000 --clear-groups /tmp/id -u");
  EXPECT_EQ(result.out, "NoNewPrivs:\t1\n1000\n") << result;
}

} // namespace
} // namespace pyro::testing

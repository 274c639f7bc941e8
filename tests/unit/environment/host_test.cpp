#include "fixture.hpp"

#include <pyro/environment/host.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/tree_walk.hpp>

#include <sys/mount.h>

#include <fstream>
#include <pwd.h>
#include <sched.h>

namespace pyro::environment {

class HostPlan : public EnvironmentTest {
protected:
  void make_host() {
    write("h/etc/os-release", "ID=test\n");
    write(
        "h/etc/passwd", "root:$6$hash:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n");
    write("h/etc/group", "root:x:0:\nshadow:x:42:ann\n");
    write("h/etc/shadow", "root:$6$secret:1:0:99999:7:::\n", 0640);
    write("h/etc/shadow-", "x", 0644);
    write("h/etc/ssh/ssh_host_rsa_key.pub", "x");
    write("h/etc/ssh/sshd_config", "x");
    write("h/etc/private.conf", "secret", 0600);
    write("h/etc/closed/inner", "x");
    ASSERT_EQ(::chmod(path("h/etc/closed").c_str(), 0750), 0);
    write("h/etc/resolv.conf", "nameserver 192.0.2.1\n");
    write("h/var/lib/dpkg/status", "Package: a\n");
    write("h/var/lib/db/rows", "secret");
    write("h/var/log/messages", "secret");
    write("h/usr/bin/tool", "x", 0755);
    write("h/usr/bin/hidden", "x", 0700);
    write("h/usr/share/closed/inner", "x");
    ASSERT_EQ(::chmod(path("h/usr/share/closed").c_str(), 0750), 0);
    write("h/opt/state/layers", "x");
    ASSERT_EQ(::mkfifo(path("h/usr/fifo").c_str(), 0644), 0);
    ASSERT_EQ(::symlink("usr/bin", path("h/bin").c_str()), 0);
    write("h/home/ann/secret", "x");
  }

  PlannedTree plan(os::IdSpace::Kind kind) {
    auto host = observe_host({path("h/opt/state")}, path("h"));
    host.id_space = kind;
    return plan_host_layer(host);
  }
};

TEST_F(HostPlan, HoldsNothingThatIsNotPublic) {
  make_host();
  const auto plan = this->plan(os::IdSpace::Kind::shifted);
  for (const auto* absent :
       {"etc/private.conf", "etc/closed/inner", "etc/shadow-", "etc/ssh/ssh_host_rsa_key.pub",
        "var/lib/db/rows", "var/log/messages", "home/ann", "usr/bin/tool"}) {
    EXPECT_FALSE(plan.contains(absent)) << absent;
  }
  for (const auto* present :
       {"etc/closed", "etc/ssh/sshd_config", "var/lib/dpkg/status", "var/lib/db", "home", "workspace",
        "usr/sbin/policy-rc.d", "usr/sbin"}) {
    EXPECT_TRUE(plan.contains(present)) << present;
  }
  EXPECT_EQ(plan.at("etc/shadow").text, "root:*:19000:0:99999:7:::\nann:*:19000:0:99999:7:::\n");
  EXPECT_EQ(plan.at("etc/shadow").gid, 42U);
  EXPECT_EQ(plan.at("etc/gshadow").text, "root:*::\nshadow:*::ann\n");
  EXPECT_EQ(plan.at("etc/passwd").text.find("hash"), std::string::npos);
  EXPECT_EQ(plan.at("etc/resolv.conf").text, "nameserver 192.0.2.1\n");
  EXPECT_EQ(plan.at("bin").text, "usr/bin");
}

TEST_F(HostPlan, MasksLiveSecretsForRoot) {
  make_host();
  const auto plan = this->plan(os::IdSpace::Kind::shifted);
  EXPECT_EQ(plan.at("usr/bin/hidden").kind, PlannedEntry::Kind::whiteout);
  EXPECT_EQ(plan.at("usr/fifo").kind, PlannedEntry::Kind::whiteout);
  EXPECT_EQ(plan.at("usr/share/closed").kind, PlannedEntry::Kind::opaque_directory);
  EXPECT_EQ(plan.at("opt/state").kind, PlannedEntry::Kind::opaque_directory);
  EXPECT_FALSE(plan.contains("opt/state/layers"));
  EXPECT_EQ(plan.at("usr/share").kind, PlannedEntry::Kind::directory) << "parents keep owner and mode";
}

TEST_F(HostPlan, MakesDirectoriesWritableForUsers) {
  make_host();
  const auto plan = this->plan(os::IdSpace::Kind::subordinate);
  EXPECT_TRUE(plan.contains("usr/bin"));
  EXPECT_EQ(plan.at("usr/fifo").kind, PlannedEntry::Kind::whiteout);
  EXPECT_FALSE(plan.contains("usr/bin/tool"));
  EXPECT_EQ(plan.at("usr/bin/hidden").kind, PlannedEntry::Kind::whiteout);
}

TEST_F(HostPlan, LeavesOutDirectoriesThatAreNotPublic) {
  make_host();
  ASSERT_EQ(::chmod(path("h/opt").c_str(), 0750), 0);
  EXPECT_EQ(observe_host({}, path("h")).directories, std::vector<std::string>{"usr"});
}

TEST_F(HostPlan, FingerprintFollowsWhatItIsMadeOf) {
  make_host();
  const EnvironmentCache cache(path("cache"));
  cache.prepare();
  const auto now = [&] {
    return host_fingerprint(observe_host({}, path("h")), cache);
  };
  const auto before = now();
  EXPECT_EQ(now(), before);
  write("h/home/ann/other", "x");
  EXPECT_EQ(now(), before);
  write("h/var/lib/dpkg/status", "Package: b\n");
  const auto upgraded = now();
  EXPECT_NE(upgraded, before);
  ASSERT_EQ(::symlink("usr/lib", path("h/lib").c_str()), 0);
  EXPECT_NE(now(), upgraded);
}

class EnvironmentsHost : public EnvironmentTest {
protected:
  /// What the launcher does with it: an overlay of the layer over the live directory is readable and writable
  /// inside.
  void check_live_directories(const Environment& environment) {
    for (const auto* name : {"upper", "work", "merged"}) {
      os::make_directories(path(name), 0755);
    }
    const auto lower = layer_path(environment, "usr") + ":/usr";
    const auto result = os::IdSpace::current().run([&]() -> Json {
      Json answers = Json::object();
      const auto pid = ::fork(); // a mount namespace of its own
      if (pid == 0) {
        const auto merged = path("merged");
        const auto options =
            fmt::format("lowerdir={},upperdir={},workdir={},userxattr", lower, path("upper"), path("work"));
        const auto attempt = [](int step, bool good) {
          if (!good) {
            std::perror("step");
            ::_exit(step);
          }
        };
        attempt(1, ::unshare(CLONE_NEWNS) == 0);
        attempt(2, ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
        attempt(3, ::mount("overlay", merged.c_str(), "overlay", 0, options.c_str()) == 0);
        attempt(4, ::access((merged + "/bin/env").c_str(), X_OK) == 0);
        attempt(5, std::ofstream(merged + "/bin/made-inside").put('x').flush().good());
        attempt(6, ::unlink((merged + "/bin/env").c_str()) == 0);
        attempt(7, ::mkdir((merged + "/share/made-inside").c_str(), 0755) == 0);
        attempt(8, ::rename((merged + "/bin/made-inside").c_str(), (merged + "/lib/moved").c_str()) == 0);
        attempt(9, ::access((merged + "/sbin/policy-rc.d").c_str(), X_OK) == 0);
        ::_exit(0);
      }
      int status = 0;
      ::waitpid(pid, &status, 0);
      answers["status"] = os::outcome_of(status).shell_status();
      return answers;
    });
    EXPECT_EQ(result["status"], 0) << "number of the step that failed";
    EXPECT_EQ(::access("/usr/bin/env", X_OK), 0);
    EXPECT_NE(::access("/usr/lib/moved", F_OK), 0);
  }
};

TEST_F(EnvironmentsHost, ThisMachine) {
  auto all = environments();
  const auto begin = os::now_monotonic();
  const auto environment = all.resolve("host", "/", RegistryAccess::anonymous);
  const auto built = os::now_monotonic();
  EXPECT_FALSE(environment.host_dirs.empty());
  EXPECT_EQ(environment.details["reproducible"], false);
  EXPECT_EQ(read_inside(layer_path(environment, "etc/machine-id")), "");
  EXPECT_EQ(read_inside(layer_path(environment, "etc/shadow")).find('$'), std::string::npos);

  // Every file of the layer is one that everybody may read on this machine, or one that we made.
  const auto secrets = os::IdSpace::current().run([&]() -> Json {
    Json found = Json::array();
    os::TreeVisitor visitor;
    visitor.enter = [&](const os::TreeEntry& entry) {
      if (entry.is_file() && (entry.status.st_mode & S_IROTH) == 0) {
        found.push_back(entry.path);
      }
      return os::Visit::go_on;
    };
    os::walk_tree(m_layers.tree(environment.layers[0]), visitor);
    return found;
  });
  EXPECT_EQ(secrets, (Json{"etc/gshadow", "etc/shadow"}));

  m_lines.clear();
  const auto first = os::now_monotonic();
  constexpr int k_rounds = 20;
  for (int round = 0; round < k_rounds; ++round) {
    EXPECT_EQ(all.fingerprint("host", "/", RegistryAccess::anonymous), environment.digest);
    EXPECT_EQ(all.resolve("host", "/", RegistryAccess::anonymous).layers, environment.layers);
  }
  const auto each = (os::now_monotonic() - first) / k_rounds;
  EXPECT_TRUE(m_lines.empty());
  RecordProperty("built_ms", static_cast<int>((built - begin).count()));
  std::printf(
      "host: built in %ld ms, %s; found again in %ld ms\n", (built - begin).count(),
      all.inspect("host", "/")["size_bytes"].dump().c_str(), each.count());
  check_live_directories(environment);
}

/// All of this again as an ordinary user, where there is one called tester.
TEST(OrdinaryUser, EverythingAgain) {
  const auto* user = ::getpwnam("tester");
  if (::geteuid() != 0 || !user) {
    GTEST_SKIP() << "needs root and a user called tester (useradd -m tester)";
  }
  os::Command command{
      {"setpriv", "--reuid=tester", "--regid=tester", "--init-groups", "/proc/self/exe",
       "--gtest_filter=Environments*:HostPlan*:EnvironmentCacheTest*"}};
  command.argv[4] = std::filesystem::read_symlink("/proc/self/exe").string();
  command.env = {{"HOME", user->pw_dir}, {"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"}, {"USER", "tester"}};
  command.cwd = "/tmp";
  const auto result = os::run(command, {}, std::chrono::minutes(4));
  std::fputs(result.out.c_str(), stdout);
  EXPECT_TRUE(result.outcome.ok()) << result.err;
}

} // namespace pyro::environment

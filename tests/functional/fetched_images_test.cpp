// What an `image:` of a stranger's pyro.yaml makes this machine do: nothing with the user's login, and no
// request to the machine itself, before somebody agreed. The registry is in a world of its own, beside a
// machine of its own; the oracles are listeners on that machine's addresses and what the registry was told.
#include "../support/busybox.hpp"
#include "../support/home.hpp"
#include "../support/hostile_registry.hpp"
#include "../support/leftovers.hpp"
#include "../support/resolver.hpp"

#include <sys/mount.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <sched.h>
#include <unistd.h>

namespace pyro::testing {
namespace {

constexpr const char* k_host = "registry.pyro-test.org";

class FetchedImages : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    if (!fs::exists("/usr/bin/pasta")) {
      GTEST_SKIP() << "pasta is not installed";
    }
    m_options.env["PYRO_ENVIRONMENT_CACHE_DIR"] = (root() / "cache").string();
    m_options.env["HOME"] = (root() / "user").string();
    fs::create_directories(root() / "user");
    make_busybox_root(root() / "tree");
    m_image.layer = archive_of(root() / "tree");
    m_image.finish();
  }

  /// The body in a child process, which has a machine's network of its own and a world behind it. As an
  /// ordinary user that takes two user namespaces: in the outer one the child is root, pyro is not.
  void in_own_world(const std::function<void()>& body) {
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      try {
        make_world();
        if (!HasFailure()) {
          body();
          std::ignore = run({"destroy", "--yes", "--snapshots"});
        }
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
      std::fflush(nullptr);
      ::_exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0) << "see above";
  }

  /// A registry in the world, that anybody reaches.
  std::unique_ptr<HostileRegistry> registry(HostileRegistry::Handler handler) {
    auto made = elsewhere("0.0.0.0", 0, std::move(handler));
    m_port = made->port();
    write_file(
        root() / "user/.config/containers/registries.conf",
        "[[registry]]\nlocation = \"" + name() + "\"\ninsecure = true\n");
    return made;
  }

  /// A listener at that address of the world.
  std::unique_ptr<HostileRegistry>
  elsewhere(const std::string& address, int port, HostileRegistry::Handler handler) {
    EXPECT_EQ(::setns(m_world.get(), CLONE_NEWNET), 0);
    auto made = std::make_unique<HostileRegistry>(std::move(handler), address, port);
    EXPECT_EQ(::setns(m_machine.get(), CLONE_NEWNET), 0);
    return made;
  }

  std::string name() const { return std::string(k_host) + ":" + std::to_string(m_port); }

  void file(const std::string& image, const fs::path& directory = {}) {
    write_file(
        (directory.empty() ? project() : directory) / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: '" + image + "'}\nseed: {from: .}\n");
  }

  Result run(const Arguments& arguments) { return command(argv_of(arguments), m_options); }

  Arguments argv_of(const Arguments& arguments) const {
    if (m_is_root) {
      Arguments argv{(bin / "pyro").string()};
      argv.insert(argv.end(), arguments.begin(), arguments.end());
      return argv;
    }
    Arguments argv{"unshare", "--user", "--map-user=1000", "--map-group=1000", "--", (bin / "pyro").string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }

  Image m_image;
  RunOptions m_options;

private:
  void make_world() {
    const auto uid = std::to_string(::geteuid());
    const auto gid = std::to_string(::getegid());
    if (!m_is_root) {
      ASSERT_EQ(::unshare(CLONE_NEWUSER), 0);
      write_file("/proc/self/setgroups", "deny");
      write_file("/proc/self/uid_map", "0 " + uid + " 1");
      write_file("/proc/self/gid_map", "0 " + gid + " 1");
    }
    ASSERT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("", "/", "", MS_REC | MS_PRIVATE, ""), 0);
    m_world = os::open_file("/proc/self/ns/net", O_RDONLY);
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    m_machine = os::open_file("/proc/self/ns/net", O_RDONLY);
    write_file(root() / "empty", "");
    write_file(
        root() / "hosts",
        "127.0.0.1 localhost\n10.9.0.2 machine.pyro-test.org\n203.0.113.1 " + std::string(k_host) + "\n");
    write_file(root() / "resolv.conf", "nameserver 203.0.113.1\n");
    for (const auto& [name, target] :
         {std::pair{"hosts", "/etc/hosts"},
          {"resolv.conf", "/etc/resolv.conf"},
          {"empty", "/etc/subuid"},
          {"empty", "/etc/subgid"}}) {
      ASSERT_EQ(::mount((root() / name).c_str(), target, "", MS_BIND, ""), 0) << target;
    }
    const auto world = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(m_world.get());
    const auto made = command(
        {"sh", "-ec",
         "ip link set lo up; ip link add up0 type veth peer name down0; ip link set down0 netns " + world
             + "; ip link set up0 up; ip addr add 10.9.0.2/24 dev up0; ip addr add 10.9.0.3/24 dev up0; "
               "ip addr add 10.77.0.1/32 dev lo; ip addr add fd09::2/64 dev up0 nodad; "
               "w='nsenter --net="
             + world
             + "'; $w ip link set lo up; $w ip link set down0 up; $w ip addr add 10.9.0.1/24 dev down0; "
               "$w ip addr add 203.0.113.1/32 dev lo; $w ip addr add 198.51.100.77/32 dev lo; $w ip addr add "
               "169.254.169.254/32 dev lo; "
               "$w ip addr add fd09::1/64 dev down0 nodad; "
               "ip route add default via 10.9.0.1 dev up0; ip -6 route add default via fd09::1 dev up0"});
    ASSERT_EQ(made.status, 0) << made;
  }

  const bool m_is_root = ::geteuid() == 0;
  os::Fd m_world;
  os::Fd m_machine;
  int m_port = 0;
};

/// The control of all that follows: what is public needs no question, no login and no agreement.
TEST_F(FetchedImages, AStrangersAreHadWithoutBeingAskedAbout) {
  in_own_world([&] {
    const auto honest = registry(m_image);
    file(name() + "/team/image:1");
    const auto applied = run({"apply"});
    EXPECT_EQ(applied.status, 0) << applied;
    const auto said = run({"exec", "--", "sh", "-c", "echo it runs"});
    EXPECT_EQ(said.out, "it runs\n") << said;
    const auto wanted = run({"trust", "--show", "--json"});
    const auto document = Json::parse(wanted.out, nullptr, false);
    ASSERT_TRUE(document.is_object() && document["requests"].size() == 1) << wanted;
    EXPECT_EQ(document["requests"][0]["kind"], "registry");
    EXPECT_EQ(document["requests"][0]["needed"], false);
    EXPECT_EQ(document["requests"][0]["what"], name() + "/team/image:1");
    const auto plan = run({"plan"});
    EXPECT_EQ(plan.out.find("Takes of your machine"), std::string::npos) << plan;
  });
}

/// Where a registry may send skopeo: every address of the machine, and what clouds tell machines.
TEST_F(FetchedImages, NoRegistrySendsAStrangersRequestToThisMachine) {
  in_own_world([&] {
    const HostileRegistry canary(
        [](const auto&, const auto&) {
          return Answer{"200 OK", R"({"token": "t"})"};
        },
        "::");
    const auto metadata = elsewhere("169.254.169.254", canary.port(), [](const auto&, const auto&) {
      return Answer{"200 OK", R"({"Token": "secret"})"};
    });
    const auto reached = [&] {
      return canary.connections() + metadata->connections();
    };
    std::string target;
    std::string way;
    const auto hostile = registry([&](const std::string& path, const std::string& head) -> Answer {
      const auto url = "http://" + target + ":" + std::to_string(canary.port()) + "/latest/meta-data";
      if (way == "realm" && head.find("Authorization:") == std::string::npos) {
        return {
            "401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"" + url + "\",service=\"x\"",
            R"({"errors": [{"code": "UNAUTHORIZED"}]})"};
      }
      if (way == "redirected blob" && path.find("/blobs/") != std::string::npos) {
        return {"307 Temporary Redirect\r\nLocation: " + url, ""};
      }
      if (way == "redirected manifest" && path.find("/manifests/") != std::string::npos) {
        return {"302 Found\r\nLocation: " + url, ""};
      }
      return m_image(path);
    });
    file(name() + "/team/image:1");
    for (const auto* one : {"realm", "redirected blob", "redirected manifest"}) {
      way = one;
      const auto before = reached();
      for (const auto* address :
           {"127.0.0.1", "127.0.0.2", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "localhost", "10.9.0.2",
            "10.9.0.3", "10.77.0.1", "[fd09::2]", "machine.pyro-test.org", "169.254.169.254"}) {
        target = address;
        const auto asked = hostile->requests();
        const auto refused = run({"apply"});
        EXPECT_NE(refused.status, 0) << way << " " << target << refused;
        EXPECT_GT(hostile->requests(), asked) << "the registry was not even asked: " << refused;
        EXPECT_EQ(reached(), before) << way << " led to " << target << ": " << refused;
        EXPECT_NE(refused.err.find("pyro trust"), std::string::npos) << refused;
      }
      for (const auto* address : {"127.0.0.1", "169.254.169.254"}) {
        target = address;
        const auto earlier = reached();
        const auto agreed = run({"env", "pull", "--refresh", name() + "/team/image:1"});
        EXPECT_GT(reached(), earlier) << way << ": the attack is none, it fails where it may: " << agreed;
      }
    }
  });
}

/// An account is used for what was agreed to, and what was had by it is nobody else's.
TEST_F(FetchedImages, TheUsersLoginIsForWhatWasAgreedTo) {
  const std::string login = "dXNlcjpwYXNz"; // user:pass
  in_own_world([&] {
    const auto closed = registry([&](const std::string& path, const std::string& head) -> Answer {
      return head.find("Authorization: Basic " + login) != std::string::npos
                 ? m_image(path)
                 : Answer{"401 Unauthorized\r\nWWW-Authenticate: Basic realm=x", "{}"};
    });
    const auto auths = R"({"auths": {")" + name() + R"(": {"auth": ")" + login + R"("}}})";
    write_file(root() / "user/.docker/config.json", auths);
    write_file(root() / "user/auth.json", auths);
    m_options.env["REGISTRY_AUTH_FILE"] = (root() / "user/auth.json").string();
    file(name() + "/team/image:1");
    const auto refuses = [&](const char* when) {
      const auto refused = run({"apply"});
      EXPECT_NE(refused.status, 0) << when << refused;
      EXPECT_NE(refused.err.find("pyro trust"), std::string::npos) << when << refused;
    };
    refuses("before anything");
    EXPECT_GT(closed->requests(), 0);
    EXPECT_EQ(closed->requests_with(login), 0) << "the user's login was sent";
    const auto pulled = run({"env", "pull", name() + "/team/image:1"});
    EXPECT_EQ(pulled.status, 0) << "what the user names is the user's: " << pulled;
    const auto sent = closed->requests_with(login);
    EXPECT_GT(sent, 0);
    refuses("an image that was had by a login is not for every file");
    EXPECT_EQ(closed->requests_with(login), sent);
    const auto agreed = run({"trust"});
    EXPECT_EQ(agreed.status, 0) << agreed;
    EXPECT_NE(agreed.out.find(name() + "/team/image:1"), std::string::npos) << agreed;
    const auto applied = run({"apply"});
    EXPECT_EQ(applied.status, 0) << applied;
    const auto plan = run({"plan"});
    EXPECT_NE(plan.out.find(name() + "/team/image:1"), std::string::npos) << "it is told: " << plan;
  });
}

/// systemd-resolved listens on the loopback interface, which must not be reached for anything else.
TEST_F(FetchedImages, TheMachinesOwnResolverIsAsked) {
  in_own_world([&] {
    write_file(root() / "resolv.conf", "nameserver 127.0.0.53\noptions timeout:5 attempts:1\n");
    const Resolver resolver;
    const auto honest = registry(m_image);
    const auto image = "elsewhere.pyro-test.org:" + std::to_string(honest->port()) + "/team/image:1";
    write_file(
        root() / "user/.config/containers/registries.conf",
        "[[registry]]\nlocation = \"" + image.substr(0, image.find('/')) + "\"\ninsecure = true\n");
    file(image);
    const auto applied = run({"apply"});
    EXPECT_EQ(applied.status, 0) << applied;
    EXPECT_GT(honest->requests(), 0);
  });
}

/// skopeo, pasta and its keeper end with the pyro that started them, however that ends.
TEST_F(FetchedImages, AKillLeavesNothingOfAFetch) {
  in_own_world([&] {
    const auto silent = registry([](const auto&, const auto&) {
      return Answer{.head = "", .body = "", .is_endless = false, .is_silent = true};
    });
    const auto image = name() + "/team/image:1";
    file(image);
    os::Command apply{.argv = argv_of({"apply"}), .env = environment(m_options)};
    apply.cwd = project().string();
    auto child = os::spawn(apply);
    ASSERT_TRUE(eventually([&] { return silent->requests() > 0; }, 60));
    ASSERT_FALSE(processes_naming(image).empty());
    child.signal(SIGKILL);
    std::ignore = child.wait();
    EXPECT_TRUE(eventually([&] { return processes_naming(state().string()).empty(); }))
        << describe(processes_naming(state().string()).front());
    EXPECT_TRUE(processes_naming(image).empty());
  });
}

TEST_F(FetchedImages, WithoutAGuardNothingIsFetched) {
  fs::create_directories(root() / "bin");
  fs::create_symlink("/usr/bin/skopeo", root() / "bin/skopeo");
  m_options.env["PATH"] = (root() / "bin").string();
  file(std::string(k_host) + "/team/image:1");
  const auto refused = pyro({"apply"}, m_options);
  EXPECT_NE(refused.status, 0);
  for (const auto* part : {"pasta", "apt install passt", "pyro trust"}) {
    EXPECT_NE(refused.err.find(part), std::string::npos) << part << refused;
  }
}

/// A registry of this machine, or of the network that it is in, is asked about before anything is sent there.
TEST_F(FetchedImages, RegistriesThatNobodyElseReachesAreAskedAbout) {
  const HostileRegistry own(m_image);
  for (const auto& host :
       {own.address(), std::string("localhost:5000"), std::string("[::1]:5000"), std::string("192.168.1.5"),
        std::string("registry:5000"), std::string("registry.corp.internal"), std::string("2130706433:5000"),
        std::string("0x7f.1:5000")}) {
    file(host + "/team/image:1");
    const auto refused = pyro({"apply", "--json"}, m_options);
    EXPECT_EQ(refused.status, 7) << refused;
    EXPECT_NE(refused.err.find(host + "/team/image:1"), std::string::npos) << refused;
  }
  EXPECT_EQ(own.connections(), 0);
  file(own.address() + "/team/image:1");
  expect(0, {"trust"}, m_options);
  expect(0, {"apply"}, m_options);
  EXPECT_GT(own.requests(), 0);
}

} // namespace
} // namespace pyro::testing

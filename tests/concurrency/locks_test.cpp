// Each lock keeps out whom it is for: with one process that holds it and another that wants it, and with the
// operations that take it on both sides.
#include "crew.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/file_lock.hpp>

#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>
#include <unistd.h>

namespace pyro::concurrency {
namespace {

using std::chrono::milliseconds;

/// A process that holds a lock until it is let go.
class Holder {
public:
  enum class Kind { exclusive, shared };

  Holder(const fs::path& path, Kind kind) {
    auto ready = os::make_pipe();
    auto end = os::make_pipe();
    m_pid = ::fork();
    if (m_pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      end.write_end.reset();
      hold(path, kind, ready.write_end.get(), end.read_end.get());
    }
    m_end = std::move(end.write_end);
    ready.write_end.reset();
    char octet = 0;
    if (::read(ready.read_end.get(), &octet, 1) != 1) {
      throw std::runtime_error("nobody holds " + path.string());
    }
  }

  ~Holder() { let_go(); }

  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void let_go() {
    if (m_pid > 0) {
      std::ignore =
          ::write(m_end.get(), "", 1); // our children have this end as well: closing it tells nobody
      ::waitpid(std::exchange(m_pid, 0), nullptr, 0);
    }
  }

  pid_t pid() const { return m_pid; }

private:
  [[noreturn]] static void hold(const fs::path& path, Kind kind, int ready, int end) {
    {
      std::optional<os::ExclusiveLock> exclusive;
      std::optional<os::SharedLock> shared;
      if (kind == Kind::exclusive) {
        exclusive.emplace(path.string(), "holding it", milliseconds(5000));
      } else {
        shared.emplace(path.string(), milliseconds(5000), "holding it");
      }
      char octet = 1;
      std::ignore = ::write(ready, &octet, 1);
      std::ignore = ::read(end, &octet, 1);
    }
    ::_exit(0);
  }

  pid_t m_pid = 0;
  os::Fd m_end;
};

class Locks : public contract::Contract {
protected:
  /// `operation` waits for the holder, says so, gives up with exit code 5 when its time is over, and does its
  /// work as soon as the lock is free.
  void excludes(
      const fs::path& lock, Holder::Kind kind, const std::string& operation, const Json& parameters,
      bool gives_up = true) {
    SCOPED_TRACE(operation + " and " + lock.string());
    reopen();
    Holder holder(lock, kind);
    const auto name = fmt::format("holding it (pid {}", holder.pid());
    if (gives_up) {
      expect_giving_up(operation, parameters, name);
    }
    Crew crew(root() / fmt::format("crew-{}", m_crews++), settings(), 0);
    const auto pid = crew.send([&](Worker& worker) { worker.call(operation, parameters); });
    std::this_thread::sleep_for(milliseconds(400));
    crew.look();
    EXPECT_TRUE(crew.is_at_work(pid)) << "it does not wait";
    const auto let_go = now();
    holder.let_go();
    crew.wait();
    const auto steps = crew.steps();
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_TRUE(steps[0].ok()) << steps[0].text();
    EXPECT_GE(steps[0].ended, let_go);
  }

  void expect_giving_up(const std::string& operation, const Json& parameters, const std::string& name) {
    auto hasty = settings();
    hasty.lock_timeout = milliseconds(100);
    std::string told;
    operations::Callbacks callbacks;
    callbacks.events = [&](const operations::Event& event) {
      told += event.kind == "waiting" || event.kind == "action_progress" ? event.text + "\n" : "";
    };
    try {
      operations::make_engine(hasty, callbacks)->call(operation, parameters);
      ADD_FAILURE() << "it did not wait";
    } catch (const Error& error) {
      EXPECT_EQ(name_of(error.code()), "locked") << error.what();
      EXPECT_EQ(exit_status_of(error.code()), 5);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
    EXPECT_NE(told.find("waiting for " + name), std::string::npos) << "told: " << told;
  }

  fs::path store_lock() const { return base() / "store" / "lock"; }

  fs::path only_other(const fs::path& directory, const std::string& known) {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().filename() != known) {
        found = entry.path();
      }
    }
    return found;
  }

  /// A pyro.yaml with a step that takes its time and may run but once.
  fs::path project() {
    const auto directory = tree("project", {{"file", "1\n"}});
    testing::write_file(
        directory / "pyro.yaml", "version: 1\nname: one\nenvironment: {image: \"" + environment()
                                     + "\"}\nseed: {from: .}\nprepare:\n"
                                       "  - {id: slow, run: \"sleep 1; echo run >> runs\"}\n");
    return directory;
  }

private:
  int m_crews = 0;
};

TEST_P(Locks, OfAWorkspace) {
  const auto id = create_id();
  call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "one"}});
  const auto lock = base() / "workspaces" / id / "lock";
  const auto with = [&](Json more) {
    more["workspace_id"] = id;
    return more;
  };
  const auto exclusive = Holder::Kind::exclusive;
  excludes(lock, exclusive, "snapshot_create", with({{"snapshot_name", "two"}}));
  excludes(lock, exclusive, "snapshot_delete", with({{"snapshot_name", "one"}}));
  excludes(lock, exclusive, "workspace_reset", with(Json::object()));
  excludes(lock, exclusive, "workspace_file_write", with({{"path", "/workspace/a"}, {"content", "a"}}));
  excludes(lock, exclusive, "workspace_update", with({{"labels", {{"a", "b"}}}}));
  excludes(lock, exclusive, "workspace_stop", with(Json::object()));
  excludes(lock, exclusive, "workspace_start", with(Json::object()));
  {
    Holder holder(lock, exclusive);
    EXPECT_EQ(output(id, "cat a"), "a") << "a command needs no lock";
    EXPECT_EQ(call("workspace_status", with(Json::object()))["lock"]["pid"], holder.pid());
    call("workspace_diff", with(Json::object()));
    call("snapshot_list", with(Json::object()));
  }
  excludes(lock, exclusive, "workspace_delete", with(Json::object()));
}

TEST_P(Locks, OfTheStore) {
  const auto id = create_id();
  const Json where{{"workspace_id", id}};
  // Who collects garbage keeps out all who use layers.
  const auto exclusive = Holder::Kind::exclusive;
  excludes(store_lock(), exclusive, "workspace_create", {{"environment", environment()}});
  excludes(store_lock(), exclusive, "workspace_reset", where);
  excludes(store_lock(), exclusive, "snapshot_create", {{"workspace_id", id}, {"snapshot_name", "s"}});
  excludes(store_lock(), exclusive, "workspace_fork", where);
  excludes(store_lock(), exclusive, "env_pull", {{"image", environment()}});
  excludes(store_lock(), exclusive, "apply", {{"directory", project().string()}});
  // And who uses layers keeps out who collects, but not others who use them.
  excludes(store_lock(), Holder::Kind::shared, "prune", Json::object());
  excludes(store_lock(), Holder::Kind::shared, "env_prune", Json::object());
  const Holder holder(store_lock(), Holder::Kind::shared);
  call("workspace_reset", where);
}

TEST_P(Locks, OfAnIdentity) {
  const auto directory = project();
  reopen();
  Crew crew(root() / "crew", settings(), 0);
  for (int worker = 0; worker < 2; ++worker) {
    crew.send([&](Worker& hand) { hand.call("apply", {{"directory", directory.string()}}); });
  }
  crew.wait();
  std::set<std::string> ids;
  int changes = 0;
  for (const auto& step : crew.steps()) {
    ASSERT_TRUE(step.ok()) << step.text();
    ids.insert(step.answer["workspace_id"].get<std::string>());
    changes += step.answer["changed"].get<bool>() ? 1 : 0;
  }
  ASSERT_EQ(ids.size(), 1U) << "two workspaces for one file";
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(call("workspace_list")["count"], 1);
  EXPECT_EQ(output(*ids.begin(), "cat runs"), "run\n");
  const auto lock = only_other(base() / "locks", "active");
  ASSERT_FALSE(lock.empty());
  excludes(lock, Holder::Kind::exclusive, "apply", {{"directory", directory.string()}});
}

TEST_P(Locks, OfWhatIsActive) {
  const auto id = create_id();
  call("workspace_stop", {{"workspace_id", id}});
  const auto lock = base() / "locks" / "active";
  excludes(lock, Holder::Kind::exclusive, "workspace_start", {{"workspace_id", id}});
  excludes(lock, Holder::Kind::exclusive, "workspace_create", {{"environment", environment()}});
  excludes(lock, Holder::Kind::exclusive, "vm_create", {{"environment", environment()}});
}

TEST_P(Locks, TheCapHoldsAgainstManyAtOnce) {
  constexpr int k_cap = 3;
  std::vector<std::string> ids;
  for (int number = 0; number < 2 * k_cap; ++number) {
    ids.push_back(create_id());
    call("workspace_stop", {{"workspace_id", ids.back()}});
  }
  reopen();
  set_max_active(k_cap);
  Crew crew(root() / "crew", settings(), 0);
  for (const auto& id : ids) {
    crew.send([&](Worker& hand) { hand.call("workspace_start", {{"workspace_id", id}}); });
  }
  crew.wait();
  int started = 0;
  for (const auto& step : crew.steps()) {
    started += step.ok() ? 1 : 0;
    EXPECT_TRUE(step.ok() || step.message.find("max active VMs reached") != std::string::npos) << step.text();
  }
  EXPECT_EQ(started, k_cap);
}

/// Between its two sandboxes a workspace that is reset runs none, and yet its place is taken.
TEST_P(Locks, TheCapHoldsDuringResets) {
  const std::vector<std::string> running{create_id(), create_id()};
  const auto waiting = create_id();
  call("workspace_stop", {{"workspace_id", waiting}});
  reopen();
  set_max_active(2);
  Crew crew(root() / "crew", settings(), 0);
  for (const auto& id : running) {
    crew.send([&](Worker& hand) {
      for (int round = 0; round < 12; ++round) {
        hand.call("workspace_reset", {{"workspace_id", id}});
      }
    });
  }
  crew.send([&](Worker& hand) {
    for (int round = 0; round < 80; ++round) {
      hand.call("workspace_start", {{"workspace_id", waiting}});
    }
  });
  crew.wait();
  for (const auto& step : crew.steps()) {
    if (step.operation == "workspace_reset") {
      EXPECT_TRUE(step.ok()) << step.text();
    } else {
      EXPECT_NE(step.message.find("max active VMs reached"), std::string::npos) << step.text();
    }
  }
}

TEST_P(Locks, OfAnEnvironment) {
  const Json image{{"image", environment()}};
  std::this_thread::sleep_for(milliseconds(200)); // its time stamps are old enough to be believed
  Crew crew(root() / "crew", settings(), 0);
  for (int worker = 0; worker < 4; ++worker) {
    crew.send([&](Worker& hand) { hand.call("env_pull", image); });
  }
  crew.wait();
  std::map<std::string, int> outcomes;
  for (const auto& step : crew.steps()) {
    ++outcomes[step.ok() ? step.answer["status"].get<std::string>() : step.text()];
  }
  EXPECT_EQ(outcomes, (std::map<std::string, int>{{"installed", 1}, {"present", 3}}));

  // A damaged one is repaired once too, and nobody takes away what another has just repaired.
  const fs::path layer = call("env_inspect", image)["layers"][0]["tree"].get<std::string>();
  const auto file = layer / "etc/passwd";
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
  testing::write_file(file, "evil::0:0:::\n");
  reopen();
  Crew second(root() / "second", settings(), 0);
  for (int worker = 0; worker < 4; ++worker) {
    second.send([&](Worker& hand) { hand.call("env_pull", image); });
  }
  second.wait();
  outcomes.clear();
  for (const auto& step : second.steps()) {
    ++outcomes[step.ok() ? step.answer["status"].get<std::string>() : step.text()];
  }
  EXPECT_EQ(outcomes, (std::map<std::string, int>{{"repaired", 1}, {"present", 3}}));

  const auto lock = base() / "store" / "install-lock";
  ASSERT_TRUE(fs::exists(lock));
  testing::write_file(file, "evil again::0:0:::\n");
  excludes(lock, Holder::Kind::exclusive, "env_pull", image, false); // its patience is half an hour
}

INSTANTIATE_TEST_SUITE_P(On, Locks, ::testing::Values("namespaces"), [](const auto& info) {
  return info.param;
});

} // namespace
} // namespace pyro::concurrency

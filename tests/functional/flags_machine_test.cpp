// Flags that say what a sandbox is to be, of the three commands that make one: run, vm create, workspace
// create.
#include "flags.hpp"

#include <cmath>
#include <csignal>

namespace pyro::testing {
namespace {

constexpr const char* k_run = "run";
constexpr const char* k_vm = "vm create";
constexpr const char* k_workspace = "workspace create";

Arguments words_of(const std::string& command) {
  return command == k_run ? Arguments{"run"} : Arguments{command.substr(0, command.find(' ')), "create"};
}

using Look = std::function<void(const Json& sandbox)>;

/// What the program says of a sandbox that the command made with these flags; `look` is given it while the
/// sandbox is there.
Json described(
    Flags& test, const std::string& command, const Arguments& flags, const std::string& image = "",
    const Look& look = [](const Json&) {}) {
  auto words = words_of(command);
  words.push_back(image.empty() ? test.image() : image);
  words.insert(words.end(), flags.begin(), flags.end());
  Json found;
  if (command == k_run) {
    words.insert(words.end(), {"--", "sleep", "1000"});
    auto child = test.start(words);
    EXPECT_TRUE(eventually([&] {
      const auto vms = test.json({"vm", "list"})["vms"];
      found = vms.empty() ? Json() : vms[0];
      return !found.is_null() && found["state"] == "started";
    }));
    look(found);
    child.signal(SIGINT);
    EXPECT_EQ(child.wait().shell_status(), 130);
    return found;
  }
  found = test.json(words);
  if (command == k_vm) {
    const auto id = found.value("vm_id", "");
    test.expect(0, {"vm", "start", id});
    found = test.json({"vm", "status", id});
  }
  look(found);
  return found;
}

/// What a script prints in such a sandbox.
std::string said(Flags& test, const std::string& command, const Arguments& flags, const std::string& script) {
  if (command == k_run) {
    return test.with({"run", test.image(), "--", "sh", "-c", script}, flags).out;
  }
  if (command == k_workspace) {
    return test.in(test.made(flags), script).out;
  }
  auto id = test.with({"vm", "create", test.image(), "--id-only"}, flags).out;
  id.pop_back();
  test.expect(0, {"vm", "start", id});
  return test.pyro({"vm", "exec", id, "--", "sh", "-c", script}).out;
}

/// What the kernel holds the sandbox to; empty where pyro may make no cgroups, as `pyro doctor` says.
std::string held_to(const Json& sandbox, const std::string& controller, const std::string& file) {
  std::istringstream lines(read_file("/proc/" + std::to_string(sandbox.value("sandbox_pid", 0)) + "/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto second = line.find(':', line.find(':') + 1);
    const auto path = line.substr(second + 1);
    for (const auto& root : {"/sys/fs/cgroup/" + controller, std::string("/sys/fs/cgroup")}) {
      if (path.find("/pyro-") != std::string::npos && fs::exists(root + path + "/" + file)) {
        return read_file(root + path + "/" + file);
      }
    }
  }
  return "";
}

void has_as_many_processors(Flags& test, const std::string& command) {
  std::vector<std::string> quotas;
  const auto look = [&](const Json& sandbox) {
    quotas.push_back(held_to(sandbox, "cpu", "cpu.cfs_quota_us") + held_to(sandbox, "cpu", "cpu.max"));
  };
  EXPECT_EQ(described(test, command, {}, "", look)["vcpu_count"], 1);
  EXPECT_EQ(described(test, command, {"--vcpu-count", "2"}, "", look)["vcpu_count"], 2);
  ASSERT_EQ(quotas.size(), 2U);
  EXPECT_TRUE(quotas[0] != quotas[1] || quotas[0].empty()) << "both are held to " << quotas[0];
}

void has_as_much_memory(Flags& test, const std::string& command) {
  std::string limit;
  const auto look = [&](const Json& sandbox) {
    limit = held_to(sandbox, "memory", "memory.limit_in_bytes") + held_to(sandbox, "memory", "memory.max");
  };
  EXPECT_EQ(described(test, command, {})["mem_mib"], 1024);
  EXPECT_EQ(described(test, command, {"--mem-mib", "300"}, "", look)["mem_mib"], 300);
  EXPECT_TRUE(limit.empty() || limit == std::to_string(300 << 20) + "\n") << limit;
}

void lives_as_long(Flags& test, const std::string& command) {
  for (const auto& [flags, seconds] : {std::pair<Arguments, int>{{}, 600}, {{"--ttl-seconds", "900"}, 900}}) {
    const auto one = described(test, command, flags);
    const auto left = one.value("expires_at", 0.0) - one.value("created_at", 0.0);
    EXPECT_LT(std::abs(left - seconds), 30) << one;
  }
}

void has_a_network(Flags& test, const std::string& command) {
  EXPECT_EQ(described(test, command, {})["network_policy"], "off");
  EXPECT_EQ(said(test, command, {}, "grep -c eth0 /proc/net/dev"), "0\n");
  EXPECT_EQ(said(test, command, {"--network-policy", "off"}, "grep -c eth0 /proc/net/dev"), "0\n");
  EXPECT_EQ(said(test, command, {"--network-policy", "egress"}, "grep -c eth0 /proc/net/dev"), "1\n");
}

void is_called_that(Flags& test, const std::string& command) {
  EXPECT_NE(described(test, command, {})["name"], "by-this-name");
  EXPECT_EQ(said(test, command, {"--name", "by-this-name"}, "hostname"), "by-this-name\n");
}

/// Any backend isolates but one.
void stands_on_that_backend(Flags& test, const std::string& command) {
  EXPECT_EQ(described(test, command, {"--allow-host-compat"})["execution_mode"], "sandbox");
  EXPECT_EQ(
      described(test, command, {"--allow-host-compat", "--backend", "host"}, "host")["execution_mode"],
      "host_compat");
  auto words = words_of(command);
  words.insert(words.end(), {test.image(), "--backend", "nonsense"});
  if (command == k_run) {
    words.insert(words.end(), {"--", "true"});
  }
  const auto refused = test.pyro(words);
  EXPECT_TRUE(contains(refused.err, "invalid backend 'nonsense'")) << refused;
}

void needs_a_word_to_be_without_isolation(Flags& test, const std::string& command) {
  auto words = words_of(command);
  words.insert(words.end(), {"host", "--backend", "host"});
  if (command == k_run) {
    words.insert(words.end(), {"--", "true"});
  }
  auto refused = test.pyro(words);
  if (command == k_vm && refused.status == 0) {
    const auto vms = test.json({"vm", "list"})["vms"];
    ASSERT_EQ(vms.size(), 1U);
    refused = test.pyro({"vm", "start", vms[0].value("vm_id", "")});
  }
  EXPECT_NE(refused.status, 0);
  EXPECT_TRUE(contains(refused.err, "--allow-host-compat")) << refused;
  EXPECT_EQ(
      described(test, command, {"--backend", "host", "--allow-host-compat"}, "host")["execution_mode"],
      "host_compat");
}

void prints_the_id_alone(Flags& test, const std::string& command) {
  auto words = words_of(command);
  words.push_back(test.image());
  EXPECT_TRUE(contains(test.with(words, {}).out, "MiB"));
  const auto id = test.with(words, {"--id-only"}).out;
  EXPECT_EQ(id.size(), 13U) << id;
  test.expect(0, {words[0], "status", id.substr(0, id.size() - 1)});
}

TEST_F(Flags, run__vcpu_count) {
  has_as_many_processors(*this, k_run);
}

TEST_F(Flags, vm_create__vcpu_count) {
  has_as_many_processors(*this, k_vm);
}

TEST_F(Flags, workspace_create__vcpu_count) {
  has_as_many_processors(*this, k_workspace);
}

TEST_F(Flags, run__mem_mib) {
  has_as_much_memory(*this, k_run);
}

TEST_F(Flags, vm_create__mem_mib) {
  has_as_much_memory(*this, k_vm);
}

TEST_F(Flags, workspace_create__mem_mib) {
  has_as_much_memory(*this, k_workspace);
}

TEST_F(Flags, run__ttl_seconds) {
  lives_as_long(*this, k_run);
}

TEST_F(Flags, vm_create__ttl_seconds) {
  lives_as_long(*this, k_vm);
}

TEST_F(Flags, workspace_create__ttl_seconds) {
  lives_as_long(*this, k_workspace);
}

TEST_F(Flags, run__network_policy) {
  has_a_network(*this, k_run);
}

TEST_F(Flags, vm_create__network_policy) {
  has_a_network(*this, k_vm);
}

TEST_F(Flags, workspace_create__network_policy) {
  has_a_network(*this, k_workspace);
}

TEST_F(Flags, run__name) {
  is_called_that(*this, k_run);
}

TEST_F(Flags, vm_create__name) {
  is_called_that(*this, k_vm);
}

TEST_F(Flags, workspace_create__name) {
  is_called_that(*this, k_workspace);
}

TEST_F(Flags, run__backend) {
  stands_on_that_backend(*this, k_run);
}

TEST_F(Flags, vm_create__backend) {
  stands_on_that_backend(*this, k_vm);
}

TEST_F(Flags, workspace_create__backend) {
  stands_on_that_backend(*this, k_workspace);
}

TEST_F(Flags, run__allow_host_compat) {
  needs_a_word_to_be_without_isolation(*this, k_run);
}

TEST_F(Flags, vm_create__allow_host_compat) {
  needs_a_word_to_be_without_isolation(*this, k_vm);
}

TEST_F(Flags, workspace_create__allow_host_compat) {
  needs_a_word_to_be_without_isolation(*this, k_workspace);
}

TEST_F(Flags, vm_create__id_only) {
  prints_the_id_alone(*this, k_vm);
}

TEST_F(Flags, workspace_create__id_only) {
  prints_the_id_alone(*this, k_workspace);
}

TEST_F(Flags, run__reset) {
  file();
  const Arguments words{"run", "--", "sh", "-c", "echo x >> made; cat made"};
  EXPECT_EQ(with(words, {}).out, "x\n");
  EXPECT_EQ(with(words, {}).out, "x\nx\n");
  EXPECT_EQ(with(words, {"--reset"}).out, "x\nx\nx\n");
  EXPECT_EQ(with(words, {}).out, "x\n") << "it was reset afterwards";
}

/// A started VM for each command, since each takes one.
std::string vm_for_one_command(Flags& test) {
  auto id = test.expect(0, {"vm", "create", test.image(), "--id-only"}).out;
  id.pop_back();
  test.expect(0, {"vm", "start", id});
  return id;
}

TEST_F(Flags, vm_exec__env) {
  const auto said_in_one = [&](const Arguments& flags) {
    return with({"vm", "exec", vm_for_one_command(*this), "--", "sh", "-c", "echo \"<$GIVEN>\""}, flags).out;
  };
  EXPECT_EQ(said_in_one({}), "<>\n");
  EXPECT_EQ(said_in_one({"-e", "GIVEN=to it"}), "<to it>\n");
}

TEST_F(Flags, vm_exec__user) {
  EXPECT_EQ(pyro({"vm", "exec", vm_for_one_command(*this), "--", "id", "-un"}).out, "root\n");
  EXPECT_EQ(
      pyro({"vm", "exec", vm_for_one_command(*this), "-u", "nobody", "--", "id", "-un"}).out, "nobody\n");
}

TEST_F(Flags, vm_exec__cwd) {
  EXPECT_EQ(pyro({"vm", "exec", vm_for_one_command(*this), "--", "pwd"}).out, "/workspace\n");
  EXPECT_EQ(
      pyro({"vm", "exec", vm_for_one_command(*this), "--cwd", "/var/lib", "--", "pwd"}).out, "/var/lib\n");
}

TEST_F(Flags, vm_exec__timeout_seconds) {
  auto control = start({"vm", "exec", vm_for_one_command(*this), "--", "sleep", "1.2"});
  const auto late =
      pyro({"vm", "exec", vm_for_one_command(*this), "--timeout-seconds", "1", "--", "sleep", "1.2"});
  EXPECT_EQ(late.status, 124) << late;
  EXPECT_EQ(control.wait().shell_status(), 0);
}

} // namespace
} // namespace pyro::testing

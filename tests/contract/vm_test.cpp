// One-shot VMs: rows that run commands.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

#include <thread>

namespace pyro::contract {
namespace {

std::string id_of(const Json& vm) {
  return vm["vm_id"].get<std::string>();
}

TEST_P(ContractCommands, vm_lifecycle) {
  const auto vm = create_vm();
  EXPECT_EQ(vm["state"], "created");
  EXPECT_TRUE(vm["sandbox_pid"].is_null());
  const Json which{{"vm_id", vm["vm_id"]}};
  const auto started = call("vm_start", which);
  EXPECT_EQ(started["state"], "started");
  EXPECT_GT(started["sandbox_pid"].get<int>(), 0);
  const auto result =
      call("vm_exec", {{"vm_id", vm["vm_id"]}, {"command", "echo out; echo err >&2; exit 3"}});
  EXPECT_EQ(result["exit_code"], 3);
  EXPECT_EQ(result["stdout"], "out\n");
  EXPECT_EQ(result["stderr"], "err\n");
  EXPECT_EQ(result["execution_mode"], started["execution_mode"]);
  fails("vm_status", which, ErrorCode::invalid_argument, "does not exist");
  EXPECT_FALSE(fs::exists(base() / "workspaces" / id_of(vm)));
}

TEST_P(ContractCommands, vm_lifecycle__no_workspace) {
  const auto id = id_of(create_vm({{"name", "lonely"}}));
  EXPECT_EQ(call("workspace_list")["count"], 0);
  fails("workspace_status", {{"workspace_id", id}}, ErrorCode::not_found, "does not exist");
  const auto workspace = create_id({{"name", "lonely"}});
  EXPECT_EQ(call("vm_list")["count"], 1);
  EXPECT_EQ(call("vm_status", {{"vm_id", "lonely"}})["vm_id"], id);
  fails("vm_status", {{"vm_id", workspace}}, ErrorCode::invalid_argument, "does not exist");
}

TEST_P(ContractCommands, vm_lifecycle__by_another_process) {
  const auto vm = create_vm();
  reopen();
  call("vm_start", {{"vm_id", vm["vm_id"]}});
  reopen();
  EXPECT_EQ(call("vm_exec", {{"vm_id", vm["vm_id"]}, {"argv", {"pwd"}}})["exit_code"], 0);
}

TEST_P(ContractCommands, vm_exec_timeout) {
  const auto id = id_of(create_vm());
  call("vm_start", {{"vm_id", id}});
  // A child in a session of its own must die as well.
  const auto result = call(
      "vm_exec", {{"vm_id", id}, {"command", "setsid sleep 30000 & sleep 30000"}, {"timeout_seconds", 1}});
  EXPECT_EQ(result["exit_code"], 124);
  EXPECT_EQ(result["timed_out"], true);
  EXPECT_NE(result["stderr"].get<std::string>().find("timed out"), std::string::npos) << result["stderr"];
  // That nothing of it lives on is looked at when the test is over (Contract::TearDown).
}

TEST_P(ContractCommands, vm_state_checks) {
  const auto id = id_of(create_vm());
  const Json which{{"vm_id", id}};
  const Json command{{"vm_id", id}, {"command", "true"}};
  fails("vm_exec", command, ErrorCode::bad_state, "must be in 'started' state");
  fails(
      "vm_exec", {{"vm_id", id}, {"command", "true"}, {"timeout_seconds", 0}}, ErrorCode::invalid_argument,
      "must be positive");
  call("vm_start", which);
  fails("vm_start", which, ErrorCode::bad_state, "cannot be started from state");
  EXPECT_EQ(call("vm_exec", command)["exit_code"], 0) << "a refused call does not use the VM up";
}

TEST_P(ContractCommands, vm_state_checks__one_command) {
  const auto vm = create_vm();
  const Json command{{"vm_id", vm["vm_id"]}, {"command", "cat > /dev/null; sleep 2"}};
  call("vm_start", {{"vm_id", vm["vm_id"]}});
  std::thread first([&, one = operations::make_engine(settings(), {})] { one->call("vm_exec", command); });
  const auto record = base() / "workspaces" / id_of(vm) / "workspace.json";
  EXPECT_TRUE(testing::eventually(
      [&] { return testing::read_file(record).find("\"command_count\": 1") != std::string::npos; }));
  fails("vm_exec", command, ErrorCode::bad_state, "its one command already");
  first.join();
  fails("vm_status", {{"vm_id", vm["vm_id"]}}, ErrorCode::invalid_argument, "does not exist");
}

TEST_P(ContractCommands, vm_run) {
  const auto result = call(
      "vm_run", {{"environment", environment()},
                 {"allow_host_compat", backend() == "host"},
                 {"command", "cat; echo failed >&2; exit 7"},
                 {"stdin", "from here\n"}});
  EXPECT_EQ(result["exit_code"], 7);
  EXPECT_EQ(result["stdout"], "from here\n");
  EXPECT_EQ(result["stderr"], "failed\n");
  const std::map<std::string, std::string> modes{
      {"host", "host_compat"},
      {"namespaces", "sandbox"},
      {"qemu", "guest_serial"},
      {"firecracker", "guest_vsock"}};
  EXPECT_EQ(result["execution_mode"], modes.at(backend()));
  EXPECT_GE(result["duration_ms"].get<int>(), 0);
  EXPECT_EQ(call("vm_list")["count"], 0);
}

TEST_P(ContractCommands, vm_run__what_cannot_be_run) {
  const Json vm{{"environment", environment()}, {"allow_host_compat", backend() == "host"}};
  auto wanted = vm;
  wanted["argv"] = {"/no/such/program"};
  EXPECT_EQ(call("vm_run", wanted)["exit_code"], 127);
  wanted["argv"] = {"/etc/passwd"};
  EXPECT_EQ(call("vm_run", wanted)["exit_code"], 126);
  fails("vm_run", vm, ErrorCode::invalid_argument, "either as 'command' or as 'argv'");
  EXPECT_EQ(call("vm_list")["count"], 0);
}

TEST_P(ContractSandbox, fail_closed__a_virtual_machine) {
  forget_guest_kernel();
  const auto project = tree(
      "project", {{"pyro.yaml", "version: 1\nname: strong\nisolation: vm\nenvironment:\n  image: "
                                    + environment() + "\nseed:\n  from: .\n"}});
  fails(
      "apply", {{"directory", project.string()}, {"allow_host_compat", true}}, ErrorCode::unavailable,
      "guest boot is unavailable");
  EXPECT_EQ(call("workspace_list")["count"], 0) << "nothing weaker was taken in its place";
}

TEST_P(ContractSandbox, vm_network_info) {
  const auto vm = create_vm();
  EXPECT_EQ(vm["network_enabled"], false);
  EXPECT_TRUE(vm["guest_ip"].is_null());
  call("vm_start", {{"vm_id", vm["vm_id"]}});
  const auto off = call("vm_network_info", {{"vm_id", vm["vm_id"]}});
  EXPECT_EQ(off["network_enabled"], false);
  EXPECT_TRUE(off["guest_ip"].is_null());
  const auto other = create_vm({{"network_policy", "egress"}});
  EXPECT_EQ(other["network_enabled"], true);
  call("vm_start", {{"vm_id", other["vm_id"]}});
  const auto on = call("vm_network_info", {{"vm_id", other["vm_id"]}});
  EXPECT_EQ(on["network_enabled"], true);
  ASSERT_TRUE(on["guest_ip"].is_string()) << on.dump();
  const auto seen = call("vm_exec", {{"vm_id", other["vm_id"]}, {"command", "ip -4 addr show"}});
  EXPECT_NE(
      seen["stdout"].get<std::string>().find(on["guest_ip"].get<std::string>() + "/"), std::string::npos)
      << on.dump() << seen["stdout"];
}

} // namespace
} // namespace pyro::contract

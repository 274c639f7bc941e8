// One-shot VMs: rows about records, limits and refusals, which need no command to be run.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/clock.hpp>

#include <fstream>
#include <thread>

namespace pyro::contract {
namespace {

/// As if that much time had passed: the record's end is moved, nothing else.
void expire(const fs::path& record) {
  std::ifstream in(record);
  auto document = Json::parse(in);
  document["expires_at"] = os::now_epoch() - 1;
  testing::write_file(record, document.dump());
}

TEST_P(Contract, vm_stop_delete) {
  const Json which{{"vm_id", create_vm()["vm_id"]}};
  call("vm_start", which);
  EXPECT_EQ(call("vm_stop", which)["state"], "stopped");
  const auto status = call("vm_status", which);
  EXPECT_EQ(status["state"], "stopped");
  EXPECT_TRUE(status["sandbox_pid"].is_null());
  EXPECT_EQ(call("vm_delete", which)["deleted"], true);
  fails("vm_delete", which, ErrorCode::invalid_argument, "does not exist");
}

TEST_P(Contract, vm_reap) {
  const auto path = [&](const Json& vm) {
    return base() / "workspaces" / vm["vm_id"].get<std::string>();
  };
  const auto kept = create_vm();
  const auto asleep = create_vm();
  const auto awake = create_vm();
  call("vm_start", {{"vm_id", awake["vm_id"]}});
  EXPECT_EQ(call("vm_reap")["count"], 0);
  expire(path(asleep) / "workspace.json");
  expire(path(awake) / "workspace.json");
  const auto reaped = call("vm_reap");
  EXPECT_EQ(reaped["count"], 2) << reaped.dump();
  EXPECT_FALSE(fs::exists(path(asleep)));
  EXPECT_FALSE(fs::exists(path(awake)));
  EXPECT_EQ(call("vm_status", {{"vm_id", kept["vm_id"]}})["state"], "created");
}

TEST_P(Contract, vm_reap__status_of_an_expired_one) {
  const auto id = create_vm()["vm_id"].get<std::string>();
  const Json which{{"vm_id", id}};
  call("vm_start", which);
  expire(base() / "workspaces" / id / "workspace.json");
  fails("vm_status", which, ErrorCode::bad_state, "expired and was automatically deleted");
  fails("vm_status", which, ErrorCode::invalid_argument, "does not exist");
}

TEST_P(Contract, vm_limits) {
  const auto refused = [&](Json value, std::string_view fragment) {
    value["environment"] = environment();
    fails("vm_create", value, ErrorCode::invalid_argument, fragment);
    fails("workspace_create", value, ErrorCode::invalid_argument, fragment);
  };
  refused({{"vcpu_count", 0}}, "vcpu_count must be between");
  refused({{"mem_mib", 64}}, "mem_mib must be between");
  refused({{"ttl_seconds", 30}}, "ttl_seconds must be between");
  refused({{"ttl_seconds", 0}}, "ttl_seconds must be between");
  refused({{"vcpu_count", 1 << 20}}, "vcpu_count must be between");
  EXPECT_EQ(call("vm_list")["count"], 0);
  EXPECT_EQ(call("workspace_list")["count"], 0);
  const auto small = create_vm({{"vcpu_count", 1}, {"mem_mib", 512}, {"ttl_seconds", 600}});
  EXPECT_EQ(small["mem_mib"], 512);
  const auto usual = create_vm();
  EXPECT_EQ(usual["vcpu_count"], 1);
  EXPECT_EQ(usual["mem_mib"], 1024);
  EXPECT_EQ(usual["ttl_seconds"], 600);
  EXPECT_NEAR(usual["expires_at"].get<double>() - usual["created_at"].get<double>(), 600, 1);
}

TEST_P(Contract, vm_max_active) {
  set_max_active(3);
  const auto asleep = create_vm();
  const auto workspace = create_id();
  const Json last{{"vm_id", create_vm()["vm_id"]}};
  fails("vm_create", {{"environment", environment()}}, ErrorCode::bad_state, "max active VMs reached");
  Json more{{"environment", environment()}, {"allow_host_compat", backend() == "host"}};
  fails("workspace_create", more, ErrorCode::bad_state, "max active VMs reached");
  EXPECT_EQ(call("workspace_list")["count"], 1) << "what was refused leaves nothing";
  call("vm_start", last); // it was counted already
  call("vm_stop", last);
  const Json another{{"vm_id", create_vm()["vm_id"]}};
  fails("vm_start", last, ErrorCode::bad_state, "max active VMs reached");
  call("vm_delete", another);
  EXPECT_EQ(call("vm_start", last)["state"], "started");
}

TEST_P(Contract, vm_max_active__many_at_once) {
  constexpr int k_most = 5;
  set_max_active(k_most);
  environment();
  call("env_pull", {{"image", environment()}});
  std::atomic<int> made{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 16; ++number) {
    threads.emplace_back([&, one = operations::make_engine(settings(), {})] {
      try {
        one->call("vm_create", {{"environment", environment()}});
        ++made;
      } catch (const Error& error) {
        refused += std::string(error.what()).find("max active VMs reached") != std::string::npos ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(made, k_most);
  EXPECT_EQ(refused, 16 - k_most);
  EXPECT_EQ(call("vm_list")["count"], k_most);
}

TEST_P(Contract, backend_name) {
  for (const auto* operation : {"vm_create", "workspace_create"}) {
    fails(
        operation, {{"environment", environment()}, {"backend", "cloud"}}, ErrorCode::invalid_argument,
        "invalid backend");
  }
  const auto vm = create_vm({{"backend", backend()}});
  EXPECT_EQ(vm["backend"], backend());
  EXPECT_EQ(call("vm_start", {{"vm_id", vm["vm_id"]}})["backend"], backend());
}

TEST_P(ContractFake, fail_closed) {
  controls().is_unavailable = true;
  const Json which{{"vm_id", create_vm()["vm_id"]}};
  fails("vm_start", which, ErrorCode::unavailable, "guest boot is unavailable");
  fails("vm_start", which, ErrorCode::unavailable, "ask the test to allow it"); // what would make it work
  const auto status = call("vm_status", which);
  EXPECT_EQ(status["state"], "created");
  EXPECT_TRUE(status["execution_mode"].is_null()) << "nothing else was taken in its place";
  fails(
      "workspace_create", {{"environment", environment()}}, ErrorCode::unavailable,
      "guest boot is unavailable");
  controls().is_unavailable = false;
  EXPECT_EQ(call("vm_start", which)["state"], "started");
}

TEST_P(ContractFake, ws_create_cleanup__failed_start) {
  controls().fails_to_start = true;
  fails("workspace_create", {{"environment", environment()}}, ErrorCode::failed, "told to fail");
  EXPECT_GT(controls().starts, 0);
  EXPECT_EQ(call("workspace_list")["count"], 0);
  EXPECT_TRUE(fs::is_empty(base() / "workspaces"));
  controls().fails_to_start = false;
  EXPECT_EQ(create()["state"], "started");
}

TEST_P(ContractFake, ws_dead_guest) {
  const auto workspace = create();
  backend::fake::kill_guest(workspace["sandbox_pid"].get<int>());
  const auto status = call("workspace_status", {{"workspace_id", workspace["workspace_id"]}});
  EXPECT_EQ(status["state"], "stopped");
  EXPECT_NE(status["last_error"].get<std::string>().find("backing guest process"), std::string::npos);
}

TEST_P(ContractFake, vm_lifecycle__dead_guest) {
  const auto vm = create_vm();
  const auto started = call("vm_start", {{"vm_id", vm["vm_id"]}});
  backend::fake::kill_guest(started["sandbox_pid"].get<int>());
  const auto status = call("vm_status", {{"vm_id", vm["vm_id"]}});
  EXPECT_EQ(status["state"], "stopped");
  EXPECT_NE(status["last_error"].get<std::string>().find("backing guest process"), std::string::npos);
}

} // namespace
} // namespace pyro::contract

#include "contract.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::contract {
namespace {

TEST_P(ContractSandbox, ws_create) {
  const auto workspace = create({{"name", "first"}, {"labels", {{"team", "web"}}}});
  EXPECT_EQ(workspace["state"], "started");
  EXPECT_EQ(workspace["environment"], environment());
  EXPECT_EQ(workspace["workspace_path"], "/workspace");
  EXPECT_EQ(workspace["name"], "first");
  EXPECT_EQ(workspace["labels"], (Json{{"team", "web"}}));
  EXPECT_EQ(workspace["vcpu_count"], 1);
  EXPECT_EQ(workspace["mem_mib"], 1024);
  EXPECT_EQ(workspace["command_count"], 0);
  EXPECT_TRUE(workspace["last_command"].is_null());
  EXPECT_EQ(workspace["reset_count"], 0);
  EXPECT_EQ(
      workspace["workspace_seed"],
      (Json{{"mode", "empty"}, {"seed_path", nullptr}, {"entry_count", 0}, {"bytes_written", 0}}));
  EXPECT_FALSE(workspace["execution_mode"].get<std::string>().empty());
  EXPECT_GT(workspace["expires_at"].get<double>(), workspace["created_at"].get<double>());
  EXPECT_EQ(workspace["service_count"], 0);
  EXPECT_EQ(workspace["running_service_count"], 0);
  EXPECT_EQ(workspace["ttl_seconds"], 600);
  EXPECT_EQ(workspace["network_enabled"], false);
  EXPECT_TRUE(workspace["guest_ip"].is_null());
}

TEST_P(ContractSandbox, ws_create__ttl) {
  const auto workspace = create({{"ttl_seconds", 1234}});
  EXPECT_EQ(workspace["ttl_seconds"], 1234);
  EXPECT_EQ(call("workspace_status", by_id(workspace["workspace_id"]))["ttl_seconds"], 1234);
}

} // namespace
} // namespace pyro::contract

// The fake itself: that it knows Firecracker's whole description and refuses what is not in it.
#include "../../support/firecracker/http_server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace pyro::testing::firecracker {
namespace {

std::string fault(const std::string& method, const std::string& path, const std::string& body) {
  MachineModel machine("test");
  const auto answer = machine.handle(method, path, body);
  return answer.status == 400 ? answer.body.at("fault_message").get<std::string>() : "none";
}

std::string first_violation(const std::string& definition, const std::string& value) {
  const auto found =
      ApiDescription::official().violations({{"$ref", "#/definitions/" + definition}}, Json::parse(value));
  return found.empty() ? "none" : found.front();
}

TEST(ApiDescription, EveryCallHasAPhase) {
  const auto ids = ApiDescription::official().operation_ids();
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  EXPECT_GT(ids.size(), 30u);
  for (const auto& id : ids) {
    EXPECT_TRUE(phase_of(id)) << id;
  }
}

TEST(ApiDescription, FindsCallsByTheirPaths) {
  const auto& api = ApiDescription::official();
  EXPECT_EQ(api.find("PUT", "/drives/root")->id, "putGuestDriveByID");
  EXPECT_EQ(api.find("PUT", "/drives/root")->path_values.at("drive_id"), "root");
  EXPECT_EQ(api.find("GET", "/")->id, "describeInstance");
  EXPECT_EQ(api.find("DELETE", "/actions")->id, "");
  EXPECT_FALSE(api.find("PUT", "/drives"));
  EXPECT_FALSE(api.find("PUT", "/drives/root/more"));
  EXPECT_FALSE(api.find("PUT", "/drives/"));
  EXPECT_EQ(api.find("PUT", "/snapshot/load")->body_required, true);
}

TEST(ApiDescription, EveryKindOfMistakeIsSeen) {
  EXPECT_EQ(first_violation("MachineConfiguration", R"({"vcpu_count": 2, "mem_size_mib": 128})"), "none");
  EXPECT_EQ(
      first_violation("MachineConfiguration", R"({"vcpu_count": 2})"),
      "/: lacks the required field 'mem_size_mib'");
  EXPECT_EQ(
      first_violation("MachineConfiguration", R"({"vcpu_count": 33, "mem_size_mib": 128})"),
      "/vcpu_count: 33 is not between 1 and 32");
  EXPECT_EQ(
      first_violation("MachineConfiguration", R"({"vcpu_count": 0, "mem_size_mib": 128})"),
      "/vcpu_count: 0 is not between 1 and 32");
  EXPECT_EQ(
      first_violation("MachineConfiguration", R"({"vcpu_count": "2", "mem_size_mib": 128})"),
      "/vcpu_count: is string, must be integer");
  EXPECT_EQ(
      first_violation("MachineConfiguration", R"({"vcpu_count": 2.5, "mem_size_mib": 128})"),
      "/vcpu_count: is number, must be integer");
  EXPECT_EQ(
      first_violation("MachineConfiguration", R"({"vcpu_count": 2, "mem_size_mib": 128, "ht": false})"),
      "/: has the unknown field 'ht'");
  EXPECT_EQ(
      first_violation(
          "MachineConfiguration", R"({"vcpu_count": 2, "mem_size_mib": 128, "huge_pages": "2M"})"),
      "none");
  EXPECT_NE(
      first_violation(
          "MachineConfiguration", R"({"vcpu_count": 2, "mem_size_mib": 128, "huge_pages": "1G"})"),
      "none");
  EXPECT_NE(
      first_violation(
          "MachineConfiguration", R"({"vcpu_count": 2, "mem_size_mib": 128, "cpu_template": "T3"})"),
      "none");
  EXPECT_EQ(first_violation("MachineConfiguration", "[]"), "/: is array, must be object");
  EXPECT_EQ(
      first_violation(
          "Drive",
          R"({"drive_id": "a", "is_root_device": false, "rate_limiter": {"ops": {"size": -1, "refill_time": 1}}})")
          .substr(0, 22),
      "/rate_limiter/ops/size");
  EXPECT_EQ(
      first_violation("Vsock", R"({"guest_cid": 2, "uds_path": "a"})").substr(0, 15), "/guest_cid: 2 i");
  EXPECT_EQ(
      first_violation("MmdsConfig", R"({"network_interfaces": ["a", 1]})"),
      "/network_interfaces/1: is integer, must be string");
  EXPECT_EQ(
      first_violation("MmdsConfig", R"({"network_interfaces": [], "ipv4_address": "169.254.7.8"})"), "none");
  EXPECT_NE(
      first_violation("MmdsConfig", R"({"network_interfaces": [], "ipv4_address": "10.0.0.1"})"), "none");
  EXPECT_EQ(
      first_violation("Metrics", R"({"metrics_path": "a", "properties": {"x": 1}})"),
      "/properties/x: is integer, must be string");
  EXPECT_NE(first_violation("MemoryHotplugConfig", R"({"total_size_mib": 99999999999999999999})"), "none");
  EXPECT_NE(first_violation("MemoryHotplugConfig", R"({"total_size_mib": 18446744073709551615})"), "none");
}

TEST(ApiDescription, AKeywordThatIsNotUnderstoodIsAnError) {
  EXPECT_THROW(
      ApiDescription::official().violations({{"type", "string"}, {"maxLength", 3}}, "long"),
      std::runtime_error);
}

TEST(FakeFirecracker, RefusesWhatIsNotDescribed) {
  EXPECT_EQ(fault("PUT", "/nothing", "{}"), "Invalid request method and/or path: PUT /nothing");
  EXPECT_EQ(fault("POST", "/actions", "{}"), "Invalid request method and/or path: POST /actions");
  EXPECT_EQ(fault("PUT", "/vsock", ""), "Empty PUT request.");
  EXPECT_EQ(fault("GET", "/version", "{}"), "GET request cannot have a body.");
  EXPECT_NE(fault("PUT", "/vsock", "{"), "none");
  EXPECT_NE(fault("PUT", "/actions", R"({"action_type": "InstanceStop"})"), "none");
}

TEST(FakeFirecracker, TakesHttpInPieces) {
  MachineModel machine("test");
  HttpConnection connection;
  const std::string body = R"({"vcpu_count": 1, "mem_size_mib": 64})";
  const auto text = fmt::format(
      "PUT /machine-config HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}GET /version HTTP/1.1\r\n\r\n",
      body.size(), body);
  std::string out;
  for (const char letter : text) {
    out += connection.feed({&letter, 1}, machine);
  }
  EXPECT_TRUE(out.starts_with("HTTP/1.1 204 No Content\r\n")) << out;
  EXPECT_NE(out.find("HTTP/1.1 200 OK\r\n"), std::string::npos) << out;
  EXPECT_NE(out.find(R"({"firecracker_version":"1.17.0-dev"})"), std::string::npos) << out;
  EXPECT_FALSE(connection.is_broken());
  connection.feed("PUT /machine-config HTTP/1.1\r\nContent-Length: 51201\r\n\r\n", machine);
  EXPECT_TRUE(connection.is_broken());
}

TEST(FakeFirecracker, ItsOwnAnswersAreAsDescribed) {
  MachineModel machine("test");
  const auto& api = ApiDescription::official();
  for (const auto* path : {"/", "/version", "/machine-config", "/vm/config"}) {
    const auto answer = machine.handle("GET", path, "");
    ASSERT_EQ(answer.status, 200) << path;
    EXPECT_EQ(api.violations(api.find("GET", path)->answers.at(200), answer.body), std::vector<std::string>{})
        << path;
  }
}

} // namespace
} // namespace pyro::testing::firecracker

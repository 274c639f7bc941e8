// Whole lives of machines against the fake Firecracker: every call is checked against the description and
// against what is allowed when.
#include "fake.hpp"

#include <pyro/os/fd.hpp>

#include <csignal>

namespace pyro::backend::firecracker {
namespace {

using Machine = WithFake;

TEST_F(Machine, IsConfiguredAndStarted) {
  EXPECT_EQ(client().state(), MachineState::not_started);
  EXPECT_EQ(client().version(), "1.17.0-dev");
  client().send_all(boot_requests(machine()));
  EXPECT_EQ(client().state(), MachineState::running);
  const auto config = client().send({"GET", "/vm/config", nullptr});
  EXPECT_EQ(config["machine-config"]["vcpu_count"], 2);
  EXPECT_EQ(config["drives"].size(), 2u);
  EXPECT_EQ(config["drives"][1]["is_read_only"], false);
}

TEST_F(Machine, IsConfiguredBeforeItStartsOnly) {
  const auto requests = boot_requests(machine());
  client().send_all(requests);
  for (const auto& request : requests) {
    EXPECT_NE(refusal(request).find("not supported after starting the microVM"), std::string::npos)
        << to_string(request);
  }
}

TEST_F(Machine, IsPausedAfterItStartedOnly) {
  EXPECT_NE(refusal(pause_request()).find("not supported before starting"), std::string::npos);
  EXPECT_NE(refusal(ctrl_alt_del_request()).find("not supported before starting"), std::string::npos);
  client().send_all(boot_requests(machine()));
  client().send(pause_request());
  EXPECT_EQ(client().state(), MachineState::paused);
  client().send(pause_request()); // again is fine
  client().send(resume_request());
  EXPECT_EQ(client().state(), MachineState::running);
}

TEST_F(Machine, IsSavedWhilePausedOnly) {
  const SnapshotFiles files{path("state"), path("memory")};
  const auto requests = save_requests(files, AfterSave::resume);
  EXPECT_NE(refusal(requests[1]).find("not supported before starting"), std::string::npos);
  client().send_all(boot_requests(machine()));
  EXPECT_EQ(
      refusal(requests[1]), "Firecracker refused PUT /snapshot/create: Create snapshot error: "
                            "save/restore unavailable while running");
  client().send_all(requests);
  EXPECT_EQ(client().state(), MachineState::running);
  EXPECT_EQ(std::filesystem::file_size(path("memory")), 64u << 20);
}

TEST_F(Machine, IsBroughtBackByAnotherProcess) {
  const SnapshotFiles files{path("state"), path("memory")};
  client().send_all(boot_requests(machine()));
  client().send_all(save_requests(files, AfterSave::stay_paused));
  EXPECT_EQ(client().state(), MachineState::paused);
  RestoreChanges changes;
  changes.vsock_socket_path = path("second.sock");
  const auto second = start_fake("second-api.sock");
  second.send_all(restore_requests(files, changes));
  EXPECT_EQ(second.state(), MachineState::running);
  EXPECT_TRUE(std::filesystem::exists(path("second.sock")));
  const auto config = second.send({"GET", "/vm/config", nullptr});
  EXPECT_EQ(config["vsock"]["uds_path"], path("second.sock"));
  EXPECT_EQ(config["machine-config"]["mem_size_mib"], 64);
}

TEST_F(Machine, WithoutAnotherSocketTheOldOneIsInTheWay) {
  const SnapshotFiles files{path("state"), path("memory")};
  client().send_all(boot_requests(machine()));
  client().send_all(save_requests(files, AfterSave::resume));
  const auto second = start_fake("second-api.sock");
  EXPECT_THROW(second.send_all(restore_requests(files, {})), Error);
  EXPECT_TRUE(process(1).wait().ok()) << "Firecracker ends when a snapshot cannot be loaded";
}

TEST_F(Machine, OnceConfiguredCannotBeLoaded) {
  const SnapshotFiles files{path("state"), path("memory")};
  client().send_all(boot_requests(machine()));
  client().send_all(save_requests(files, AfterSave::resume));
  const auto second = start_fake("second-api.sock");
  second.send(boot_requests(machine())[0]);
  try {
    second.send_all(restore_requests(files, {}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(
        error.message().find("not allowed after configuring boot-specific resources"), std::string::npos)
        << error.message();
  }
}

TEST_F(Machine, DamagedStateIsRefused) {
  const SnapshotFiles files{path("state"), path("memory")};
  client().send_all(boot_requests(machine()));
  client().send_all(save_requests(files, AfterSave::resume));
  std::filesystem::resize_file(path("memory"), 1 << 20);
  const auto second = start_fake("second-api.sock");
  EXPECT_THROW(second.send_all(restore_requests(files, {})), Error);
}

TEST_F(Machine, MissingFilesAreToldWithTheCall) {
  auto without = machine();
  without.drives[0].path = path("none");
  try {
    client().send_all(boot_requests(without));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed);
    EXPECT_TRUE(error.message().starts_with("Firecracker refused PUT /drives/layer0: ")) << error.message();
    EXPECT_NE(error.message().find(path("none")), std::string::npos);
  }
}

TEST_F(Machine, RequestsThatDoNotFitTheDescriptionAreRefused) {
  EXPECT_NE(
      refusal({"PUT", "/vsock", {{"guest_cid", 2}, {"uds_path", "x"}}}).find("/guest_cid"),
      std::string::npos);
  EXPECT_NE(refusal({"PUT", "/entropy", {{"rate", 1}}}).find("unknown field 'rate'"), std::string::npos);
  EXPECT_NE(refusal({"PUT", "/boot-source", Json::object()}).find("kernel_image_path"), std::string::npos);
  EXPECT_NE(
      refusal({"PUT", "/nowhere", Json::object()}).find("Invalid request method and/or path"),
      std::string::npos);
  EXPECT_NE(
      refusal({"PUT", "/actions", {{"action_type", "InstanceStart"}}}).find("without kernel"),
      std::string::npos);
}

TEST_F(Machine, PathsThatAreNoTextAreNotSent) {
  EXPECT_NE(
      refusal({"PUT", "/boot-source", {{"kernel_image_path", "/\xff"}}}).find("must be UTF-8"),
      std::string::npos);
}

TEST_F(Machine, CtrlAltDelEndsIt) {
  client().send_all(boot_requests(machine()));
  client().send(ctrl_alt_del_request());
  EXPECT_TRUE(process().wait().ok());
  EXPECT_FALSE(std::filesystem::exists(path("v.sock")));
}

TEST_F(Machine, NobodyListeningIsUnavailable) {
  process().signal(SIGKILL);
  process().wait();
  try {
    std::ignore = client().state();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
  }
  int asked = 0;
  EXPECT_THROW(client().await(std::chrono::milliseconds(30), [&] { ++asked; }), Error);
  EXPECT_GT(asked, 1);
}

TEST_F(Machine, AProcessThatHangsIsATimeout) {
  process().signal(SIGSTOP);
  try {
    std::ignore = ApiClient(path("api.sock"), std::chrono::milliseconds(100)).state();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::timeout) << error.what();
  }
  process().signal(SIGCONT);
}

} // namespace
} // namespace pyro::backend::firecracker

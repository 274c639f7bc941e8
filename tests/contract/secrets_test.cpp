// ws-secrets: delivered inside, usable there, and nowhere else to be seen.
#include "../support/leftovers.hpp"
#include "contract.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace pyro::contract {
namespace {

const std::string k_value = "s3cr3t-0f-the-contract";
const std::string k_other = "0ther-from-a-file";

/// Files below the base that hold the text, but for where secrets are kept.
/// Reads what there is, not the holes of a disk of many gigabytes.
bool holds(const fs::path& path, const std::string& text) {
  const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  off_t at = file ? ::lseek(file.get(), 0, SEEK_DATA) : -1;
  while (at >= 0) {
    const off_t end = ::lseek(file.get(), at, SEEK_HOLE);
    std::string bytes(static_cast<std::size_t>(end - at), '\0');
    if (::pread(file.get(), bytes.data(), bytes.size(), at) < 0 || bytes.find(text) != std::string::npos) {
      return bytes.find(text) != std::string::npos;
    }
    at = ::lseek(file.get(), end, SEEK_DATA);
  }
  return false;
}

std::vector<std::string> files_that_hold(const fs::path& base, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry :
       fs::recursive_directory_iterator(base, fs::directory_options::skip_permission_denied)) {
    if (entry.is_regular_file() && !entry.is_symlink() && entry.path().parent_path().filename() != "secrets"
        && ::access(entry.path().c_str(), R_OK) == 0 && holds(entry.path(), text)) {
      found.push_back(entry.path().string());
    }
  }
  return found;
}

class ContractSecrets : public ContractSandbox {
public:
  std::string with_secrets() {
    testing::write_file(root() / "other", k_other + "\n");
    const auto made = create(
        {{"secrets",
          {{{"name", "TOKEN"}, {"value", k_value}},
           {{"name", "other"}, {"file_path", (root() / "other").string()}}}}});
    EXPECT_EQ(made["secrets"], (Json{"TOKEN", "other"}));
    EXPECT_EQ(made.dump().find(k_value), std::string::npos);
    return made["workspace_id"];
  }

  /// Does the sandbox see the right values, whose text never comes out?
  void expect_delivered(const std::string& id) {
    const auto sum = exec(id, "cat /run/secrets/TOKEN | wc -c; cat /run/secrets/other | wc -c");
    EXPECT_EQ(sum["stdout"], fmt::format("{}\n{}\n", k_value.size(), k_other.size() + 1));
  }
};

TEST_P(ContractSecrets, ws_secrets) {
  const auto id = with_secrets();
  expect_delivered(id);
  const auto result = exec(
      id, "cat /run/secrets/TOKEN; echo; echo \"$API $other\" >&2; cat /run/secrets/other",
      {{"secret_env", {{"TOKEN", "API"}, {"other", ""}}}});
  EXPECT_EQ(result["stdout"], "[redacted:TOKEN]\n[redacted:other]\n");
  EXPECT_EQ(result["stderr"], "[redacted:TOKEN] [redacted:other]\n");
  EXPECT_EQ(output(id, "test -e /workspace/TOKEN || stat -f -c %T /run/secrets/TOKEN"), "tmpfs\n")
      << "in memory, outside of /workspace";
  EXPECT_EQ(exec(id, "echo ${API:-unset}")["stdout"], "unset\n") << "variables only where they are asked for";
}

TEST_P(ContractSecrets, ws_secrets__nowhere_else) {
  const auto id = with_secrets();
  // In a command, in pieces, and in an error.
  exec(id, "echo " + k_value);
  exec(id, "printf s3cr3t; sleep 0.2; printf '%s' -0f-the; sleep 0.2; echo -contract");
  fails(
      "workspace_exec", {{"workspace_id", id}, {"command", "true"}, {"secret_env", {{"none", ""}}}},
      ErrorCode::invalid_argument, "no secret 'none'");
  const auto logs = call("workspace_logs", by_id(id));
  EXPECT_EQ(logs["entries"][0]["command"], "echo [redacted:TOKEN]");
  EXPECT_EQ(logs["entries"][0]["stdout"], "[redacted:TOKEN]\n");
  EXPECT_EQ(logs["entries"][1]["stdout"], "[redacted:TOKEN]\n") << "split over several writes";
  EXPECT_EQ(call("workspace_status", by_id(id))["last_command"]["exit_code"], 0);
  for (const auto* operation : {"workspace_status", "workspace_summary", "workspace_list"}) {
    const auto parameters = std::string(operation) == "workspace_list" ? Json::object() : by_id(id);
    EXPECT_EQ(call(operation, parameters).dump().find(k_value), std::string::npos) << operation;
  }
  EXPECT_EQ(files_that_hold(base(), k_value), std::vector<std::string>{});
  EXPECT_EQ(files_that_hold(base(), k_other), std::vector<std::string>{});
  EXPECT_TRUE(testing::processes_naming(k_value).empty()) << "in an argument list";
  const auto kept = base() / "workspaces" / id / "secrets/TOKEN";
  EXPECT_EQ(testing::read_file(kept), k_value);
  EXPECT_EQ(fs::status(kept).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_P(ContractSecrets, ws_secrets__delivered_again) {
  const auto id = with_secrets();
  call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "point"}});
  output(id, "rm -f /run/secrets/*");
  call("workspace_reset", {{"workspace_id", id}, {"snapshot", "point"}});
  expect_delivered(id);
  call("workspace_stop", by_id(id));
  reopen();
  call("workspace_start", by_id(id));
  expect_delivered(id);
  EXPECT_EQ(files_that_hold(base() / "store", k_value), std::vector<std::string>{}) << "in a layer";
}

TEST_P(ContractSecrets, ws_secrets__refused) {
  const auto with = [this](const Json& secrets) {
    return Json{{"environment", environment()}, {"secrets", secrets}};
  };
  using List = Json::array_t;
  fails(
      "workspace_create", with(List{{{"name", "../x"}, {"value", k_value}}}), ErrorCode::invalid_argument,
      "must match");
  fails("workspace_create", with(List{{{"name", "A"}}}), ErrorCode::invalid_argument, "either a value or");
  fails(
      "workspace_create", with(List{{{"name", "A"}, {"file_path", (root() / "none").string()}}}),
      ErrorCode::invalid_argument, "there is no file");
  fails(
      "workspace_create", with(List{{{"name", "A"}, {"value", "1"}}, {{"name", "A"}, {"value", "2"}}}),
      ErrorCode::invalid_argument, "given twice");
  fails(
      "workspace_create", with(List{{{"name", "A"}, {"value", std::string(200'000, 'x')}}}),
      ErrorCode::invalid_argument, "larger than");
  EXPECT_EQ(call("workspace_list")["count"], 0);
}

INSTANTIATE_TEST_SUITE_P(On, ContractSecrets, ::testing::ValuesIn(sandboxes()), [](const auto& info) {
  return info.param;
});

} // namespace
} // namespace pyro::contract

// Named snapshots: taken of a running sandbox, listed, deleted.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::contract {
namespace {

Json take_snapshot(Contract& test, const std::string& id, const std::string& name) {
  return test.call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", name}})["snapshot"];
}

Json list(Contract& test, const std::string& id) {
  return test.call("snapshot_list", {{"workspace_id", id}});
}

void reset_to(Contract& test, const std::string& id, const std::string& snapshot) {
  test.call("workspace_reset", {{"workspace_id", id}, {"snapshot", snapshot}});
}

std::size_t layers(const Contract& test) {
  const fs::directory_iterator directory(test.base() / "store" / "layers");
  return static_cast<std::size_t>(std::distance(begin(directory), end(directory)));
}

TEST_P(ContractContent, snap_list) {
  const auto id = create_id();
  output(id, "printf 12345 > five");
  take_snapshot(*this, id, "zeta");
  take_snapshot(*this, id, "alpha");
  const auto all = list(*this, id);
  EXPECT_EQ(all["count"], 3);
  const auto& snapshots = all["snapshots"];
  ASSERT_EQ(snapshots.size(), 3U);
  const std::vector<std::string> names{"baseline", "zeta", "alpha"};
  for (std::size_t at = 0; at < names.size(); ++at) {
    EXPECT_EQ(snapshots[at]["snapshot_name"], names[at]) << "the baseline first, then in order of creation";
    EXPECT_EQ(snapshots[at]["kind"], at == 0 ? "baseline" : "named");
    EXPECT_EQ(snapshots[at]["digest"].get<std::string>().size(), 64U);
    EXPECT_GE(
        snapshots[at]["created_at"].get<double>(),
        at == 0 ? 1e9 : snapshots[at - 1]["created_at"].get<double>());
  }
  EXPECT_TRUE(snapshots[0]["parent"].is_null());
  EXPECT_EQ(snapshots[1]["parent"], "baseline");
  EXPECT_EQ(snapshots[1]["size_bytes"], 5);
  EXPECT_GE(snapshots[1]["entry_count"], 1);
  EXPECT_NE(snapshots[0]["digest"], snapshots[1]["digest"]);
}

TEST_P(ContractContent, snap_list__parent) {
  const auto id = create_id();
  output(id, "echo 1 > one");
  take_snapshot(*this, id, "one");
  reset_to(*this, id, "one");
  output(id, "echo 2 > two");
  const auto two = take_snapshot(*this, id, "two");
  EXPECT_EQ(two["parent"], "one") << "what the content was last reset to";
  EXPECT_EQ(two["size_bytes"], has_own_root() ? 2 : 4)
      << "only what it adds; a copied /workspace is one whole";
  call("snapshot_delete", {{"workspace_id", id}, {"snapshot_name", "one"}});
  EXPECT_EQ(list(*this, id)["snapshots"][1]["parent"], "baseline");
  reset_to(*this, id, "two");
  EXPECT_EQ(output(id, "cat one two"), "1\n2\n") << "what it stands on is still there";
}

TEST_P(ContractAnyImage, snap_create) {
  const auto id = create_id();
  output(id, "echo kept > file");
  take_snapshot(*this, id, "first");
  reopen(); // reported, so another process finds it
  EXPECT_EQ(list(*this, id)["count"], 2);
  output(id, "echo changed > file");
  reset_to(*this, id, "first");
  EXPECT_EQ(output(id, "cat file"), "kept\n");
}

TEST_P(ContractContent, snap_create__consistent) {
  const auto id = create_id();
  // b is never ahead of a, and never more than one behind, whenever both are looked at in the same moment.
  output(
      id, "cat > count.sh <<'END'\ni=0; while :; do i=$((i+1)); echo $i > a.t; mv a.t a; echo $i > b.t; mv "
          "b.t b; done\nEND\n"
          "echo 0 > a; echo 0 > b; setsid sh count.sh > /dev/null 2>&1 & sleep 0.2");
  for (const std::string name : {"one", "two", "three"}) {
    take_snapshot(*this, id, name);
  }
  EXPECT_EQ(output(id, "x=$(cat a); sleep 0.2; [ $(cat a) -gt $x ] && echo goes on"), "goes on\n");
  for (const std::string name : {"one", "two", "three"}) {
    reset_to(*this, id, name);
    const auto behind = output(id, "echo $(($(cat a) - $(cat b)))");
    EXPECT_TRUE(behind == "0\n" || behind == "1\n") << behind;
    EXPECT_NE(output(id, "cat a"), "0\n");
  }
}

TEST_P(ContractContent, snap_create__refused) {
  const auto id = create_id();
  take_snapshot(*this, id, "taken");
  fails(
      "snapshot_create", {{"workspace_id", id}, {"snapshot_name", "taken"}}, ErrorCode::already_exists,
      "exists already");
  for (const std::string name : {"baseline", "Upper", "", "-x", ".x", "../x", "a/b", "a b", "x\n", "ü"}) {
    fails(
        "snapshot_create", {{"workspace_id", id}, {"snapshot_name", name}}, ErrorCode::invalid_argument,
        "is no name for a snapshot");
  }
  fails(
      "snapshot_create", {{"workspace_id", id}, {"snapshot_name", std::string(65, 'a')}},
      ErrorCode::invalid_argument, "is no name for a snapshot");
  take_snapshot(*this, id, std::string(64, 'a'));
  call("workspace_stop", {{"workspace_id", id}});
  fails(
      "snapshot_create", {{"workspace_id", id}, {"snapshot_name", "other"}}, ErrorCode::bad_state,
      "must be in 'started' state");
  EXPECT_EQ(list(*this, id)["count"], 3);
}

TEST_P(ContractContent, snap_delete) {
  const auto id = create_id();
  output(id, "dd if=/dev/urandom of=big bs=1024 count=512 2> /dev/null");
  const auto before = layers(*this);
  take_snapshot(*this, id, "big");
  EXPECT_EQ(layers(*this), before + 1);
  const auto deleted = call("snapshot_delete", {{"workspace_id", id}, {"snapshot_name", "big"}});
  EXPECT_EQ(deleted["deleted"], true);
  EXPECT_GE(deleted["freed_bytes"], 512 * 1024);
  EXPECT_EQ(layers(*this), before) << "its space did not come back";
  EXPECT_EQ(list(*this, id)["count"], 1);
  fails(
      "snapshot_delete", {{"workspace_id", id}, {"snapshot_name", "big"}}, ErrorCode::invalid_argument,
      "does not exist");
  fails(
      "snapshot_delete", {{"workspace_id", id}, {"snapshot_name", "baseline"}}, ErrorCode::invalid_argument,
      "cannot delete the baseline snapshot");
  EXPECT_EQ(output(id, "wc -c < big"), "524288\n") << "the workspace goes on";
}

TEST_P(ContractContent, snap_delete__shared) {
  const auto id = create_id();
  output(id, "echo same > file");
  take_snapshot(*this, id, "one");
  take_snapshot(*this, id, "two");
  const auto before = layers(*this);
  EXPECT_EQ(call("snapshot_delete", {{"workspace_id", id}, {"snapshot_name", "one"}})["freed_bytes"], 0);
  EXPECT_EQ(layers(*this), before) << "the other snapshot has the same layer";
  output(id, "rm file");
  reset_to(*this, id, "two");
  EXPECT_EQ(output(id, "cat file"), "same\n");
  EXPECT_EQ(call("snapshot_delete", {{"workspace_id", id}, {"snapshot_name", "two"}})["freed_bytes"], 0);
  EXPECT_EQ(layers(*this), before) << "the workspace itself stands on it";
  EXPECT_EQ(output(id, "cat file"), "same\n");
}

TEST_P(ContractSandbox, snap_scope) {
  const auto id = create_id();
  output(
      id, "printf '#!/bin/sh\\necho installed\\n' > /usr/bin/tool; chmod +x /usr/bin/tool; "
          "echo conf > /etc/tool.conf; echo state > /var/lib/tool; echo work > here");
  take_snapshot(*this, id, "installed");
  output(id, "rm /usr/bin/tool /etc/tool.conf /var/lib/tool here");
  reset_to(*this, id, "installed");
  EXPECT_EQ(output(id, "tool; cat /etc/tool.conf /var/lib/tool here"), "installed\nconf\nstate\nwork\n");
  const auto diff = call("workspace_diff", {{"workspace_id", id}});
  ASSERT_EQ(diff["entries"].size(), 1U) << "the diff sees /workspace alone: " << diff["entries"].dump();
  EXPECT_EQ(diff["entries"][0]["path"], "here");
}

TEST_P(ContractContent, needs_baseline) {
  const auto id = create_id();
  output(id, "echo 1 > file");
  take_snapshot(*this, id, "named");
  const auto record = base() / "workspaces" / id / "baseline" / "baseline.json";
  const auto sound = testing::read_file(record);
  auto forged = Json::parse(sound);
  forged["layers"] = Json::array({std::string(64, 'a')});
  for (const std::string& damage :
       {std::string(), std::string("{"), std::string("[]"), sound.substr(0, sound.size() / 2),
        forged.dump()}) {
    fs::remove(record);
    if (!damage.empty()) {
      testing::write_file(record, damage);
    }
    reopen();
    const auto refused = [&](std::string_view operation, Json more) {
      more["workspace_id"] = id;
      fails(operation, more, ErrorCode::bad_state, "requires a baseline snapshot");
    };
    refused("workspace_diff", {});
    refused("workspace_reset", {});
    refused("workspace_reset", {{"snapshot", "named"}});
    refused("workspace_fork", {});
    refused("snapshot_create", {{"snapshot_name", "other"}});
    refused("snapshot_list", {});
    refused("snapshot_delete", {{"snapshot_name", "named"}});
    EXPECT_EQ(output(id, "cat file"), "1\n") << "nothing was done to it";
  }
  testing::write_file(record, sound);
  EXPECT_EQ(list(*this, id)["count"], 2);
  reset_to(*this, id, "named");
  EXPECT_EQ(output(id, "cat file"), "1\n");
}

} // namespace
} // namespace pyro::contract

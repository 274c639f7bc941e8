// Other workspaces with the same content, and workspaces that come to belong to a pyro.yaml.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::contract {
namespace {

std::vector<std::string> ids_of(Contract& test, const Json& forked) {
  std::vector<std::string> ids;
  for (const auto& made : forked["workspaces"]) {
    ids.push_back(made["workspace_id"].get<std::string>());
    test.call("workspace_status", {{"workspace_id", ids.back()}}); // the clean-up looks for what it left
  }
  return ids;
}

int count_of(Contract& test) {
  return test.call("workspace_list")["count"].get<int>();
}

TEST_P(ContractSandbox, fork) {
  testing::write_file(environment().substr(4) + "/etc/machine-id", "");
  const auto id = create_id(
      {{"name", "source"},
       {"labels", {{"team", "web"}}},
       {"seed_path", tree("seed", {{"seeded", "seed\n"}}).string()},
       {"secrets", Json::array({{{"name", "token"}, {"value", "s3cret"}}})}});
  output(id, "echo work > work; echo tool > /usr/bin/tool; setsid sleep 1234 > /dev/null 2>&1 & sleep 0.2");
  const auto forked = call("workspace_fork", {{"workspace_id", id}, {"count", 5}, {"name", "copy"}});
  EXPECT_EQ(forked["count"], 5);
  EXPECT_EQ(forked["failed"].size(), 0U);
  EXPECT_EQ(forked["source"]["workspace_id"], id);
  auto ids = ids_of(*this, forked);
  ASSERT_EQ(ids.size(), 5U);
  std::set<std::string> hosts{output(id, "hostname")};
  std::set<std::string> machines{output(id, "cat /etc/machine-id")};
  std::set<std::string> all{id};
  for (std::size_t at = 0; at < ids.size(); ++at) {
    EXPECT_EQ(output(ids[at], "cat seeded work /usr/bin/tool"), "seed\nwork\ntool\n");
    EXPECT_EQ(output(ids[at], "cat /run/secrets/token"), "[redacted:token]")
        << "it has the secret, which is not shown";
    EXPECT_EQ(output(ids[at], "ps | grep 'sleep 123[4]' | wc -l"), "0\n")
        << "content is forked, no processes";
    EXPECT_EQ(call("workspace_diff", {{"workspace_id", ids[at]}})["changed"], false) << "since it was made";
    hosts.insert(output(ids[at], "hostname"));
    machines.insert(output(ids[at], "cat /etc/machine-id"));
    all.insert(ids[at]);
    const auto status = call("workspace_status", {{"workspace_id", ids[at]}});
    EXPECT_EQ(status["name"], "copy-" + std::to_string(at + 1));
    EXPECT_EQ(status["labels"]["team"], "web");
    EXPECT_EQ(status["state"], "started");
    EXPECT_EQ(status["reset_count"], 0);
    EXPECT_EQ(status["checkout"], "");
    output(ids[at], "echo " + ids[at] + " > work");
  }
  EXPECT_EQ(all.size(), 6U);
  EXPECT_EQ(hosts.size(), 6U);
  EXPECT_EQ(machines.size(), 6U) << "machine ids";
  for (const auto& machine : machines) {
    EXPECT_EQ(machine.size(), 33U) << machine;
  }
  EXPECT_EQ(output(id, "cat work; ps | grep 'sleep 123[4]' | wc -l"), "work\n1\n") << "the source goes on";
  const auto machine = output(ids[0], "cat /etc/machine-id");
  call("workspace_reset", {{"workspace_id", ids[0]}});
  EXPECT_EQ(output(ids[0], "cat work /etc/machine-id"), "work\n" + machine) << "its baseline, its identity";
  call("workspace_delete", {{"workspace_id", id}});
  EXPECT_EQ(output(ids[1], "cat work"), ids[1] + "\n") << "forks need their source no more";
  call("workspace_reset", {{"workspace_id", ids[1]}});
  EXPECT_EQ(output(ids[1], "cat seeded work"), "seed\nwork\n");
}

TEST_P(ContractAnyImage, fork__snapshot) {
  const auto id = create_id();
  output(id, "echo then > file");
  call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "then"}});
  output(id, "echo now > file");
  const auto then = ids_of(*this, call("workspace_fork", {{"workspace_id", id}, {"snapshot", "then"}}));
  EXPECT_EQ(output(then.at(0), "cat file"), "then\n");
  fails(
      "workspace_fork", {{"workspace_id", id}, {"snapshot", "never"}}, ErrorCode::invalid_argument,
      "does not exist");
  call("workspace_stop", {{"workspace_id", id}});
  const auto now = ids_of(*this, call("workspace_fork", {{"workspace_id", id}, {"ttl_seconds", 3600}}));
  EXPECT_EQ(output(now.at(0), "cat file"), "now\n") << "of a stopped one";
  const auto status = call("workspace_status", {{"workspace_id", now.at(0)}});
  const auto life = status["expires_at"].get<double>() - status["created_at"].get<double>();
  EXPECT_NEAR(life, 3600, 60);
}

TEST_P(ContractContent, fork__refused) {
  const auto id = create_id({{"name", "source"}});
  create({{"name", "taken"}});
  const auto before = count_of(*this);
  const auto refused = [&](Json more, ErrorCode code, std::string_view fragment) {
    more["workspace_id"] = id;
    fails("workspace_fork", more, code, fragment);
    EXPECT_EQ(count_of(*this), before) << "something was made: " << more.dump();
  };
  refused({{"name", "taken"}}, ErrorCode::already_exists, "there is a workspace taken already");
  refused({{"names", {"a", "b", "a"}}}, ErrorCode::already_exists, "there is a workspace a already");
  refused({{"names", {"a", "b"}}, {"count", 3}}, ErrorCode::invalid_argument, "there are 2 names");
  refused({{"names", {"a", "b"}}, {"name", "c"}}, ErrorCode::invalid_argument, "either name or names");
  refused({{"name", "no good"}}, ErrorCode::invalid_argument, "cannot be a name");
  refused({{"count", 0}}, ErrorCode::invalid_argument, "count must be between");
  refused({{"count", 100'000}}, ErrorCode::invalid_argument, "count must be between");
  refused({{"ttl_seconds", 1}}, ErrorCode::invalid_argument, "ttl_seconds must be between");
  reopen();
  set_max_active(before + 2);
  refused({{"count", 3}}, ErrorCode::bad_state, "max active VMs reached");
}

TEST_P(ContractContent, fork__failure) {
  const auto id = create_id();
  output(id, "echo then > file");
  call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "then"}});
  const auto record = base() / "workspaces" / id / "snapshots" / "then.json";
  const auto layer = base() / "store" / "layers"
                     / Json::parse(testing::read_file(record))["layers"].back().get<std::string>();
  fs::rename(layer, root() / "aside");
  for (const int count : {1, 3}) {
    EXPECT_THROW(
        call("workspace_fork", {{"workspace_id", id}, {"snapshot", "then"}, {"count", count}}), Error);
    EXPECT_EQ(count_of(*this), 1) << "what could not be made was left behind";
    EXPECT_EQ(std::distance(fs::directory_iterator(base() / "workspaces"), {}), 1);
  }
  fs::rename(root() / "aside", layer);
  const auto ids = ids_of(*this, call("workspace_fork", {{"workspace_id", id}, {"snapshot", "then"}}));
  EXPECT_EQ(output(ids.at(0), "cat file"), "then\n");
}

TEST_P(ContractSandbox, adopt) {
  const auto project = tree(
      "project", {{"pyro.yaml", "version: 1\nname: shop\nenvironment: {image: \"" + environment()
                                    + "\"}\nseed: {from: files}\nisolation: sandbox\n"},
                  {"files/a.txt", "a\n"}});
  const Json here{{"directory", project.string()}};
  const auto id = create_id({{"name", "by-hand"}, {"seed_path", (project / "files").string()}});
  output(id, "echo mine > mine");
  const auto with = [&](Json more) {
    more.update(here);
    return more;
  };
  const auto workspace_action = [&] {
    const auto plan = call("plan", here);
    for (const auto& action : plan["plan"]["actions"]) {
      if (action["address"] == "workspace") {
        return action["action"].get<std::string>();
      }
    }
    return std::string("none");
  };
  EXPECT_EQ(workspace_action(), "create");

  const auto adopted = call("adopt", with({{"workspace_id", "by-hand"}}));
  EXPECT_EQ(adopted["workspace_id"], id);
  EXPECT_EQ(adopted["name"], "shop");
  EXPECT_EQ(adopted["previous_name"], "by-hand");
  EXPECT_EQ(call("status", here)["workspace_id"], id);
  EXPECT_NE(workspace_action(), "create") << call("plan", here)["text"].get<std::string>();
  EXPECT_EQ(output("shop", "cat a.txt mine"), "a\nmine\n") << "nothing in it changed";
  const auto other = create_id();
  fails("adopt", with({{"workspace_id", other}}), ErrorCode::already_exists, "has a workspace already");
  const auto second = tree(
      "second",
      {{"pyro.yaml", "version: 1\nname: second\nenvironment: {image: \"" + environment() + "\"}\n"}});
  fails("adopt", {{"workspace_id", id}, {"directory", second.string()}}, ErrorCode::bad_state, "belongs to");

  auto approved = here;
  approved["approve"] = true;
  EXPECT_EQ(call("apply", approved)["workspace_id"], id)
      << "the same workspace is brought to what the file says";
  EXPECT_EQ(call("plan", here)["changes"], false);

  const auto forgotten = call("forget", here);
  EXPECT_EQ(forgotten["workspace_id"], id);
  EXPECT_EQ(forgotten["changed"], true);
  EXPECT_EQ(workspace_action(), "create");
  EXPECT_EQ(output(id, "cat a.txt"), "a\n") << "it stays";
  EXPECT_EQ(call("workspace_status", {{"workspace_id", id}})["checkout"], "");
  EXPECT_EQ(call("forget", {{"workspace_id", id}})["changed"], false);
  EXPECT_EQ(call("adopt", {{"workspace_id", id}, {"directory", second.string()}})["name"], "second");
}

} // namespace
} // namespace pyro::contract

// What each field of pyro.yaml does: the file itself, variables, secrets, what is kept, reset, drift,
// network, life and mounts.
#include "fields.hpp"

namespace pyro::testing {
namespace {

TEST_F(Fields, root__version) {
  write_file(project() / "pyro.yaml", "version: 2\nenvironment: {image: dir:../busybox}\n");
  const auto result = run({"plan"});
  EXPECT_EQ(result.status, 65) << result;
  EXPECT_TRUE(contains(result.all(), "version")) << result;
}

TEST_F(Fields, root__name) {
  write_file(project() / "pyro.yaml", "version: 1\nname: other\nenvironment: {image: dir:../busybox}\n");
  expect_run(0, {"apply"});
  EXPECT_EQ(read({"status"}).at("name"), "other");
  EXPECT_EQ(see("hostname"), "other");
}

TEST_F(Fields, root__description) {
  up("description: where the prices are made\n");
  EXPECT_TRUE(contains(expect_run(0, {"status"}).out, "where the prices are made"));
  EXPECT_EQ(read({"status"}).at("description"), "where the prices are made");
  up("description: another\n");
  EXPECT_EQ(read({"status"}).at("description"), "another");
}

TEST_F(Fields, root__labels) {
  up("labels: {team: blue}\n");
  EXPECT_EQ(read({"status"}).at("labels").at("team"), "blue");
  EXPECT_EQ(read({"workspace", "list", "--label", "team=blue"}).at("count"), 1);
  EXPECT_EQ(read({"workspace", "list", "--label", "team=red"}).at("count"), 0);
}

TEST_F(Fields, root__isolation) {
  refused("isolation: vm\nbackend: namespaces\n", 65, "at least 'vm' is asked for");
}

TEST_F(Fields, root__backend) {
  file("", "isolation: host\nbackend: host\n");
  expect_run(0, {"apply", "--allow-host-compat"});
  EXPECT_EQ(read({"status"}).at("backend"), "host");
  expect_run(0, {"destroy", "--yes"});
  up("backend: namespaces\n");
  EXPECT_EQ(read({"status"}).at("backend"), "namespaces");
}

TEST_F(Fields, root__profiles) {
  up("description: plain\nprofiles:\n  ci: {description: of the profile}\n");
  EXPECT_EQ(read({"status"}).at("description"), "plain");
  expect_run(0, {"apply", "--profile", "ci"});
  EXPECT_EQ(read({"status"}).at("description"), "of the profile");
}

// --- vars

TEST_F(Fields, var__type) {
  file("", "vars: {n: {type: int, default: three}}\n");
  EXPECT_EQ(run({"plan"}).status, 65);
  file("", "vars: {n: {type: int, default: 3}}\nlabels: {n: \"${n}\"}\n");
  EXPECT_EQ(run({"config", "--var", "n=four"}).status, 65);
  EXPECT_TRUE(
      contains(expect_run(0, {"config", "--var", "n=4"}).out, "'4'")
      || contains(expect_run(0, {"config", "--var", "n=4"}).out, "\"4\""));
}

TEST_F(Fields, var__default) {
  up("vars: {who: {default: world}}\nprepare: [{run: \"echo hello ${who} > greeting\"}]\n");
  EXPECT_EQ(see("cat greeting"), "hello world");
}

TEST_F(Fields, var__env) {
  m_options.env["TEST_WHO"] = "reader";
  up("vars: {who: {default: world, env: TEST_WHO}}\nprepare: [{run: \"echo hello ${who} > greeting\"}]\n");
  EXPECT_EQ(see("cat greeting"), "hello reader");
}

TEST_F(Fields, var__description) {
  file("", "vars: {who: {description: whom it greets}}\nlabels: {who: \"${who}\"}\n");
  const auto result = run({"plan"});
  EXPECT_NE(result.status, 0) << "it has no value";
  EXPECT_TRUE(contains(result.all(), "whom it greets")) << result;
}

// --- secrets

TEST_F(Fields, secret__env) {
  m_options.env["TEST_TOKEN"] = "from-the-variable";
  up("secrets: {token: {env: TEST_TOKEN}}\nservices: {s: {command: rev /run/secrets/token > /tmp/got, "
     "oneshot: true, "
     "secrets: [token]}}\n");
  EXPECT_EQ(see("cat /tmp/got"), "elbairav-eht-morf");
}

TEST_F(Fields, secret__file) {
  write_file(root() / "token", "from-the-file");
  up("secrets: {token: {file: " + (root() / "token").string()
     + "}}\nservices: {s: {command: rev /run/secrets/token > /tmp/got, oneshot: true, secrets: "
       "[token]}}\n");
  EXPECT_EQ(see("cat /tmp/got"), "elif-eht-morf");
}

TEST_F(Fields, secret__command) {
  up("secrets: {token: {command: echo from-the-command}}\nservices: {s: {command: rev /run/secrets/token > "
     "/tmp/got, oneshot: true, secrets: [token]}}\n");
  EXPECT_EQ(see("cat /tmp/got"), "dnammoc-eht-morf");
}

TEST_F(Fields, secret__required) {
  file("", "secrets: {token: {env: TEST_NO_SUCH}}\nservices: {s: {command: sleep 1000, secrets: [token]}}\n");
  const auto refused = run({"apply"});
  EXPECT_NE(refused.status, 0);
  EXPECT_TRUE(contains(refused.all(), "TEST_NO_SUCH")) << refused;
  up("secrets: {token: {env: TEST_NO_SUCH, required: false}}\nservices: {s: {command: sleep 1000, secrets: "
     "[token]}}\n");
}

// --- what is kept

TEST_F(Fields, snapshot__at) {
  up("prepare: [{id: one, run: echo 1 > one}, {id: two, run: echo 2 > two}]\nsnapshots: {early: {at: "
     "prepare.one}}\n");
  expect_run(0, {"reset", "--yes", "--to", "early"});
  EXPECT_EQ(see("ls"), "one\nseeded.txt");
}

TEST_F(Fields, snapshot__memory) {
  refused(
      "services: {s: {command: sleep 1000}}\nsnapshots: {warm: {at: ready, memory: true}}\n", 10, "memory");
}

TEST_F(Fields, retention__keep) {
  for (const auto* what : {"1", "2", "3"}) {
    up(std::string("retention: {keep: 2, min_age: 1ms}\nprepare: [{id: step, run: echo ") + what
       + " > made}]\n");
  }
  const auto report = expect_run(0, {"prune", "--dry-run"}).all();
  EXPECT_TRUE(contains(report, "newer ones are kept for the same step")) << report;
}

TEST_F(Fields, retention__min_age) {
  for (const auto* what : {"1", "2", "3"}) {
    up(std::string("retention: {keep: 1, min_age: 1h}\nprepare: [{id: step, run: echo ") + what
       + " > made}]\n");
  }
  const auto report = expect_run(0, {"prune", "--dry-run"}).all();
  EXPECT_FALSE(contains(report, "newer ones are kept for the same step")) << report;
}

TEST_F(Fields, retention__max_size) {
  const auto recipes_that_go = [&](const std::string& size) {
    for (const auto* what : {"1", "2"}) {
      up("retention: {keep: 100, min_age: 1ms, max_size: " + size
         + "}\nprepare: [{id: step, run: \"head -c 1000000 /dev/urandom > made; : " + what + "\"}]\n");
    }
    std::size_t count = 0;
    const auto report = read({"prune", "--dry-run"});
    for (const auto& item : report.at("removed")) {
      count += item.at("kind") == "recipe" ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(recipes_that_go("1GiB"), 0U);
  EXPECT_GT(recipes_that_go("64KiB"), 0U);
}

TEST_F(Fields, reset__to) {
  up("prepare: [{id: one, run: echo 1 > one}]\nsnapshots: {early: {at: seed}, late: {at: prepare}}\nreset: "
     "{to: "
     "early}\n");
  expect_run(0, {"reset", "--yes"});
  EXPECT_EQ(see("ls"), "seeded.txt");
}

TEST_F(Fields, reset__undo) {
  up("reset: {undo: 6h}\n");
  expect_run(0, {"reset", "--yes"});
  const auto undo = read({"status"}).at("undo");
  EXPECT_DOUBLE_EQ(get_double(undo, "expires_at") - get_double(undo, "made_at"), 6 * 3600);
}

TEST_F(Fields, drift__report) {
  up("drift: {report: [/var]}\n");
  inside(" touch /workspace/here /var/there");
  const auto plan = expect_run(0, {"plan"}).all();
  EXPECT_TRUE(contains(plan, "there")) << plan;
  EXPECT_FALSE(contains(plan, "/workspace/here")) << plan;
}

TEST_F(Fields, drift__ignore) {
  up("drift: {ignore: ['*.noise']}\n");
  inside("touch a.noise b.signal");
  const auto plan = expect_run(0, {"plan"}).all();
  EXPECT_TRUE(contains(plan, "b.signal")) << plan;
  EXPECT_FALSE(contains(plan, "a.noise")) << plan;
}

TEST_F(Fields, drift__policy) {
  up("drift: {policy: fail}\n");
  inside("touch changed");
  const auto failed = run({"apply", "--yes"});
  EXPECT_NE(failed.status, 0) << failed;
  EXPECT_TRUE(contains(failed.all(), "changed")) << failed;
  up("drift: {policy: reset}\n");
  EXPECT_EQ(see("ls"), "seeded.txt");
}

TEST_F(Fields, network__egress) {
  const std::string interfaces = "grep -c : /proc/net/dev";
  up("network: {egress: none}\n");
  EXPECT_EQ(see(interfaces), "1");
  up("network: {egress: all}\n");
  EXPECT_EQ(see(interfaces), "2");
}

TEST_F(Fields, lifecycle__ttl) {
  up("lifecycle: {ttl: 2s}\n");
  EXPECT_TRUE(eventually([&] { return state_of_workspace() == "stopped"; }, 20));
}

TEST_F(Fields, lifecycle__idle) {
  up("lifecycle: {idle: 1s}\n");
  EXPECT_TRUE(eventually([&] { return processes_naming(state().string()).empty(); }, 20));
  EXPECT_EQ(state_of_workspace(), "stopped");
  EXPECT_TRUE(contains(read({"status"}).at("last_error").get<std::string>(), "nobody used it"));
}

TEST_F(Fields, lifecycle__on_idle) {
  up("lifecycle: {idle: 1s, on_idle: destroy}\n");
  EXPECT_TRUE(eventually([&] { return processes_naming(state().string()).empty(); }, 20));
  EXPECT_EQ(state_of_workspace(), "destroyed");
}

TEST_F(Fields, lifecycle__on_expire) {
  up("lifecycle: {ttl: 1s, on_expire: destroy}\n");
  EXPECT_TRUE(eventually([&] { return processes_naming(state().string()).empty(); }, 20));
  EXPECT_EQ(state_of_workspace(), "destroyed");
}

TEST_F(Fields, mount__from) {
  write_file(project() / "shown/file", "shown\n");
  up("backend: namespaces\nmounts: [{from: ./shown, to: /live}]\n");
  EXPECT_EQ(see("cat /live/file"), "shown");
  refused("mounts: [{from: ./nowhere, to: /live}]\n", 66, "does not exist");
}

TEST_F(Fields, mount__to) {
  refused("mounts: [{from: ., to: relative}]\n", 65, "mounts[0].to");
  refused("mounts: [{from: ., to: /workspace}]\n", 65, "hides /workspace");
}

TEST_F(Fields, mount__mode) {
  refused("mounts: [{from: ., to: /live, mode: rx}]\n", 65, "ro, rw");
  write_file(project() / "shown/file", "shown\n");
  up("backend: namespaces\nmounts: [{from: ./shown, to: /live}]\n");
  EXPECT_EQ(see("echo x > /live/x || echo refused"), "refused");
  EXPECT_FALSE(fs::exists(project() / "shown/x"));
  up("backend: namespaces\nmounts: [{from: ./shown, to: /live, mode: rw}]\n");
  EXPECT_EQ(see("echo x > /live/x && echo done"), "done");
  EXPECT_EQ(read_file(project() / "shown/x"), "x\n");
}

} // namespace
} // namespace pyro::testing

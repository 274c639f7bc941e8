// What an apply makes in sandboxes of its own (the steps of a snapshot, the ready point) is made while the
// services of the workspace are on their way up.
#include "flags.hpp"

namespace pyro::testing {
namespace {

class Apart : public Flags {
protected:
  /// A step that ends at once the first time, else waits for /shared/go; a service that, once the seed has
  /// `second`, waits for /tmp/go.
  void file_with(const std::string& sleep, const std::string& snapshots) {
    file(
        "prepare:\n  - id: slow\n    cache: [{path: /shared, share: machine}]\n"
        "    run: 'echo ran >> /shared/runs; test $(wc -l < /shared/runs) = 1 || until [ -e /shared/go ]; "
        "do\n"
        "        test ! -e /shared/fail || { echo of the step; exit 3; }; sleep 0.1; done'\n"
        "services:\n  web: {command: 'touch /tmp/began; test ! -e second || until [ -e /tmp/go ]; do sleep "
        "0.1; "
        "done; touch /tmp/up; exec sleep "
        + sleep + "', readiness: {file: /tmp/up, deadline: 10m}}\n" + snapshots);
    replace_in_file(project() / "pyro.yaml", "seed: {from: seed}", "seed: {from: seed, on_change: sync}");
  }

  fs::path shared() const { return cache_with("runs"); }

  /// Up to date but for the service, and for the step that a new snapshot needs.
  void prepare_two() {
    file_with("1000", "");
    expect(0, {"apply"}, m_trusting);
    write_file(project() / "seed/second", "second\n");
    ASSERT_EQ(inside("rm /tmp/began", m_trusting).status, 0);
    file_with("1001", "snapshots: {clean: {at: prepare}}\n");
    const auto plan = expect(0, {"plan"}, m_trusting).out;
    ASSERT_TRUE(contains(plan, "in a separate sandbox")) << plan;
  }

  /// All it says goes to a file.
  os::Child apply_into(const fs::path& said) {
    os::Command apply{
        .argv = {"/bin/sh", "-c", "exec \"$0\" apply > \"$1\" 2>&1", (bin / "pyro").string(), said.string()},
        .env = environment(m_trusting)};
    apply.cwd = project().string();
    return os::spawn(apply);
  }

  bool has_step_begun() { return contains(read_file(shared() / "runs"), "ran\nran\n"); }

  bool has_service_begun() {
    return pyro({"exec", "--", "test", "-e", "/tmp/began"}, m_trusting).status == 0;
  }

  const RunOptions m_trusting{.env = {{"PYRO_TRUST", "1"}}};
};

TEST_F(Apart, AStepOfASnapshotAndAServiceRunAtOnce) {
  prepare_two();
  auto apply = start({"apply", "-o", "jsonl"}, m_trusting);
  EXPECT_TRUE(eventually([&] { return has_step_begun(); })) << "the step waits for the service";
  EXPECT_TRUE(eventually([&] { return has_service_begun(); })) << "the service waits for the step";
  touch(shared() / "go");
  EXPECT_EQ(inside("touch /tmp/go", m_trusting).status, 0);
  EXPECT_EQ(apply.wait().shell_status(), 0);
  EXPECT_EQ(service_status("web", m_trusting)["state"], "ready");
  EXPECT_TRUE(contains(pyro({"snapshot", "ls"}, m_trusting).out, "clean"));
  EXPECT_EQ(pyro({"plan", "--detailed-exitcode"}, m_trusting).status, 0)
      << "everything that was planned is done";
}

TEST_F(Apart, WithOneAtATimeTheServiceComesFirst) {
  prepare_two();
  auto apply = start({"apply", "--parallel", "1"}, m_trusting);
  EXPECT_TRUE(eventually([&] { return has_service_begun(); }));
  EXPECT_FALSE(has_step_begun());
  EXPECT_EQ(inside("touch /tmp/go", m_trusting).status, 0);
  EXPECT_TRUE(eventually([&] { return has_step_begun(); }));
  touch(shared() / "go");
  EXPECT_EQ(apply.wait().shell_status(), 0);
}

TEST_F(Apart, WhatFailsThereIsToldAtItsPlace) {
  prepare_two();
  const auto said = root() / "said";
  auto apply = apply_into(said);
  EXPECT_TRUE(eventually([&] { return has_step_begun() && has_service_begun(); }));
  touch(shared() / "fail");
  EXPECT_EQ(inside("touch /tmp/go", m_trusting).status, 0);
  EXPECT_EQ(apply.wait().shell_status(), 3) << "the service was restarted";
  const auto text = read_file(said);
  EXPECT_TRUE(contains(text, "of the step") && contains(text, "pyro.yaml:8:5")) << text;
  EXPECT_EQ(service_status("web", m_trusting)["state"], "ready");
  EXPECT_TRUE(contains(expect(2, {"plan", "--detailed-exitcode"}, m_trusting).out, "prepare.slow"))
      << "it has a key";
}

TEST_F(Apart, WhoIsInterruptedEndsBoth) {
  prepare_two();
  auto apply = start({"apply"}, m_trusting);
  EXPECT_TRUE(eventually([&] { return has_step_begun() && has_service_begun(); }));
  apply.signal(SIGINT);
  EXPECT_EQ(apply.wait().shell_status(), 130);
}

} // namespace
} // namespace pyro::testing

#include "fake_sandboxes.hpp"

#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/workspace/sandbox/sandboxes.hpp>
#include <pyro/workspace/state/drift.hpp>

#include <cstdlib>
#include <unistd.h>

namespace pyro::workspace {

void FakeSandboxes::SetUp() {
  const char* chosen = std::getenv("PYRO_TEST_DIR");
  auto pattern = std::string(chosen != nullptr && *chosen != '\0' ? chosen : "/tmp") + "/pyro-fake-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  m_root = pattern;
  testing::write_file(m_root / "project/image/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
  testing::write_file(m_root / "project/image/var/log/.keep", "");
  testing::write_file(files() / "a.txt", "one\n");
  Settings settings;
  settings.base = (m_root / "home").string();
  settings.cache = (m_root / "cache").string();
  settings.agent_path = "/bin/true";
  settings.backends = {backend::fake::make_backend(controls)};
  settings.trust = TrustGrant::once;
  context.emplace(settings, EventSink());
  context->base.prepare();
  spec();
}

void FakeSandboxes::TearDown() {
  if (!context) {
    return;
  }
  for (const auto& id : context->records.ids()) {
    kill_sandbox(store::WorkspacePaths(context->base, id).runtime());
  }
  // What cleans up in the background may still be at it.
  EXPECT_TRUE(testing::eventually([&] {
    try {
      os::IdSpace::current().run([&]() -> Json {
        os::remove_tree(m_root.string());
        return nullptr;
      });
    } catch (const Error&) {
      return false;
    }
    return !fs::exists(m_root);
  })) << m_root;
}

void FakeSandboxes::spec(const std::string& body) const {
  testing::write_file(
      m_root / "project/pyro.yaml",
      "version: 1\nname: test\nisolation: sandbox\nseed: {from: files}\nenvironment:\n  image: dir:./image\n"
          + body);
}

LoadedProject FakeSandboxes::project() {
  return load_project(*context, {.directory = (m_root / "project").string()});
}

Applied FakeSandboxes::apply() {
  return apply_project(*context, project(), {.approve_all = true}, false);
}

void FakeSandboxes::apply_fails(ErrorCode code) {
  try {
    apply();
    ADD_FAILURE() << "the apply went through";
  } catch (const Error& error) {
    EXPECT_EQ(name_of(error.code()), name_of(code)) << error.what();
  }
}

store::WorkspaceRecord FakeSandboxes::record() {
  const auto ids = context->records.ids();
  EXPECT_EQ(ids.size(), 1U);
  return context->records.load(ids.at(0));
}

store::WorkspacePaths FakeSandboxes::paths() {
  return {context->base, context->records.ids().at(0)};
}

LockedWorkspace FakeSandboxes::locked() {
  return lock_workspace(*context, record().id, "a test");
}

void FakeSandboxes::write_inside(const std::string& path, const std::string& text) {
  const auto file = paths().generation(record().generation) + "/root/upper" + path;
  os::IdSpace::current().run([&]() -> Json {
    testing::write_file(file, text);
    return nullptr;
  });
}

std::string FakeSandboxes::inside(const std::string& path) {
  const auto stack = current_stack(*context, paths(), record());
  return os::IdSpace::current()
      .run([&]() -> Json {
        std::string text;
        for (const auto& tree : stack.trees) { // upper ones last
          const fs::path file = tree.path + path;
          text = fs::exists(file) ? testing::read_file(file) : text;
        }
        return text;
      })
      .get<std::string>();
}

std::vector<std::string> FakeSandboxes::planned() {
  auto loaded = project();
  auto resolved = resolve_inputs(*context, loaded, Build::yes);
  const auto ids = context->records.ids();
  const auto now = ids.empty() ? std::nullopt : std::optional(record());
  auto secrets = secrets_of(*context, loaded, now ? now->id : "");
  const auto made = make_planned(
      *context, loaded, resolved, secrets, now ? &*now : nullptr, {backend_for(*context, loaded, {})});
  std::vector<std::string> actions;
  for (const auto& action : made.plan.actions) {
    if (action.kind != plan::ActionKind::noop && action.kind != plan::ActionKind::cached) {
      actions.push_back(std::string(plan::name_of(action.kind)) + " " + action.address);
    }
  }
  return actions;
}

bool FakeSandboxes::is_running(const std::optional<os::ProcessId>& process) {
  return process && os::is_alive(*process);
}

} // namespace pyro::workspace

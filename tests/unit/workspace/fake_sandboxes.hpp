// A project and its workspace on the fake backend: everything of an apply but what runs inside a sandbox.
#pragma once

#include "../../support/files.hpp"

#include <pyro/backend/fake/fake_backend.hpp>
#include <pyro/workspace/apply/apply_project.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

namespace fs = std::filesystem;

class FakeSandboxes : public ::testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;

  /// pyro.yaml with this below its version, name, environment and seed (the directory `files`).
  void spec(const std::string& body = "") const;
  LoadedProject project();
  /// Everything is approved.
  Applied apply();
  /// The same, which must fail with this code.
  void apply_fails(ErrorCode code);
  /// The one workspace's, as it is on disk.
  store::WorkspaceRecord record();
  store::WorkspacePaths paths();
  LockedWorkspace locked();
  /// Writes as a program in the sandbox would.
  void write_inside(const std::string& path, const std::string& text);
  /// Of a file in the workspace's content; empty: there is none.
  std::string inside(const std::string& path);
  /// What the plan says of a project, beside what stays as it is: "reset workspace", …
  std::vector<std::string> planned();
  static bool is_running(const std::optional<os::ProcessId>& process);

  fs::path root() const { return m_root; }

  fs::path files() const { return m_root / "project/files"; }

  std::shared_ptr<backend::fake::Controls> controls = std::make_shared<backend::fake::Controls>();
  std::optional<Context> context;

private:
  fs::path m_root;
};

} // namespace pyro::workspace

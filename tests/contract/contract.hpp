// One suite for the operations' contract, run on every backend: a test is a row, named like it (`ws_create`
// for the row ws-create, `ws_create__labels` where a row needs several). It talks to the operation table in
// this process, so what holds here holds for every front. A backend that a row cannot mean anything for is
// left out where the row's fixture is instantiated, never skipped inside a test.
#pragma once

#include "../support/files.hpp"

#include <pyro/backend/fake/fake_backend.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/operations/engine.hpp>

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace pyro::contract {

namespace fs = std::filesystem;

/// The parameter is the backend's name; "host_image": the backend "host" on the environment "host", otherwise
/// the suite's small one.
class Contract : public ::testing::TestWithParam<std::string> {
public:
  /// An operation of the table; what it throws fails the test.
  Json call(std::string_view operation, Json parameters = Json::object());
  /// It must fail with this code and `fragment` in its message or hint.
  void fails(std::string_view operation, Json parameters, ErrorCode code, std::string_view fragment);

  /// workspace_create on the suite's small environment (busybox), with `more` on top; noted for the clean-up.
  Json create(Json more = Json::object());
  /// vm_create on the same environment.
  Json create_vm(Json more = Json::object());
  /// The same, and just the id.
  std::string create_id(Json more = Json::object());
  /// workspace_exec of a shell script.
  Json exec(const std::string& id, const std::string& script, Json more = Json::object());
  /// The script's standard output; the test fails where it does not exit with 0.
  std::string output(const std::string& id, const std::string& script);

  /// "dir:…", made at the first call.
  std::string environment();
  /// A directory below root() with these files.
  fs::path tree(const std::string& name, const std::map<std::string, std::string>& files);

  /// Lets go of the engine: the next call is that of a process that knows nothing but the files.
  void reopen();
  operations::Engine& engine();
  operations::Settings settings() const;

  std::string backend() const { return GetParam() == "host_image" ? "host" : GetParam(); }

  /// Else commands see this machine's: tests write nothing outside of /workspace then.
  bool has_own_root() const { return backend() != "host"; }

  /// Starts that fail on demand; only for the backend "fake".
  backend::fake::Controls& controls() { return *m_controls; }

  /// This machine has no kernel for virtual machines, in engines opened from now on.
  void forget_guest_kernel() { m_has_guest_kernel = false; }

  /// The most that may be active at once, of engines opened from now on.
  void set_max_active(int most) { m_max_active = most; }

  fs::path root() const { return m_root; }

  fs::path base() const { return m_root / "home"; }

protected:
  void SetUp() override;
  void TearDown() override;

private:
  fs::path m_root;
  std::string m_environment;
  std::unique_ptr<operations::Engine> m_engine;
  std::set<std::string> m_ids;
  std::shared_ptr<backend::fake::Controls> m_controls = std::make_shared<backend::fake::Controls>();
  int m_max_active = 0;
  bool m_has_guest_kernel = true;
};

/// Rows about records, limits and states alone (Contract itself): every backend, the fake included.
/// Rows that need a real sandbox.
class ContractSandbox : public Contract {};

/// Rows that run commands and hold without isolation as well: also the backend "host".
class ContractCommands : public Contract {};

/// Rows about the content of /workspace, which hold without isolation as well.
class ContractContent : public Contract {};

/// Those of them that are also run on the environment "host" without isolation: few, since it takes long to
/// make.
class ContractAnyImage : public Contract {};

/// Rows about failures that only the fake makes on demand.
class ContractFake : public Contract {};

/// What is different without isolation.
class ContractHost : public Contract {};

/// The parameters that name a workspace.
Json by_id(const std::string& id);

std::vector<std::string> sandboxes();
std::vector<std::string> that_run_commands();
std::vector<std::string> that_have_any_image();
std::vector<std::string> all_backends();

} // namespace pyro::contract

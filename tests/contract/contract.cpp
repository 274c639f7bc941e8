#include "contract.hpp"

#include "../support/busybox.hpp"
#include "../support/guest_directory.hpp"
#include "../support/leftovers.hpp"
#include "../support/subordinate_ids.hpp"

#include <pyro/backend/firecracker/firecracker_backend.hpp>
#include <pyro/backend/host/host_backend.hpp>
#include <pyro/backend/namespaces/namespaces_backend.hpp>
#include <pyro/backend/qemu/qemu_backend.hpp>
#include <pyro/base/json_access.hpp>

#include <cstdlib>

namespace pyro::contract {

namespace {

fs::path programs() {
  return testing::binary_dir() / "bin";
}

std::string directory_for_tests() {
  const char* chosen = std::getenv("PYRO_TEST_DIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/tmp";
}

std::shared_ptr<const backend::Backend>
make_backend(const std::string& name, const std::shared_ptr<backend::fake::Controls>& controls) {
  if (name == "namespaces") {
    return backend::namespaces::make_backend(
        (programs() / "pyro-supervisor").string(), directory_for_tests());
  }
  if (name == "host") {
    return backend::host::make_backend((programs() / "pyro-supervisor").string());
  }
  if (name == "qemu") {
    return backend::qemu::make_backend(
        (programs() / "pyro-supervisor").string(), (testing::guest_directory() / "templates").string());
  }
  if (name == "firecracker") {
    return backend::firecracker::make_backend(
        (programs() / "pyro-supervisor-firecracker").string(),
        (testing::guest_directory() / "templates").string());
  }
  if (name == "fake") {
    return backend::fake::make_backend(controls);
  }
  throw std::runtime_error("the contract suite does not know the backend " + name);
}

/// On a machine that can run it, somebody has to say so (docs/backends.md).
std::vector<std::string> with_firecracker(std::vector<std::string> names) {
  if (std::getenv("PYRO_TEST_FIRECRACKER") != nullptr) {
    names.emplace_back("firecracker");
  }
  return names;
}

bool is_machine(const std::string& backend) {
  return backend == "qemu" || backend == "firecracker";
}

} // namespace

Json by_id(const std::string& id) {
  return {{"workspace_id", id}};
}

std::vector<std::string> sandboxes() {
  return with_firecracker({"namespaces", "qemu"});
}

std::vector<std::string> that_run_commands() {
  return with_firecracker({"namespaces", "qemu", "host"});
}

std::vector<std::string> that_have_any_image() {
  return with_firecracker({"namespaces", "qemu", "host", "host_image"});
}

std::vector<std::string> all_backends() {
  return with_firecracker({"namespaces", "qemu", "host", "fake"});
}

void Contract::SetUp() {
  auto pattern = directory_for_tests() + "/pyro-contract-XXXXXX"; // short: it holds sockets
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  m_root = pattern;
  if (is_machine(backend())) { // the kernel is fetched once, and a guest boots once for all tests
    ::setenv("PYRO_TEMPLATES", (testing::guest_directory() / "templates").c_str(), 1);
  }
}

void Contract::TearDown() {
  if (m_root.empty()) {
    return;
  }
  const auto all_workspaces = call("workspace_list");
  for (const auto& entry : all_workspaces["workspaces"]) {
    call("workspace_delete", {{"workspace_id", entry["workspace_id"]}});
  }
  const auto all_vms = call("vm_list");
  for (const auto& entry : all_vms["vms"]) {
    call("vm_delete", {{"vm_id", entry["vm_id"]}});
  }
  m_engine.reset();
  std::vector<std::string> left;
  testing::eventually([&] { return (left = testing::leftovers(base().string(), m_ids)).empty(); });
  for (const auto& line : left) {
    ADD_FAILURE() << "left behind: " << line;
  }
  testing::remove_with_subordinate_ids(m_root.string());
}

operations::Settings Contract::settings() const {
  operations::Settings settings;
  settings.base = base().string();
  settings.cache =
      (is_machine(backend()) && m_has_guest_kernel ? testing::guest_directory() / "cache" : m_root / "cache")
          .string();
  settings.agent_path = (programs() / "pyro-agent").string();
  settings.gateway_path = (programs() / "pyro-gateway").string();
  settings.backends = {make_backend(backend(), m_controls)};
  settings.max_active = m_max_active;
  settings.trust = operations::TrustGrant::once; // projects here stand on an environment outside of them
  return settings;
}

operations::Engine& Contract::engine() {
  if (!m_engine) {
    m_engine = operations::make_engine(settings(), {});
  }
  return *m_engine;
}

void Contract::reopen() {
  m_engine.reset();
}

Json Contract::call(std::string_view operation, Json parameters) {
  auto answer = engine().call(operation, parameters);
  for (const auto* key : {"workspace_id", "vm_id"}) {
    if (answer.is_object() && answer.contains(key) && answer[key].is_string()) {
      m_ids.insert(answer[key].get<std::string>());
    }
  }
  return answer;
}

void Contract::fails(std::string_view operation, Json parameters, ErrorCode code, std::string_view fragment) {
  try {
    const auto answer = call(operation, parameters);
    ADD_FAILURE() << operation << " " << parameters.dump() << " should fail with '" << fragment
                  << "', returned " << answer.dump();
  } catch (const Error& error) {
    EXPECT_EQ(name_of(error.code()), name_of(code)) << operation << ": " << error.what();
    const auto said = std::string(error.what()) + "\n" + error.hint();
    EXPECT_NE(said.find(fragment), std::string::npos) << operation << " says: " << said;
  }
}

std::string Contract::environment() {
  if (GetParam() == "host_image") {
    return "host";
  }
  if (m_environment.empty()) {
    const auto busybox = m_root / "busybox";
    testing::make_busybox_root(busybox);
    m_environment = "dir:" + busybox.string();
  }
  return m_environment;
}

Json Contract::create(Json more) {
  more.emplace("environment", environment());
  if (backend() == "host") {
    more.emplace("allow_host_compat", true);
  }
  return call("workspace_create", more);
}

Json Contract::create_vm(Json more) {
  more.emplace("environment", environment());
  if (backend() == "host") {
    more.emplace("allow_host_compat", true);
  }
  return call("vm_create", more);
}

std::string Contract::create_id(Json more) {
  return create(std::move(more))["workspace_id"].get<std::string>();
}

Json Contract::exec(const std::string& id, const std::string& script, Json more) {
  more["workspace_id"] = id;
  more["command"] = script;
  return call("workspace_exec", more);
}

std::string Contract::output(const std::string& id, const std::string& script) {
  const auto result = exec(id, script);
  EXPECT_EQ(result["exit_code"], 0) << script << ": " << result.dump(2);
  return result["stdout"].get<std::string>();
}

fs::path Contract::tree(const std::string& name, const std::map<std::string, std::string>& files) {
  const auto directory = m_root / name;
  fs::create_directories(directory);
  for (const auto& [path, text] : files) {
    testing::write_file(directory / path, text);
  }
  return directory;
}

} // namespace pyro::contract

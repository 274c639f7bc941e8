// A program that uses libpyro, as the fixture of its tests.
#pragma once

#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/capi/c_header.hpp>

#include <atomic>
#include <functional>
#include <memory>

namespace pyro::testing {

struct Answer {
  int status = -1;
  Json document;

  std::string code() const { return document.value("code", ""); }
};

std::ostream& operator<<(std::ostream& out, const Answer& answer);

using Opened = std::unique_ptr<pyro_library, decltype(&pyro_close)>;
using OnEvent = std::function<void(const Json& event)>;

/// What pyro_open() says where it fails.
Answer refused_open(const Json& options);
Answer call(
    pyro_library* library, const std::string& operation, const Json& parameters = Json::object(),
    const OnEvent& on_event = {}, pyro_cancel* cancel = nullptr);
/// Its result; fails the test where there is none.
Json ok(
    pyro_library* library, const std::string& operation, const Json& parameters = Json::object(),
    const OnEvent& on_event = {});

/// Who was started by this process.
std::vector<pid_t> children_of(pid_t parent);

/// project() has a small system and a pyro.yaml, and is the working directory.
class CApi : public Functional {
protected:
  void SetUp() override;
  void TearDown() override;

  /// On the test's state directory.
  Opened open(Json options = Json::object()) const;

  void file(const std::string& body = "");

  /// A command line for `exec`: a shell with that script.
  static Json shell(const std::string& script) { return {{"argv", {"sh", "-c", script}}}; }

private:
  fs::path m_before;
};

} // namespace pyro::testing

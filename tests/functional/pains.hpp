// What users of such tools suffer from most, by their own reports (docs/pains.md), and what pyro does
// instead: a test each, named after it.
#pragma once

#include "../support/busybox.hpp"
#include "../support/home.hpp"

namespace pyro::testing {

/// The project's environment is a busybox below ./image, its seed ./src.
class Pains : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      make_busybox_root(project() / "image");
      write_file(project() / "src/a.txt", "one\n");
    }
  }

  /// Writes the file: `body` below version, environment and seed.
  void declare(const std::string& body, const std::string& name = "pains") {
    declare_in(project(), body, name);
  }

  static void
  declare_in(const fs::path& directory, const std::string& body, const std::string& name = "pains") {
    write_file(
        directory / "pyro.yaml",
        "version: 1\nname: " + name + "\nenvironment: {image: 'dir:./image'}\nseed: {from: src}\n" + body);
  }

  /// "ACTION REASON" of an address in the plan of now; empty: it is not in it.
  std::string planned(const std::string& address) {
    const auto plan = json({"plan"});
    for (const auto& action : plan["plan"]["actions"]) {
      if (action.value("address", "") == address) {
        return action.value("action", "") + " " + action["reason"].value("code", "");
      }
    }
    return "";
  }

  /// No action at all?
  bool plans_nothing() { return !json({"plan"}).value("changes", true); }

  Json service(const std::string& name) {
    const auto status = json({"status"});
    for (const auto& one : status["services"]) {
      if (one.value("name", "") == name) {
        return one;
      }
    }
    ADD_FAILURE() << "there is no service " << name;
    return Json::object();
  }
};

} // namespace pyro::testing

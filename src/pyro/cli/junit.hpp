// --output junit of validate, apply, up and verify: what was checked or done as test cases, for the test
// reports of CI.
#pragma once

#include "progress.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace pyro::cli {

/// The one case of a file, or one for each of its problems.
std::string junit_of_validation(const Json& validation);

/// A case for each step that was built twice: it fails where the builds differ.
std::string junit_of_verification(const Json& found);

/// What happens during an apply, kept until its report is written.
class JunitProgress : public Progress {
public:
  void handle(const operations::Event& event) override;

  /// A suite named like the workspace: a case for each action of the plan, for each service and for drift.
  std::string report(const Json& applied) const;
  /// The same where it failed: what had begun, the failure, and what was not reached.
  std::string report(const Error& failure) const;

private:
  struct Seen {
    std::int64_t duration_ms = 0;
    std::string failure;
    bool has_begun = false;
    bool has_ended = false;
    std::deque<std::string> log; // its last lines
  };

  std::string document(const std::string& suite, const Json& services, const Error* failure) const;

  mutable std::mutex m_mutex;
  Json m_plan = Json::object();       // stays empty where there is nothing to do
  std::map<std::string, Seen> m_seen; // by address
};

} // namespace pyro::cli

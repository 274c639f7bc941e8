#include "agreement.hpp"

#include <pyro/base/error.hpp>

#include <sstream>
#include <vector>

namespace pyro::workspace {

namespace {

/// The first line is the message, what is below it stands below it.
Error refusal(const std::string& loss) {
  std::istringstream lines(loss);
  std::string message;
  std::getline(lines, message);
  std::vector<std::string> rest;
  for (std::string line; std::getline(lines, line);) {
    rest.push_back(line);
  }
  Error error(ErrorCode::approval_needed, "{}", message);
  error.with_output(std::move(rest));
  return error.with_hint("run it again with --yes");
}

} // namespace

void require_agreement(const std::string& loss, const ApplyOptions& options) {
  if (loss.empty() || options.approve_all) {
    return;
  }
  if (!options.ask) {
    throw refusal(loss);
  }
  if (!options.ask(loss)) {
    throw Error(ErrorCode::approval_needed, "not approved: nothing was done");
  }
}

} // namespace pyro::workspace

// Tools that build environments and take their time: their output line by line in the caller's thread, and an
// end to them when the caller is interrupted.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/process.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pyro::environment {

using LineSink = std::function<void(const std::string&)>;

/// The path of a program. Error(unavailable) that names the package where it is not installed; `purpose`:
/// "building a Debian environment".
std::string required_program(const std::string& name, const std::string& package, const std::string& purpose);

/// Only what a build needs of our variables: a path, proxies, and fixed times.
std::map<std::string, std::string> tool_variables(const std::string& scratch);

struct Followed {
  Json result; // what the work returned
  std::vector<std::string> last_lines;
};

/// Runs `work` in another thread. What is written to its `output` comes to `line` in this one. When the
/// caller is interrupted `stop` becomes readable, and once the work has ended Error(interrupted) is thrown.
Followed follow_work(const std::function<Json(int output, int stop)>& work, const LineSink& line);

/// Runs the command in a session of its own; when `stop` becomes readable all of it is ended.
os::Outcome run_until_asked_to_stop(os::Command command, int stop);

/// Both of the above for one command. Error(failed) with its last lines where it does not exit with 0.
void run_tool(os::Command command, const LineSink& line);

} // namespace pyro::environment

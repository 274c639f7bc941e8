// The operation table: every thing pyro can do, once, for all fronts (command line, MCP, C API). A front
// looks an operation up by name and calls it with JSON; call() checks the parameters first. For streams (a
// terminal, a followed log) see engine.hpp.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/workspace/context/requests.hpp>
#include <pyro/workspace/context/settings.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {
struct Context;
}

namespace pyro::operations {

/// What a handler has at hand.
struct Context {
  workspace::Context& workspaces;
  /// Asked before something is lost, with the plan as text. Absent: Error(approval_needed) instead.
  std::function<bool(const std::string& text)> ask;
  /// Polled during waits. Absent: never.
  std::function<bool()> interrupted;
  /// Are texts in results (plans) coloured?
  bool color = false;
  /// Told what commands write, as it is written, from any thread. Absent: nobody wants to know.
  std::function<void(const workspace::Event&)> output = {};
};

/// The hints are MCP's: `destructive` may lose something, `idempotent` is free of effect the second time.
struct Operation {
  std::string name;
  std::string summary;
  Json parameters_schema;
  Json result_schema;
  bool read_only = false;
  bool destructive = false;
  bool idempotent = false;
  bool time_limit = false; // its parameter `timeout` is for all of it: then Error(timeout)
  std::function<Json(Context&, const Json&)> run;
};

/// All of them; built at the first call.
const std::vector<Operation>& operations();

/// Their names in the same order; builds nothing.
std::vector<std::string> operation_names();

/// Builds only the group it is in. Throws Error(invalid_argument) with the nearest name.
const Operation& find_operation(std::string_view name);

/// Checks the parameters (null counts as {}) and runs.
Json call(Context& context, std::string_view name, const Json& parameters);

/// What schemas/operations/operations.json holds: {"operations": {name: {summary, parameters, result, …}}}.
Json operations_document();

} // namespace pyro::operations

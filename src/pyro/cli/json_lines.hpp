// --output jsonl: what happens and what comes of it as lines of JSON. Each line has type, ts, op_id (of one
// run of the program) and address ("" for the whole); docs/ci.md lists the types.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>
#include <string_view>

namespace pyro::cli {

/// Of this run of the program; `pyro events` knows it by the same.
const std::string& op_id();

/// A document on a line: what bytes it holds that a terminal would obey are escaped, what is no UTF-8 is
/// replaced.
std::string json_line(const Json& document);

/// One line of a type, with the fields of it.
std::string json_line(std::string_view type, Json fields);

/// The first line: which pyro, which version of this format.
std::string version_line();

/// A line `planned_action` for each action of a plan document, and one `summary`.
std::string plan_lines(const Json& plan);

/// A line `diagnostic` for each of validate's.
std::string diagnostic_lines(const Json& result);

/// The line `outputs` of an apply: what a job goes on with.
std::string outputs_line(const Json& applied);

} // namespace pyro::cli

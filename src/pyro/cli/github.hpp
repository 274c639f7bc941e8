// --output github: annotations on the lines of a pull request, and what a step leaves in the files that
// GITHUB_STEP_SUMMARY and GITHUB_OUTPUT name. Text of others can neither be a workflow command nor markup.
#pragma once

#include "console.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::cli {

/// "::error file=pyro.yaml,line=3,endLine=3,col=5,title=…::message"
std::string error_annotation(const Error& error);
/// The same for one diagnostic of validate.
std::string diagnostic_annotation(const Json& diagnostic);
/// Those of a plan document, errors first.
std::string plan_annotations(const Json& plan);

/// Tables in Markdown.
std::string validation_summary(const Json& validation);
std::string plan_summary(const Json& plan);
/// The plan of an apply, and the services and ports that came of it.
std::string apply_summary(const Json& applied);

/// Appends it to the summary of the step, where there is one.
void write_step_summary(const Console& console, const std::string& markdown);
/// workspace_id, name and changed; ports as JSON, and for each service port_NAME and url_NAME of its first.
void write_outputs(const Console& console, const Json& applied);

} // namespace pyro::cli

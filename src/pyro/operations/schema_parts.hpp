// Building blocks of the operations' schemas, and the reading of the parameters that many operations share.
#pragma once

#include "operation.hpp"

#include <initializer_list>
#include <utility>

namespace pyro::operations {

using Properties = std::map<std::string, Json>;

Json text(std::string_view description);
Json number(std::string_view description);
/// With a fraction, never below 0.
Json decimal(std::string_view description);
/// Seconds since the epoch, with fraction.
Json epoch(std::string_view description);
Json flag(std::string_view description);
Json choice(std::initializer_list<const char*> values, std::string_view description);
Json list_of(Json items, std::string_view description);
Json map_of_text(std::string_view description);
Json or_null(Json schema);

/// Who changed files inside: `causes` of diff and status.
inline constexpr std::initializer_list<const char*> k_causes{"apt",     "pip",     "npm",  "build",
                                                             "service", "command", "other"};
Json causes_schema();

/// Where a file says `isolation: host`, whoever reads it to carry it out has to say so too.
std::pair<const std::string, Json> allow_host_compat();

/// Parameters: nothing but the given properties is allowed.
Json parameters(const Properties& properties, const std::vector<std::string>& required = {});
/// The same plus directory, file, profile and vars: which pyro.yaml.
Json project_parameters(Properties properties, const std::vector<std::string>& required = {});
/// The same plus workspace.
Json workspace_parameters(Properties properties, const std::vector<std::string>& required = {});
/// The same plus workspace_id, required: an id, a unique id prefix or a name.
Json id_parameters(Properties properties, std::vector<std::string> required = {});
/// Both: workspace_id, or else as workspace_parameters(). For what declared workspaces and those made by hand
/// share.
Json any_workspace_parameters(Properties properties, const std::vector<std::string>& required = {});
/// A result: more properties may follow in later versions.
Json result(const Properties& properties, const std::vector<std::string>& required = {});

/// The parameter by which an operation only says what it would do, and what it says then.
Json dry_run_flag();
Properties with_dry_run(Properties of_result);
DryRun dry_run_of(const Json& parameters);

/// For an operation with project_parameters(): with the directory of the file where the caller named neither
/// file nor workspace and it lies above.
Json with_directory(const Context& context, Json parameters);
workspace::Project project_of(const Json& parameters);
/// The pyro.yaml that is meant: where a workspace is named, its own.
workspace::Project declared_project(const Context& context, const Json& parameters);
/// By `workspace_id` or `workspace`; empty: the one of the project.
std::string workspace_of(const Json& parameters);
std::string id_of(const Json& parameters);
/// approve, wait, cache and timeout, as far as the operation has them.
/// Which part of a plan is wanted and how it is made: parameters of plan and apply.
Properties choice_properties();
workspace::PlanChoice choice_of(const Json& parameters);

workspace::ApplyOptions options_of(const Context& context, const Json& parameters);
/// A duration parameter in text form ("30s"); absent is 0.
std::chrono::milliseconds duration_of(const Json& parameters, std::string_view key);

} // namespace pyro::operations

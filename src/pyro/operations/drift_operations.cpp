// From what differs to the file: capture; and whether the file gives the same each time: verify.
#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/workspace/capture.hpp>
#include <pyro/workspace/verification.hpp>

namespace pyro::operations {

namespace {

Operation capture_operation() {
  const auto step = result(
      {{"list", choice({"environment.setup", "prepare"}, "Where it goes")},
       {"id", text("A name that the file does not have yet")},
       {"run", text("For /bin/sh")}},
      {"list", "id", "run"});
  const auto refused =
      result({{"path", text("Where it is")}, {"why", text("What is in the way")}}, {"path", "why"});
  return {
      .name = "capture",
      .summary = "Propose steps for pyro.yaml that make what was changed inside: packages, files",
      .parameters_schema = workspace_parameters({{"write", flag("Put them into the file")}}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"file", text("The pyro.yaml")},
           {"steps", list_of(step, "What to add")},
           {"patch", text("The same as a unified diff of the file; empty: nothing")},
           {"written", flag("Is it in the file now?")},
           {"captured", number("How many of the changes the steps make")},
           {"checkout", list_of(text(""), "Changes of the seed: they belong into the checkout")},
           {"not_reproduced", list_of(refused, "Changes that no step makes")},
           {"notes", list_of(text(""), "What to look at")}},
          {"file", "steps", "patch", "written", "checkout", "not_reproduced"}),
      .run = [](Context& context, const Json& given) {
        return workspace::capture_changes(
            context.workspaces, workspace_of(given), declared_project(context, given),
            bool_or(given, "write", false) ? workspace::WriteFile::yes : workspace::WriteFile::no);
      }};
}

Operation verify_operation() {
  const auto differing = result(
      {{"path", text("Where it is")},
       {"status",
        choice({"added", "modified", "deleted", "type_changed"}, "From the first build to the second")},
       {"step", text("The address of what made it")},
       {"class", choice({"time", "order", "random", "network", "other"}, "What it looks like")}},
      {"path", "status", "step", "class"});
  return {
      .name = "verify",
      .summary =
          "Build the file's steps twice without the cache, beside every workspace, and compare the files",
      .parameters_schema = workspace_parameters({{"timeout", text("For all of it, e.g. 30m")}}),
      .result_schema = result(
          {{"reproducible", flag("Were both builds the same?")},
           {"name", text("Of the workspace")},
           {"file", text("The pyro.yaml")},
           {"at", epoch("When it began")},
           {"duration_ms", number("How long it took")},
           {"links", map_of_text("The keys of what was built, by address")},
           {"count", number("How many files differ")},
           {"differing", list_of(differing, "The first thousand of them")},
           {"classes", result({})}},
          {"reproducible", "count", "differing"}),
      .read_only = true,
      .time_limit = true,
      .run = [](Context& context, const Json& given) {
        return workspace::verify_project(context.workspaces, declared_project(context, given));
      }};
}

} // namespace

std::vector<Operation> drift_operations() {
  return {capture_operation(), verify_operation()};
}

} // namespace pyro::operations

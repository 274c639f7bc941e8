#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/workspace/trust_agreements.hpp>

namespace pyro::operations {

namespace {

Properties agreement_properties() {
  return {
      {"file", text("That the list was read from")},
      {"profile", text("With this profile; empty: none")},
      {"digest", text("Names exactly this list")},
      {"requests", host_requests_schema("All that is wanted, sorted")}};
}

Json wanted_schema() {
  auto properties = agreement_properties();
  properties["checkout"] = text("The directory of the file");
  properties["added"] = host_requests_schema("Not in what was agreed to last");
  properties["removed"] = host_requests_schema("Agreed to last, and no longer wanted");
  properties["agreed"] = flag("Nothing more is asked for this list");
  return result(properties, {"checkout", "digest", "requests", "agreed"});
}

Operation show() {
  return {
      .name = "trust_show",
      .summary = "What pyro.yaml wants of this machine outside its directory, and whether that was agreed to",
      .parameters_schema = workspace_parameters({}),
      .result_schema = wanted_schema(),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::show_host_requests(context.workspaces, declared_project(context, given));
      }};
}

Operation agree() {
  return {
      .name = "trust_agree",
      .summary = "Agree to exactly what pyro.yaml wants of this machine",
      .parameters_schema = workspace_parameters(
          {{"digest",
            text("Of the list that was looked at; where it is another by now, nothing is agreed")}}),
      .result_schema = wanted_schema(),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::agree_to_host_requests(
            context.workspaces, declared_project(context, given), string_or(given, "digest", ""));
      }};
}

Operation list() {
  auto agreement = agreement_properties();
  agreement["agreed_at"] = epoch("");
  return {
      .name = "trust_list",
      .summary = "The checkouts with what was agreed to for each",
      .parameters_schema = parameters({}),
      .result_schema = result(
          {{"count", number("How many there are")},
           {"checkouts", list_of(
                             result(
                                 {{"checkout", text("The directory of its pyro.yaml")},
                                  {"present", flag("The directory is there")},
                                  {"agreements", list_of(result(agreement, {"digest"}), "Oldest first")}},
                                 {"checkout", "agreements"}),
                             "")},
           {"damaged", list_of(text(""), "Records that cannot be read")}},
          {"count", "checkouts"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json&) {
        return workspace::list_agreements(context.workspaces);
      }};
}

Operation remove() {
  return {
      .name = "trust_remove",
      .summary = "Take back all that was agreed to for a checkout",
      .parameters_schema = project_parameters(
          {{"checkout", text("Its directory; default: that of pyro.yaml. It need not exist any more")}}),
      .result_schema = result(
          {{"checkout", text("The directory of its pyro.yaml")}, {"removed", flag("There was something")}},
          {"checkout", "removed"}),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::remove_agreements(
            context.workspaces, string_or(given, "checkout", ""), project_of(given));
      }};
}

} // namespace

std::vector<Operation> trust_operations() {
  return {show(), agree(), list(), remove()};
}

} // namespace pyro::operations

// A report of one workspace as a page that stands alone: no script, nothing from elsewhere. Text of others is
// text in it.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::cli {

struct ReportParts {
  Json plan;   // the plan document; null: it could not be made
  Json status; // null: there is no workspace yet
  Json drift;  // the document of diff; null as well
  Json graph;  // the document of graph, as a drawing
  Json timing; // null: nothing was applied yet
  std::string made_at;
};

std::string html_report(const ReportParts& parts);

} // namespace pyro::cli

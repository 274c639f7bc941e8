// What services wrote, page by page towards the beginning. To follow it, or line by line: execution.hpp.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <cstdint>
#include <string>

namespace pyro::workspace {

struct Context;

struct LogPageRequest {
  std::string service;     // empty: all
  std::int64_t tail = 200; // lines of each service
  /// `next_cursor` of the page behind this one; empty: the last page.
  std::string cursor;
};

/// Does it say where to go on in the lines of services? (Else it may be one of kept_output.hpp.)
bool is_log_cursor(const std::string& cursor);

/// {"lines": [{service, line}], "truncated", "next_cursor"}: the last lines before the cursor. The cursor is
/// null where no more is kept; `truncated` tells also of what is not.
Json read_log_page(
    Context& context, const std::string& workspace, const Project& project, const LogPageRequest& request);

} // namespace pyro::workspace

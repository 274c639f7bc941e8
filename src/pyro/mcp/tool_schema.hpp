// Schemas of the operation table as a client of MCP gets them.
#pragma once

#include <pyro/operations/operation.hpp>

namespace pyro::mcp {

/// `brief` says less of the same: of a result what is always there, and of which file only its directory.
/// What it leaves out is taken and returned all the same.
enum class Detail { brief, whole };

Json input_schema(const operations::Operation& operation, Detail detail);

/// Nothing in it is required: a call that takes long is answered with `pending` instead.
Json output_schema(const operations::Operation& operation, Detail detail);

} // namespace pyro::mcp

// Files between this machine and a workspace elsewhere: a file as its bytes, a directory as a tar, in a
// stream of the call. On the node they lie for a moment in a directory of the lease, from where (and to
// where) the operation of the table copies them. Nothing is ever held in memory.
#pragma once

#include "call.hpp"
#include "run_call.hpp"

#include <functional>
#include <string>

namespace pyro::node {

/// A directory of our own for one copy; its parent has to be there.
class CopyRoom {
public:
  explicit CopyRoom(const std::string& directory);
  ~CopyRoom();
  CopyRoom(const CopyRoom&) = delete;
  CopyRoom& operator=(const CopyRoom&) = delete;

  const std::string& path() const { return m_path; }

private:
  std::string m_path;
};

/// Runs a call with these streams (Remote::carry()).
using Carry = std::function<Json(Call call, const operations::ExecStreams& streams)>;

/// copy_in for the workspace of that id: `source_path` is of this machine.
Json copy_to_node(const std::string& workspace_id, const Json& parameters, const Carry& carry);

/// copy_out (`output_path` may be a directory to come into) and workspace_export; `notes` is what
/// store::ExportArea wants.
Json copy_from_node(
    const std::string& workspace_id, const Json& parameters, bool may_come_into, const std::string& notes,
    const Carry& carry);

/// The other ends of them.
Json take_copy(const Call& call, int in, const std::string& base, operations::Engine& engine);
Json give_copy(const Call& call, int out, const std::string& base, operations::Engine& engine);

} // namespace pyro::node

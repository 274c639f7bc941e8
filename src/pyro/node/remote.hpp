// One workspace that lives elsewhere, as an engine would: each call goes through a connection to its lease.
#pragma once

#include "connection.hpp"

#include <pyro/operations/engine.hpp>
#include <pyro/place/placed.hpp>

#include <memory>
#include <string>

namespace pyro::node {

/// What of the caller's settings goes along.
struct Manner {
  operations::Settings settings;
  operations::Callbacks callbacks;
  std::string program; // pyro-node, as the node has it
};

class Remote {
public:
  Remote(const Manner& manner, const place::PlacedRecords& records, place::Placed& placed)
      : m_manner(manner), m_records(records), m_placed(placed) {}

  /// Throws the call's own Error, or one that says what became of the lease.
  /// `shared_file`: path of a file that has to be the same one on the node; empty: none.
  Json call(std::string_view operation, const Json& parameters, const std::string& shared_file = {});
  operations::ExecResult
  exec(const Json& where, const operations::ExecRequest& request, const operations::ExecStreams& streams);
  Json attach(
      const Json& where, const operations::ShellAttachRequest& request,
      const operations::ExecStreams& streams);
  /// As Engine::forward_ports().
  void
  forward(const Json& where, const std::vector<std::string>& wanted, const operations::ForwardSinks& sinks);
  /// copy_in, copy_out and workspace_export; `notes` as for copy_from_node().
  Json copy(std::string_view operation, const Json& parameters, const std::string& notes);
  void logs(const Json& where, const operations::LogRequest& request, const operations::LineSink& line);

private:
  Json carry(Call call, const operations::ExecStreams& streams, Hooks hooks);
  void listen(const Json& targets, const operations::ForwardSinks& sinks);
  /// On silence of the node: throws where Slurm knows why.
  void ask_slurm(bool is_begun);
  [[noreturn]] void throw_lost(const ConnectionLost& end);

  const Manner& m_manner;
  const place::PlacedRecords& m_records;
  place::Placed& m_placed;
  std::unique_ptr<Connection> m_connection;
};

} // namespace pyro::node

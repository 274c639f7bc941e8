// `apply` of a workspace that is to live elsewhere: its lease, and the apply there.
#pragma once

#include "remote.hpp"
#include "route.hpp"

namespace pyro::node {

class Placement {
public:
  Placement(
      const Manner& manner, const place::PlacedRecords& records, Router& router, operations::Engine& local)
      : m_manner(manner), m_records(records), m_router(router), m_local(local) {}

  /// Parameters of `apply`, without `on`. A lease that has ended is replaced by another one. Where the first
  /// apply leaves nothing on the node, the lease is given back and nothing is left here.
  Json apply(Json parameters, const place::Place& wanted);

private:
  struct Found {
    place::Placed placed;
    bool is_new = false; // nothing of it is on its node yet
  };

  Found
  find_or_lease(const workspace::LoadedProject& project, const Json& parameters, const place::Place& wanted);
  void require_not_here(const workspace::LoadedProject& project);
  void check_interrupted() const;

  const Manner& m_manner;
  const place::PlacedRecords& m_records;
  Router& m_router;
  operations::Engine& m_local;
};

} // namespace pyro::node

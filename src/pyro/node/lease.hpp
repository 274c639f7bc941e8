// Leases of this user: made, looked at and ended. What is known of one between processes: place/placed.hpp.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/place/placed.hpp>
#include <pyro/place/slurm.hpp>

#include <functional>
#include <string>
#include <vector>

namespace pyro::node {

/// Tells what is waited for: a line for people.
using Tell = std::function<void(const std::string& text)>;

/// Submits the lease of `placed` (its job_name and job_id are set and saved, in this order, so that a job
/// whose maker was killed is found again) and waits until it runs; then its node is known and saved. Where it
/// never can, or check() throws, the job is cancelled; the record is the caller's to take back.
void begin_lease(
    const place::PlacedRecords& records, place::Placed& placed, place::LeaseRequest request, const Tell& tell,
    const std::function<void()>& check);

/// How it is with the lease. Where it has ended, `placed.ended` says how, and is saved: Slurm forgets. A
/// lease that was put back into the queue has ended as well: what was on its node is gone.
place::Job look_at_lease(const place::PlacedRecords& records, place::Placed& placed);

/// Cancels it and waits, for a while, until its node has cleaned up.
void end_lease(const place::Placed& placed);

/// "the lease on slurm:pyro (job 12, node n1) has ended: its node failed"
std::string end_sentence(const place::Placed& placed);

/// What was there and is nowhere else: for people, one line each.
std::vector<std::string> lost_with(const place::Placed& placed);

/// Error(bad_state) that says so, with the way out.
Error lost(const place::Placed& placed);

} // namespace pyro::node

#include "lease.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/random.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <thread>

namespace pyro::node {

namespace {

constexpr std::chrono::milliseconds k_first_pause{100};
constexpr std::chrono::milliseconds k_longest_pause{2000};
constexpr std::chrono::seconds k_patience_with_end{60};

std::string why(const std::string& state) {
  constexpr std::array k_known{
      std::pair{"CANCELLED", "it was cancelled"},
      std::pair{"TIMEOUT", "its time was over"},
      std::pair{"NODE_FAIL", "its node failed"},
      std::pair{"PREEMPTED", "another job took its place"},
      std::pair{"REQUEUED", "it was put back into the queue, and began anew"},
      std::pair{"OUT_OF_MEMORY", "it took more memory than it had"},
      std::pair{"BOOT_FAIL", "its node did not start"},
      std::pair{"DEADLINE", "its deadline was over"},
      std::pair{"COMPLETED", "its process ended"},
      std::pair{"COMPLETING", "it is being ended"},
      std::pair{"FAILED", "its process failed"},
      std::pair{"UNKNOWN", "Slurm does not know it any more"}};
  for (const auto& [name, text] : k_known) {
    if (state == name) {
      return text;
    }
  }
  return "Slurm says " + escape_controls(state);
}

std::string where_is(const place::Placed& placed) {
  return fmt::format(
      "{} (job {}{}{})", to_string(placed.place), placed.job_id, placed.node.empty() ? "" : ", node ",
      placed.node);
}

void wait_until_running(
    const place::PlacedRecords& records, place::Placed& placed, const Tell& tell,
    const std::function<void()>& check) {
  auto pause = k_first_pause;
  std::string told;
  while (true) {
    const auto job = place::job(placed.job_id);
    if (job.phase == place::JobPhase::running && !job.node.empty()) {
      placed.node = job.node;
      records.save(placed);
      return;
    }
    if (job.phase == place::JobPhase::ended) {
      throw Error(
          ErrorCode::unavailable, "job {} for {} ended before it began: {}", job.id, to_string(placed.place),
          why(job.state));
    }
    if (place::is_hopeless(job.reason)) {
      throw Error(
          ErrorCode::unavailable, "{} never gives what is asked for: job {} would wait for {} without an end",
          to_string(placed.place), job.id, escape_controls(job.reason))
          .with_hint("environment.resources and lifecycle.ttl of the file say what is asked for; `pyro on` "
                     "lists what there is");
    }
    auto text = fmt::format(
        "job {} waits in {}: {}", job.id, to_string(placed.place),
        job.reason.empty() ? "for its turn" : escape_controls(job.reason));
    if (text != told) {
      tell(text);
      told = std::move(text);
    }
    check();
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 3 / 2, k_longest_pause);
  }
}

} // namespace

void begin_lease(
    const place::PlacedRecords& records, place::Placed& placed, place::LeaseRequest request, const Tell& tell,
    const std::function<void()>& check) {
  constexpr std::size_t k_name_bytes = 8;
  placed.job_name = "pyro-" + os::random_hex(k_name_bytes);
  placed.job_id.clear();
  placed.node.clear();
  placed.ended = nullptr;
  placed.submitted_at = os::now_epoch();
  records.save(placed);
  try {
    request.job_name = placed.job_name;
    placed.job_id = place::submit(request);
    records.save(placed);
    wait_until_running(records, placed, tell, check);
  } catch (...) {
    if (!placed.job_id.empty()) {
      place::cancel(placed.job_id);
    }
    throw;
  }
}

place::Job look_at_lease(const place::PlacedRecords& records, place::Placed& placed) {
  if (placed.job_id.empty()) { // who submitted it was killed
    placed.job_id = place::job_named(placed.job_name).value_or("");
  }
  place::Job job;
  if (!placed.ended.is_null()) {
    job.id = placed.job_id;
    job.state = get_string(placed.ended, "state");
    job.node = placed.node;
    return job;
  }
  if (placed.job_id.empty()) {
    job.state = "UNKNOWN";
  } else {
    job = place::job(placed.job_id);
  }
  if (job.restarts > 0) {
    job.state = "REQUEUED";
    job.phase = place::JobPhase::ended;
    place::cancel(placed.job_id);
  }
  if (job.phase == place::JobPhase::ended) {
    placed.ended = {
        {"state", job.state}, {"reason", why(job.state)}, {"node", placed.node}, {"at", os::now_epoch()}};
    if (!job.is_completing) { // how it ended is told once it has
      records.save(placed);
    }
  }
  return job;
}

void end_lease(const place::Placed& placed) {
  const auto id = placed.job_id.empty() ? place::job_named(placed.job_name).value_or("") : placed.job_id;
  if (id.empty()) {
    return;
  }
  place::cancel(id);
  const auto deadline = std::chrono::steady_clock::now() + k_patience_with_end;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto job = place::job(id);
    if (job.phase == place::JobPhase::ended && !job.is_completing) {
      return;
    }
    std::this_thread::sleep_for(k_first_pause);
  }
}

std::string end_sentence(const place::Placed& placed) {
  return fmt::format("the lease on {} has ended: {}", where_is(placed), get_string(placed.ended, "reason"));
}

std::vector<std::string> lost_with(const place::Placed& placed) {
  std::vector<std::string> lines;
  if (!placed.last.is_object()) {
    return lines;
  }
  lines.emplace_back("what was changed inside since it was applied");
  for (const auto& snapshot : placed.last.value("snapshots", Json::array())) {
    if (const auto name = string_or(snapshot, "snapshot_name", "");
        string_or(snapshot, "kind", "") == "named") {
      lines.push_back("the snapshot " + name);
    }
  }
  return lines;
}

Error lost(const place::Placed& placed) {
  return Error(ErrorCode::bad_state, "{} is lost: {}", placed.name, end_sentence(placed))
      .with_hint(
          placed.identity.empty() ? "`pyro destroy` forgets it"
                                  : "`pyro apply` places it anew, `pyro destroy` forgets it");
}

} // namespace pyro::node

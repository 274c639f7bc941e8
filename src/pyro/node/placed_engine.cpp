#include "placed_engine.hpp"

#include "copying.hpp"
#include "lease.hpp"
#include "placement.hpp"
#include "port_carrier.hpp"
#include "remote.hpp"
#include "route.hpp"
#include "told_ports.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/operation.hpp>
#include <pyro/operations/parameters.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/layout.hpp>

#include <chrono>
#include <filesystem>

namespace pyro::node {

namespace {

constexpr std::chrono::milliseconds k_at_once{0};

/// What status and list say of where a workspace lives.
Json describe_place(const place::Placed& placed, const place::Job& job) {
  Json described{
      {"on", to_string(placed.place)},
      {"job", placed.job_id},
      {"node", placed.node},
      {"job_state", job.state},
      {"since", placed.submitted_at}};
  if (job.phase == place::JobPhase::running && job.ends_at > 0) {
    described["ends_at"] = job.ends_at;
  }
  return described;
}

/// A workspace of which nothing can be asked: as it was last told, and what became of it.
Json describe_from_here(const place::Placed& placed, const place::Job& job) {
  Json described = placed.last.is_object() ? placed.last : Json::object();
  described["workspace_id"] = placed.workspace_id;
  described["name"] = placed.name;
  described["place"] = describe_place(placed, job);
  described["ports"] = Json::array();
  if (!described.contains("created_at")) {
    described["created_at"] = placed.submitted_at;
  }
  if (job.phase == place::JobPhase::ended) {
    described["state"] = "lost";
    described["last_error"] = end_sentence(placed);
    described["place"]["lost"] = lost_with(placed);
    described["services"] = Json::array();
    described["running_service_count"] = 0;
    described["snapshots"] = Json::array();
    described["undo"] = nullptr;
  } else if (job.phase == place::JobPhase::waiting) {
    described["state"] = "created";
  } else if (job.is_suspended()) {
    described["state"] = "stopped";
    described["last_error"] = fmt::format("Slurm has suspended its lease (job {})", placed.job_id);
  }
  for (const auto* key : {"services", "snapshots"}) {
    if (!described.contains(key)) {
      described[key] = Json::array();
    }
  }
  return described;
}

class PlacedEngine : public operations::Engine {
public:
  PlacedEngine(
      const operations::Settings& settings, const operations::Callbacks& callbacks,
      const operations::EngineFactory& make_local, std::string program)
      : m_manner{settings, callbacks, std::move(program)}, m_local(make_local(settings, callbacks)),
        m_router(settings, callbacks), m_records(m_router.base()) {}

  Json call(std::string_view operation, const Json& asked) override {
    if (operation != "apply" && !os::exists(m_records.directory())) { // nothing lives elsewhere
      return m_local->call(operation, asked);
    }
    const auto parameters = asked.is_null() ? Json::object() : asked;
    const auto& entry = operations::find_operation(operation);
    operations::check_parameters(entry.name, entry.parameters_schema, parameters);
    if (operation == "apply") {
      return apply(parameters);
    }
    if (operation == "list") {
      return list(parameters);
    }
    if (operation == "purge") {
      require_nothing_placed();
    }
    auto given = parameters;
    if (operation == "copy_between" && has_placed(given)) {
      return copy_between(given);
    }
    auto placed = m_router.find(m_records, operation, given);
    if (!placed) {
      return m_local->call(operation, given);
    }
    if (operation == "copy_in" || operation == "copy_out" || operation == "workspace_export") {
      const store::Base base(m_router.base());
      base.prepare();
      return Remote(m_manner, m_records, *placed).copy(operation, given, base.exports());
    }
    if (operation == "status" || operation == "workspace_status") {
      return status(operation, *placed, given);
    }
    if (operation == "destroy" || operation == "workspace_delete") {
      return destroy(operation, *placed, given);
    }
    m_router.require_reach(operation, *placed);
    Remote remote(m_manner, m_records, *placed);
    auto result = remote.call(operation, given, m_router.file_of(operation, given));
    if (operation == "workspace_fork") {
      note_forks(*placed, result, remote);
    } else {
      // Of services by hand those are listed too that have ended: nobody listens for them.
      tell_ports(
          *placed, result,
          operation.starts_with("service_l") || operation == "service_status" ? k_at_once
                                                                              : k_patience_with_ports);
    }
    return result;
  }

  operations::ExecResult stream_exec(
      const Json& where, const operations::ExecRequest& request,
      const operations::ExecStreams& streams) override {
    auto given = where;
    auto placed = m_router.find(m_records, "exec", given);
    return placed ? Remote(m_manner, m_records, *placed).exec(given, request, streams)
                  : m_local->stream_exec(given, request, streams);
  }

  operations::ExecResult stream_vm_exec(
      const Json& vm, const operations::ExecRequest& request,
      const operations::ExecStreams& streams) override {
    return m_local->stream_vm_exec(vm, request, streams);
  }

  Json attach_shell(
      const Json& where, const operations::ShellAttachRequest& request,
      const operations::ExecStreams& streams) override {
    auto given = where;
    auto placed = m_router.find(m_records, "shell_open", given);
    return placed ? Remote(m_manner, m_records, *placed).attach(given, request, streams)
                  : m_local->attach_shell(given, request, streams);
  }

  void stream_logs(
      const Json& where, const operations::LogRequest& request, const operations::LineSink& line) override {
    auto given = where;
    auto placed = m_router.find(m_records, "logs", given);
    if (placed) {
      Remote(m_manner, m_records, *placed).logs(given, request, line);
    } else {
      m_local->stream_logs(given, request, line);
    }
  }

  void forward_ports(
      const Json& where, const std::vector<std::string>& wanted, operations::ForwardSinks sinks) override {
    auto given = where;
    if (auto placed = m_router.find(m_records, "exec", given)) {
      Remote(m_manner, m_records, *placed).forward(given, wanted, sinks);
    } else {
      m_local->forward_ports(given, wanted, std::move(sinks));
    }
  }

private:
  Json apply(const Json& parameters) {
    auto given = parameters;
    const auto on = maybe_string(given, "on");
    given.erase("on");
    auto placed = m_router.find(m_records, "apply", given);
    const auto wanted = on ? place::parse_place(*on) : placed ? placed->place : place::Place();
    if (wanted.kind == place::PlaceKind::here && !placed) {
      return m_local->call("apply", given);
    }
    if (placed && placed->place != wanted) {
      throw Error(
          ErrorCode::bad_state, "{} lives on {}, not on {}", placed->name, to_string(placed->place),
          to_string(wanted))
          .with_hint("`pyro destroy` takes it away there; then it can be applied elsewhere");
    }
    Placement placement(m_manner, m_records, m_router, *m_local);
    return placement.apply(std::move(given), wanted);
  }

  /// Who is copied to, as parameters of `copy_in`.
  static Json target_of(const Json& given) {
    auto target = given;
    target.erase("workspace");
    if (const auto name = string_or(given, "to_workspace", ""); !name.empty()) {
      target["workspace"] = name;
    }
    target.erase("to_workspace");
    target.erase("to_path");
    return target;
  }

  /// Is one of the two elsewhere?
  bool has_placed(const Json& given) {
    auto from = given;
    auto to = target_of(given);
    return m_router.find(m_records, "copy_out", from) || m_router.find(m_records, "copy_in", to);
  }

  /// By way of this machine.
  Json copy_between(const Json& given) {
    const CopyRoom room(m_records.directory());
    const auto path = get_string(given, "path");
    auto from = given;
    from.erase("to_workspace");
    from.erase("to_path");
    from["output_path"] = room.path() + "/";
    const auto taken = call("copy_out", from);
    auto to = target_of(given);
    to["source_path"] =
        get_string(taken, "output_path") + (std::filesystem::path(path).filename() == "." ? "/." : "");
    to["path"] = get_string(given, "to_path");
    auto result = call("copy_in", to);
    result["source_path"] = taken["workspace_path"];
    result["from_workspace_id"] = taken["workspace_id"];
    result["left_out"] = taken["left_out"];
    return result;
  }

  Json list(const Json& parameters) {
    auto listed = m_local->call("list", parameters);
    for (auto& placed : m_records.all()) {
      if (!placed.workspace_id.empty()) {
        listed["workspaces"].push_back(describe_from_here(placed, look_at_lease(m_records, placed)));
      }
    }
    listed["count"] = listed["workspaces"].size();
    return listed;
  }

  Json status(std::string_view operation, place::Placed& placed, const Json& given) {
    const auto job = look_at_lease(m_records, placed);
    if (job.phase != place::JobPhase::running || job.is_suspended() || placed.workspace_id.empty()) {
      return describe_from_here(placed, job);
    }
    Json told;
    try {
      told = Remote(m_manner, m_records, placed).call(operation, given);
    } catch (const Error& error) {
      if (placed.ended.is_null()) {
        throw;
      }
      return describe_from_here(placed, look_at_lease(m_records, placed)); // it ended meanwhile
    }
    placed.last = told;
    m_records.save(placed);
    told["place"] = describe_place(placed, job);
    tell_ports(placed, told, k_patience_with_ports);
    return told;
  }

  Json destroy(std::string_view operation, place::Placed& placed, Json given) {
    const auto began = os::now_epoch();
    const auto lock =
        m_router.lock_identity(placed.identity.empty() ? placed.key : placed.identity, "destroy");
    const bool is_dry = bool_or(given, "dry_run", false);
    Json result{
        {"workspace_id", placed.workspace_id}, {"name", placed.name}, {"deleted", true}, {"changed", true}};
    if (look_at_lease(m_records, placed).phase == place::JobPhase::running && !placed.workspace_id.empty()) {
      if (operation == "destroy") {
        given["snapshots"] = true; // they are nowhere else, and the lease goes with its last workspace
      }
      result = Remote(m_manner, m_records, placed).call(operation, given);
    } else if (is_dry) {
      result["changed"] = false;
      result["dry_run"] = true;
      result["would_change"] = true;
      result["text"] = fmt::format("{} would be forgotten: {}\n", placed.name, end_sentence(placed));
    }
    if (is_dry) {
      return result;
    }
    end_port_carrier(m_records, placed);
    if (m_records.beside(placed).empty()) {
      end_lease(placed);
    }
    m_records.remove(placed);
    result["undo"] = false;
    result["undo_expires_at"] = nullptr;
    result["snapshots_kept"] = false;
    result["duration_ms"] = static_cast<std::int64_t>((os::now_epoch() - began) * 1000);
    return result;
  }

  /// In the result of a call: which ports of this machine lead to those inside, and what keeps them from it.
  void tell_ports(const place::Placed& placed, Json& result, std::chrono::milliseconds patience) const {
    const auto problems = fill_ports(m_records, placed, m_manner.program, patience, result);
    if (result.contains("place")) {
      if (!problems.empty()) {
        result["place"]["port_problems"] = problems;
      }
      const auto carried = maybe_load_carried(carried_ports_path(m_records, placed));
      if (carried && carried->job_id == placed.job_id && carried->refused.is_object()) {
        result["place"]["refused"] = carried->refused;
      }
    }
  }

  void note_forks(const place::Placed& source, const Json& result, Remote& remote) const {
    for (const auto& made : result.value("workspaces", Json::array())) {
      auto fork = source;
      fork.key.clear();
      fork.identity.clear();
      fork.checkout.clear();
      fork.workspace_id = get_string(made, "workspace_id");
      fork.name = get_string(made, "name");
      fork.last = remote.call("status", {{"workspace", fork.workspace_id}, {"drift", false}});
      m_records.save(fork);
      auto shown = fork.last;
      tell_ports(fork, shown, k_at_once);
    }
  }

  void require_nothing_placed() const {
    if (const auto all = m_records.all(); !all.empty()) {
      throw Error(
          ErrorCode::bad_state, "{} lives on {}: its lease would go on without anybody who knows of it",
          all.front().name, to_string(all.front().place))
          .with_hint(fmt::format("first `pyro destroy -w {}`", all.front().name));
    }
  }

  Manner m_manner;
  std::unique_ptr<operations::Engine> m_local;
  Router m_router;
  place::PlacedRecords m_records;
};

} // namespace

std::unique_ptr<operations::Engine> make_placed_engine(
    const operations::Settings& settings, const operations::Callbacks& callbacks,
    const operations::EngineFactory& make_local, std::string program) {
  return std::make_unique<PlacedEngine>(settings, callbacks, make_local, std::move(program));
}

} // namespace pyro::node

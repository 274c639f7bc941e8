#include "placed_engine.hpp"

#include "lease.hpp"
#include "placement.hpp"
#include "remote.hpp"
#include "route.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/operation.hpp>
#include <pyro/operations/parameters.hpp>
#include <pyro/os/clock.hpp>

namespace pyro::node {

namespace {

/// What status and list say of where a workspace lives.
Json describe_place(const place::Placed& placed, const place::Job& job) {
  return {
      {"on", to_string(placed.place)},
      {"job", placed.job_id},
      {"node", placed.node},
      {"job_state", job.state},
      {"since", placed.submitted_at}};
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
    auto placed = m_router.find(m_records, operation, given);
    if (!placed) {
      return m_local->call(operation, given);
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
    if (const auto placed = m_router.find(m_records, "exec", given)) {
      m_router.require_reach("port-forward", *placed);
    }
    m_local->forward_ports(given, wanted, std::move(sinks));
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
    if (job.phase != place::JobPhase::running || placed.workspace_id.empty()) {
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

  void note_forks(const place::Placed& source, const Json& result, Remote& remote) {
    for (const auto& made : result.value("workspaces", Json::array())) {
      auto fork = source;
      fork.key.clear();
      fork.identity.clear();
      fork.checkout.clear();
      fork.workspace_id = get_string(made, "workspace_id");
      fork.name = get_string(made, "name");
      fork.last = remote.call("status", {{"workspace", fork.workspace_id}, {"drift", false}});
      m_records.save(fork);
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
    operations::Settings settings, operations::Callbacks callbacks,
    const operations::EngineFactory& make_local, std::string program) {
  return std::make_unique<PlacedEngine>(settings, callbacks, make_local, std::move(program));
}

} // namespace pyro::node

#include "recipe_graph.hpp"

#include "look.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/apply/build_once.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <algorithm>
#include <set>

namespace pyro::workspace {

namespace {

std::string workspace_state(const std::optional<store::WorkspaceRecord>& record) {
  return !record || record->generation == 0 ? "absent"
         : is_destroyed(*record)            ? "destroyed"
                                            : std::string(store::name_of(record->state));
}

class GraphMaker {
public:
  GraphMaker(
      Context& context, const spec::Spec& spec, const std::vector<plan::Link>& chain,
      const std::optional<store::WorkspaceRecord>& record, const plan::Observed& observed)
      : m_context(context), m_spec(spec), m_chain(chain), m_record(record), m_observed(observed) {
    m_graph.name = spec.name;
  }

  Graph make() {
    add_layers();
    for (const auto& [name, service] : m_spec.services) {
      add_service(name);
    }
    add_snapshots();
    return std::move(m_graph);
  }

private:
  void add_layers() {
    std::string before;
    for (const auto& link : m_chain) {
      if (link.point == "ready") {
        continue;
      }
      m_graph.nodes.push_back({link.address, "layer", is_built(m_context, link) ? "cached" : "missing"});
      if (!before.empty()) {
        m_graph.edges.push_back({before, link.address, ""});
      }
      before = link.address;
    }
    m_graph.nodes.push_back({"workspace", "workspace", workspace_state(m_record)});
    m_graph.edges.push_back({before, "workspace", ""});
  }

  /// Behind those that it depends on.
  void add_service(const std::string& name) {
    if (!m_added.insert(name).second) {
      return;
    }
    const auto address = "services." + name;
    const auto& service = m_spec.services.at(name);
    for (const auto& [other, dependency] : service.depends_on) {
      add_service(other);
      m_graph.edges.push_back(
          {"services." + other, address, std::string(spec::name_of(dependency.condition))});
    }
    if (service.depends_on.empty()) {
      m_graph.edges.push_back({"workspace", address, ""});
    }
    const auto state = m_observed.service_states.find(name);
    m_graph.nodes.push_back(
        {address, "service", state == m_observed.service_states.end() ? "stopped" : state->second});
  }

  void add_snapshots() {
    for (const auto& [name, snapshot] : m_spec.snapshots) {
      const auto address = "snapshots." + name;
      const bool is_taken = m_observed.snapshots.contains(name);
      m_graph.nodes.push_back({address, "snapshot", is_taken ? "taken" : "missing"});
      if (snapshot.at == "ready") {
        for (const auto& [service, unused] : m_spec.services) {
          m_graph.edges.push_back({"services." + service, address, "ready"});
        }
        if (!m_spec.services.empty()) {
          continue;
        }
      }
      const auto index = plan::index_of_point(m_chain, snapshot.at);
      m_graph.edges.push_back({index ? m_chain[*index].address : "workspace", address, ""});
    }
  }

  Context& m_context;
  const spec::Spec& m_spec;
  const std::vector<plan::Link>& m_chain;
  const std::optional<store::WorkspaceRecord>& m_record;
  const plan::Observed& m_observed;
  Graph m_graph;
  std::set<std::string> m_added;
};

} // namespace

Json describe_graph(Context& context, const Project& project, GraphForm form) {
  const auto [loaded, record, planned] = look_at_plan(context, project, {}, false);
  const auto graph = GraphMaker(context, loaded.spec, planned.plan.chain, record, planned.observed).make();
  Json nodes = Json::array();
  for (const auto& node : graph.nodes) {
    nodes.push_back({{"id", node.id}, {"kind", node.kind}, {"state", node.state}});
  }
  Json edges = Json::array();
  for (const auto& edge : graph.edges) {
    edges.push_back({{"from", edge.from}, {"to", edge.to}, {"label", edge.label}});
  }
  return {{"name", graph.name}, {"nodes", nodes}, {"edges", edges}, {"text", render_graph(graph, form)}};
}

} // namespace pyro::workspace

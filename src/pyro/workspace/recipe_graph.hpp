// What a pyro.yaml is made of and what waits for what: layers, the workspace, services, snapshots; as data,
// and as text in the languages of programs that draw. Pure but for recipe_graph().
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

struct Context;

struct GraphNode {
  std::string id;    // its address
  std::string kind;  // layer, workspace, service, snapshot
  std::string state; // cached, missing; started, stopped, absent; ready, …; taken, missing
};

struct GraphEdge {
  std::string from; // is there, or ready, before `to`
  std::string to;
  std::string label; // of services: the condition
};

struct Graph {
  std::string name;
  std::vector<GraphNode> nodes; // each after those that it waits for
  std::vector<GraphEdge> edges;
};

enum class GraphForm { text, dot, mermaid, svg };

std::string render_graph(const Graph& graph, GraphForm form);

/// {"name", "nodes": [{id, kind, state}], "edges": [{from, to, label}], "text": in that form}
Json describe_graph(Context& context, const Project& project, GraphForm form);

} // namespace pyro::workspace

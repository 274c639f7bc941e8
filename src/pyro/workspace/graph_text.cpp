// The forms of a graph: lines, Graphviz's language, Mermaid's, and a drawing of our own.
#include "recipe_graph.hpp"

#include <pyro/base/safe_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace pyro::workspace {

namespace {

bool is_good(const GraphNode& node) {
  return node.state == "cached" || node.state == "started" || node.state == "ready"
         || node.state == "completed" || node.state == "taken" || node.state == "running";
}

/// In Graphviz's quotes, a line each.
std::string dot_text(const std::vector<std::string>& lines) {
  std::string result;
  for (const auto& line : lines) {
    result += result.empty() ? "\"" : "\\n";
    for (const char c : escape_controls(line)) {
      result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
  }
  return result + "\"";
}

std::string text_form(const Graph& graph) {
  std::size_t width = 0;
  for (const auto& node : graph.nodes) {
    width = std::max(width, node.id.size());
  }
  std::string text;
  for (const auto& node : graph.nodes) {
    std::string waits;
    for (const auto& edge : graph.edges) {
      if (edge.to == node.id) {
        waits += (waits.empty() ? "  after " : ", ") + edge.from
                 + (edge.label.empty() ? "" : " (" + edge.label + ")");
      }
    }
    auto line =
        fmt::format("{:<{}}  {:<9}{}", escape_controls(node.id), width, node.state, escape_controls(waits));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string dot_form(const Graph& graph) {
  const std::map<std::string, std::string> shapes{
      {"layer", "box"}, {"workspace", "box3d"}, {"service", "ellipse"}, {"snapshot", "folder"}};
  auto text = fmt::format(
      "digraph {} {{\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n", dot_text({graph.name}));
  for (const auto& node : graph.nodes) {
    text += fmt::format(
        "  {} [shape={}, label={}, style={}];\n", dot_text({node.id}), shapes.at(node.kind),
        dot_text({node.id, node.state}), is_good(node) ? "filled" : "dashed");
  }
  for (const auto& edge : graph.edges) {
    text += fmt::format("  {} -> {}", dot_text({edge.from}), dot_text({edge.to}));
    text += edge.label.empty() ? ";\n" : fmt::format(" [label={}];\n", dot_text({edge.label}));
  }
  return text + "}\n";
}

std::string mermaid_form(const Graph& graph) {
  std::map<std::string, std::string> names; // ids there are words
  std::string text = "flowchart LR\n";
  for (const auto& node : graph.nodes) {
    const auto name = names.emplace(node.id, fmt::format("n{}", names.size())).first->second;
    const auto* open = node.kind == "service" ? "([" : node.kind == "snapshot" ? "[/" : "[";
    const auto* close = node.kind == "service" ? "])" : node.kind == "snapshot" ? "/]" : "]";
    auto label = escape_controls(node.id);
    std::replace(label.begin(), label.end(), '"', '\'');
    text += fmt::format("  {}{}\"{}<br>{}\"{}\n", name, open, label, node.state, close);
    text += is_good(node) ? "" : fmt::format("  style {} stroke-dasharray: 4\n", name);
  }
  for (const auto& edge : graph.edges) {
    const auto label = edge.label.empty() ? "" : fmt::format("|{}|", edge.label);
    text += fmt::format("  {} -->{} {}\n", names.at(edge.from), label, names.at(edge.to));
  }
  return text;
}

std::string xml(const std::string& text) {
  std::string result;
  for (const char c : escape_controls(text)) {
    result += c == '&'   ? "&amp;"
              : c == '<' ? "&lt;"
              : c == '>' ? "&gt;"
              : c == '"' ? "&quot;"
                         : std::string(1, c);
  }
  return result;
}

/// Where it is on a dark ground: what a style says goes before the attributes.
constexpr std::string_view k_dark =
    "<style>@media (prefers-color-scheme: dark) { .pyro-node rect { fill: #2a2e36; stroke: #8a909c } "
    ".pyro-node.is-good rect { fill: #1f3d2b } .pyro-node text { fill: #e3e5e9 } "
    ".pyro-node text.state, text.label { fill: #a8adb8 } }</style>\n";

struct Place {
  int x = 0;
  int y = 0;
  int width = 0;
};

constexpr int k_height = 44;
constexpr int k_margin = 16;

/// From top to bottom: each node below what it waits for, and not more than a few beside each other.
std::map<std::string, Place> places_of(const Graph& graph) {
  constexpr int k_gap = 24;
  constexpr int k_row = 88;
  constexpr int k_letter = 8;
  constexpr std::size_t k_most_in_a_row = 4;
  std::map<std::string, int> ranks;
  std::map<int, std::vector<const GraphNode*>> nodes_of_rank;
  for (const auto& node : graph.nodes) {
    int rank = 0;
    for (const auto& edge : graph.edges) {
      const auto before = ranks.find(edge.from);
      rank = edge.to == node.id && before != ranks.end() ? std::max(rank, before->second + 1) : rank;
    }
    ranks[node.id] = rank;
    nodes_of_rank[rank].push_back(&node);
  }
  std::vector<std::vector<const GraphNode*>> rows;
  for (const auto& [rank, nodes] : nodes_of_rank) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i % k_most_in_a_row == 0) {
        rows.emplace_back();
      }
      rows.back().push_back(nodes[i]);
    }
  }
  std::map<std::string, Place> places;
  std::vector<int> widths;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    int right = 0;
    for (const auto* node : rows[row]) {
      const auto letters = std::max(node->id.size(), node->state.size());
      const auto width = static_cast<int>(letters) * k_letter + 24;
      places[node->id] = {right, k_margin + static_cast<int>(row) * k_row, width};
      right += width + k_gap;
    }
    widths.push_back(right - k_gap);
  }
  const auto widest = widths.empty() ? 0 : *std::max_element(widths.begin(), widths.end());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (const auto* node : rows[row]) {
      places[node->id].x += k_margin + (widest - widths[row]) / 2;
    }
  }
  return places;
}

std::string svg_edge(const GraphEdge& edge, const Place& above, const Place& below) {
  const auto from = above.x + above.width / 2;
  const auto to = below.x + below.width / 2;
  const auto high = above.y + k_height;
  const auto middle = (high + below.y) / 2;
  auto text = fmt::format(
      "<path d=\"M{} {} C{} {} {} {} {} {}\" fill=\"none\" stroke=\"#888\"/>\n", from, high, from, middle, to,
      middle, to, below.y);
  if (!edge.label.empty()) {
    text += fmt::format(
        "<text class=\"label\" x=\"{}\" y=\"{}\" fill=\"#666\" font-size=\"10\">{}</text>\n",
        (from + to) / 2 + 6, middle + 3, xml(edge.label));
  }
  return text;
}

std::string svg_form(const Graph& graph) {
  const auto places = places_of(graph);
  int right = 0;
  int bottom = 0;
  for (const auto& [id, place] : places) {
    right = std::max(right, place.x + place.width);
    bottom = std::max(bottom, place.y + k_height);
  }
  auto text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"monospace\" font-size=\"12\">\n<title>{2}</title>\n{3}",
      right + k_margin, bottom + k_margin, xml(graph.name), k_dark);
  for (const auto& edge : graph.edges) {
    text += svg_edge(edge, places.at(edge.from), places.at(edge.to));
  }
  for (const auto& node : graph.nodes) {
    const auto& place = places.at(node.id);
    const auto round = node.kind == "service" ? k_height / 2 : 4;
    text += fmt::format(
        "<g class=\"pyro-node{}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{}\" "
        "stroke=\"#333\"{}/>\n"
        "<text x=\"{}\" y=\"{}\">{}</text><text class=\"state\" x=\"{}\" y=\"{}\" "
        "fill=\"#555\">{}</text></g>\n",
        is_good(node) ? " is-good" : "", place.x, place.y, place.width, k_height, round,
        is_good(node) ? "#dff0d8" : "#fff", is_good(node) ? "" : " stroke-dasharray=\"4\"", place.x + 12,
        place.y + 18, xml(node.id), place.x + 12, place.y + 34, xml(node.state));
  }
  return text + "</svg>\n";
}

} // namespace

std::string render_graph(const Graph& graph, GraphForm form) {
  switch (form) {
  case GraphForm::text:
    return text_form(graph);
  case GraphForm::dot:
    return dot_form(graph);
  case GraphForm::mermaid:
    return mermaid_form(graph);
  case GraphForm::svg:
    break;
  }
  return svg_form(graph);
}

} // namespace pyro::workspace

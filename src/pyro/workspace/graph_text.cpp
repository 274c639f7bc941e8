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

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : escape_controls(text)) {
    result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
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
  auto text =
      fmt::format("digraph {} {{\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n", quoted(graph.name));
  for (const auto& node : graph.nodes) {
    text += fmt::format(
        "  {} [shape={}, label={}, style={}];\n", quoted(node.id), shapes.at(node.kind),
        quoted(node.id + "\n" + node.state), is_good(node) ? "filled" : "dashed");
  }
  for (const auto& edge : graph.edges) {
    text += fmt::format("  {} -> {}", quoted(edge.from), quoted(edge.to));
    text += edge.label.empty() ? ";\n" : fmt::format(" [label={}];\n", quoted(edge.label));
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

/// In columns: each node one further to the right than what it waits for.
std::string svg_form(const Graph& graph) {
  constexpr int k_height = 44;
  constexpr int k_gap = 56;
  constexpr int k_row = 64;
  constexpr int k_letter = 8;
  std::map<std::string, int> columns;
  std::map<int, int> widths;
  std::map<int, int> rows;
  std::map<std::string, std::pair<int, int>> places; // column, row
  for (const auto& node : graph.nodes) {
    int column = 0;
    for (const auto& edge : graph.edges) {
      const auto before = columns.find(edge.from);
      column = edge.to == node.id && before != columns.end() ? std::max(column, before->second + 1) : column;
    }
    columns[node.id] = column;
    const auto letters = std::max(node.id.size(), node.state.size());
    widths[column] = std::max(widths[column], static_cast<int>(letters) * k_letter + 24);
    places[node.id] = {column, rows[column]++};
  }
  std::map<int, int> lefts;
  int right = 16;
  for (const auto& [column, width] : widths) {
    lefts[column] = right;
    right += width + k_gap;
  }
  int most = 0;
  for (const auto& [column, count] : rows) {
    most = std::max(most, count);
  }
  const auto x = [&](const std::string& id) {
    return lefts[places.at(id).first];
  };
  const auto y = [&](const std::string& id) {
    return 16 + places.at(id).second * k_row;
  };
  auto text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"monospace\" font-size=\"12\">\n<title>{2}</title>\n",
      right - k_gap + 16, most * k_row + 16, xml(graph.name));
  for (const auto& edge : graph.edges) {
    const auto from = x(edge.from) + widths[places.at(edge.from).first];
    const auto to = x(edge.to);
    const auto high = y(edge.from) + k_height / 2;
    const auto low = y(edge.to) + k_height / 2;
    text += fmt::format(
        "<path d=\"M{} {} C{} {} {} {} {} {}\" fill=\"none\" stroke=\"#888\"/>\n", from, high,
        from + k_gap / 2, high, to - k_gap / 2, low, to, low);
    if (!edge.label.empty()) {
      text += fmt::format(
          "<text x=\"{}\" y=\"{}\" fill=\"#666\" font-size=\"10\" text-anchor=\"middle\">{}</text>\n",
          (from + to) / 2, (high + low) / 2 - 4, xml(edge.label));
    }
  }
  for (const auto& node : graph.nodes) {
    const auto round = node.kind == "service" ? k_height / 2 : 4;
    text += fmt::format(
        "<g><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{}\" stroke=\"#333\"{}/>\n"
        "<text x=\"{}\" y=\"{}\">{}</text><text x=\"{}\" y=\"{}\" fill=\"#555\">{}</text></g>\n",
        x(node.id), y(node.id), widths[columns[node.id]], k_height, round, is_good(node) ? "#dff0d8" : "#fff",
        is_good(node) ? "" : " stroke-dasharray=\"4\"", x(node.id) + 12, y(node.id) + 18, xml(node.id),
        x(node.id) + 12, y(node.id) + 34, xml(node.state));
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

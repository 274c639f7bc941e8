#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace graph_command {

namespace {

constexpr std::string_view k_page = R"(
Shows what pyro.yaml is made of: layers in the order in which they are built, and whether they are cached; the services and
what each waits for; the snapshots and where they are taken. As lines, as a drawing (svg), or in the language of Graphviz
or Mermaid.

Examples:
  pyro graph
  pyro graph -o svg > graph.svg
  pyro graph -o dot | dot -Tpng > graph.png
)";

constexpr std::array k_options{
    Option{"--output", "-o", "FORMAT", "Form of the graph", "text|dot|mermaid|svg|json"},
    k_agree_to_host,
};

int run(Session& session) {
  const auto form = session.arguments().value("output", "text");
  auto parameters = session.where();
  take_switch(session, "allow-host-compat", parameters);
  parameters["format"] = form == "json" ? "text" : form;
  const auto graph = session.call("graph", parameters);
  if (form == "json") {
    session.show_line(graph.dump());
    return 0;
  }
  session.show(graph, [](const Json& result) { return get_string(result, "text"); });
  return 0;
}

} // namespace

} // namespace graph_command

constinit const Command k_graph{
    .name = "graph",
    .summary = "Show what is made of what, and what waits for what",
    .page = graph_command::k_page,
    .run = graph_command::run,
    .options = graph_command::k_options,
};

} // namespace pyro::cli

#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace why_command {

namespace {

constexpr std::string_view k_page = R"(
Explains the plan at one address, with the place in pyro.yaml: what changed, which input of a step differs from the
last build, why a cached layer was not used. Addresses are the ones that plan prints.

Examples:
  pyro why environment.setup.deps
  pyro why services.api
  pyro why workspace
)";

constexpr std::array k_options{
    k_agree_to_host,
};

constexpr std::array k_operands{
    Operand{"ADDRESS", Count::one, "As in the plan: services.api, environment.setup.os"}};

int run(Session& session) {
  auto parameters = session.where();
  parameters["address"] = session.arguments().operands.front();
  take_switch(session, "allow-host-compat", parameters);
  session.show(session.call("why", parameters), [](const Json& answer) {
    const auto text = string_or(answer, "text", "");
    return text.empty() ? render_document(answer) : text + (text.ends_with('\n') ? "" : "\n");
  });
  return 0;
}

} // namespace

} // namespace why_command

constinit const Command k_why{
    .name = "why",
    .summary = "Explain a planned action or a cache miss",
    .page = why_command::k_page,
    .run = why_command::run,
    .options = why_command::k_options,
    .operands = why_command::k_operands,
};

} // namespace pyro::cli

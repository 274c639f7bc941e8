#include <pyro/cli/commands.hpp>
#include <pyro/cli/junit.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace verify_command {

namespace {

constexpr std::string_view k_page = R"(
Builds the setup steps, the seed and the prepare steps of pyro.yaml twice, without the cache and beside every workspace,
and compares the files. Names each that differs, the step that made it, and what the difference looks like: times, the
same things in another order, random names or numbers, or something that the network gave. Times of files do not count.
status and why show what was found.

Examples:
  pyro verify
  pyro verify -o junit > pyro.xml    a test case for each step
  pyro verify --json | jq '.differing[] | select(.class == "network")'

Exit status: 0; 8 if something differs.
)";

constexpr std::array k_options{Option{"--timeout", "", "DURATION", "Give up after that long (124)"}};
constexpr int k_differs = 8;

int run(Session& session) {
  auto parameters = session.where();
  if (const auto timeout = session.arguments().value("timeout"); !timeout.empty()) {
    parameters["timeout"] = timeout;
  }
  const auto result = session.call("verify", parameters);
  if (session.format() == Format::junit) {
    session.finish_progress();
    session.console().out(junit_of_verification(result));
  } else {
    session.show(result, [&](const Json& found) { return render_verification(found, session.out_style()); });
  }
  return get_bool(result, "reproducible") ? 0 : k_differs;
}

} // namespace

} // namespace verify_command

constinit const Command k_verify{
    .name = "verify",
    .summary = "Build twice without the cache and compare",
    .page = verify_command::k_page,
    .run = verify_command::run,
    .options = verify_command::k_options,
    .forms = "text|json|jsonl|github|junit",
};

} // namespace pyro::cli

#include "prompts.hpp"

#include "json_rpc.hpp"

#include <array>
#include <string_view>

namespace pyro::mcp {

namespace {

struct Prompt {
  std::string_view name;
  std::string_view description;
  std::string_view argument; // its one argument, required
  std::string_view argument_description;
  std::string_view text; // the argument's value stands where {} is
};

constexpr std::array k_prompts{
    Prompt{
        "reproduce_and_fix", "Reproduce a fault in a workspace, fix it there, and hand over the diff",
        "fault", "What goes wrong, and how one sees it",
        R"(Reproduce and fix this fault in a pyro workspace, not on this machine:

{}

1. `apply` makes the workspace of the project (its pyro.yaml); without one, `workspace_create`.
2. Reproduce the fault with `exec`. Do not change anything before you have seen it fail.
3. `snapshot_create` a snapshot named "reproduced".
4. Try a fix. When a try has made things worse, `reset` to "reproduced" rather than repairing it.
5. Show with `exec` that the fault is gone and the project's own tests pass.
6. Report the `diff`, and what you ran to see it fail and to see it pass.)"},
    Prompt{
        "review", "Look at what was done in a workspace and judge it", "workspace",
        "Name or id of the workspace",
        R"(Review what was done in the pyro workspace "{}".

1. `status`: is it running, are its services ready, what was its last error?
2. `diff` with patches: read every change. Name what is wrong, risky or unrelated, by file and line.
3. Run the project's tests with `exec`; a change that no test covers is a finding.
4. Do not change the content. End with: keep, keep after these changes, or `reset`.)"},
    Prompt{
        "cold_start", "Write a first pyro.yaml for a project and make it work", "project",
        "The directory of the project",
        R"(Write a pyro.yaml for the project in {} and make `apply` succeed.

1. Read what the project says about building and testing itself.
2. The resource pyro://schema is the format. Write the smallest file that does it: an image, the steps that prepare
   it with what they read as inputs, the services with a readiness probe each.
3. `plan`, then `apply`. On a failure read the step's output, change the file, `apply` again: what was built is kept.
4. Run the project's tests with `exec`, then `reset` and run them again: they must pass from the snapshot too.)"}};

} // namespace

Json prompt_list() {
  auto list = Json::array();
  for (const auto& prompt : k_prompts) {
    list.push_back(
        {{"name", prompt.name},
         {"description", prompt.description},
         {"arguments", Json::array(
                           {{{"name", prompt.argument},
                             {"description", prompt.argument_description},
                             {"required", true}}})}});
  }
  return list;
}

Json prompt_of(const std::string& name, const Json& arguments) {
  for (const auto& prompt : k_prompts) {
    if (prompt.name != name) {
      continue;
    }
    const auto given = arguments.find(prompt.argument);
    if (given == arguments.end() || !given->is_string()) {
      throw RpcError(
          k_invalid_params,
          "the prompt '" + name + "' needs the argument '" + std::string(prompt.argument) + "'");
    }
    std::string text(prompt.text);
    text.replace(text.find("{}"), 2, given->get<std::string>());
    return {
        {"description", prompt.description},
        {"messages", Json::array({{{"role", "user"}, {"content", {{"type", "text"}, {"text", text}}}}})}};
  }
  throw RpcError(k_invalid_params, "there is no prompt '" + name + "'");
}

} // namespace pyro::mcp

// The operation table as tools: which of them a profile shows, and how each is described to a model.
#pragma once

#include <pyro/operations/operation.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::mcp {

/// How many tools are listed; a client pays for each with tokens. `core` has at most 12 in 3,000 tokens.
enum class Profile { core, workspace, full };

std::optional<Profile> profile_of(std::string_view name);

struct ToolChoice {
  Profile profile = Profile::core;
  bool read_only = false;   // only what changes nothing
  std::string project_path; // where `directory` points by default; empty: the server's directory
};

class Tools {
public:
  explicit Tools(const ToolChoice& choice);

  /// As tools/list answers, in the table's order.
  const Json& definitions() const { return m_definitions; }

  /// Is there a tool of that name in this choice?
  bool has(std::string_view name) const;

  /// "there is no tool …" with the nearest name and the way to more.
  std::string unknown(std::string_view name) const;

  /// The arguments as the operation takes them.
  Json parameters_for(std::string_view name, Json arguments) const;

private:
  ToolChoice m_choice;
  std::vector<std::string> m_names;
  Json m_definitions = Json::array();
};

/// The tools that are the server's own: how a call that takes long is waited for.
inline constexpr std::string_view k_call_wait = "call_wait";

} // namespace pyro::mcp

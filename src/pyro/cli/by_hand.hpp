// What the commands of the by-hand family (vm, run, workspace …) share: the workspace they are about, flags
// that several have, and values of flags as parameters.
#pragma once

#include "command.hpp"
#include "session.hpp"

#include <array>
#include <string>
#include <string_view>

namespace pyro::cli {

inline constexpr Operand k_workspace_operand{
    "WORKSPACE", Count::one, "Its id, a unique part of its beginning, or name"};
inline constexpr std::array k_one_workspace{k_workspace_operand};

inline constexpr Option k_id_only{"--id-only", "", "", "Print the id alone"};
inline constexpr Option k_vcpu_count{"--vcpu-count", "", "N", "Processors; default: 1"};
inline constexpr Option k_mem_mib{"--mem-mib", "", "N", "Memory in MiB; default: 1024"};
inline constexpr Option k_ttl_seconds{"--ttl-seconds", "", "N", "Time to live; default: 600"};
inline constexpr Option k_timeout_seconds{
    "--timeout-seconds", "", "N", "Kill it then and exit 124; default: 30"};
inline constexpr Option k_network_policy{
    "--network-policy", "", "POLICY", "Network beyond itself; default: off", "off|egress"};
inline constexpr Option k_allow_host_compat{
    "--allow-host-compat", "", "", "Run without isolation where there is none to be had"};
inline constexpr Option k_name{"--name", "", "NAME", "Default: made up"};
inline constexpr Option k_label{"--label", "", "KEY=VALUE", "May be given several times", "", Repeat::yes};
inline constexpr Option k_backend{"--backend", "", "NAME", "Default: the strongest that works here"};
inline constexpr Option k_secret{
    "--secret", "", "NAME[=VALUE]", "Without a value: that of our variable NAME", "", Repeat::yes};
inline constexpr Option k_secret_file{"--secret-file", "", "NAME=PATH", "A secret that a file holds", "",
                                      Repeat::yes};
inline constexpr Option k_secret_env{
    "--secret-env", "", "NAME[=ENV]", "Give it the secret NAME as variable ENV", "", Repeat::yes};
inline constexpr Option k_cwd{"--cwd", "", "DIR", "Default: /workspace"};
inline constexpr Option k_env{"--env", "-e",       "NAME=VALUE", "On top of the workspace's variables",
                              "",      Repeat::yes};

/// {"workspace_id": the first operand}
Json by_id(const Session& session);

/// Sets `key` to the number of a flag, where it was given. Throws Error(usage) for what is no whole number.
void take_number(const Session& session, std::string_view flag, Json& parameters);
/// Sets it to the text of a flag, where it was given. "--seed-path" is "seed_path".
void take_text(const Session& session, std::string_view flag, Json& parameters);
/// Sets it to true where the switch was given.
void take_switch(const Session& session, std::string_view flag, Json& parameters);
/// {"A": "1"} of repeated A=1; throws Error(usage) for one without '='. Not set where none was given.
void take_pairs(const Session& session, std::string_view flag, std::string_view key, Json& parameters);

/// --secret and --secret-file as `secrets`: [{name, value | file_path}].
void take_secrets(Session& session, Json& parameters);
/// --secret-env as {NAME: ENV}.
std::map<std::string, std::string> secret_env_of(const Session& session);

/// The result of something that was made: with --id-only the id under `key` alone, else as text.
void show_made(
    Session& session, const Json& result, std::string_view key,
    const std::function<std::string(const Json&)>& text);

/// A request of `exec` and `run`: the program, --cwd, --env, --secret-env, --timeout-seconds; our Ctrl-C
/// becomes the command's.
operations::ExecRequest by_hand_exec_request(const Session& session);
/// Our standard input where it is a pipe or file; our output.
operations::ExecStreams own_streams(Session& session);

} // namespace pyro::cli

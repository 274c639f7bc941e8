// What `pyro vm …` and `pyro run ENV` share: flags, their values as parameters, and running the command.
#pragma once

#include "by_hand.hpp"

namespace pyro::cli {

inline constexpr std::array k_vm_environment{
    Operand{"ENVIRONMENT", Count::one, "debian:12, host, dir:PATH, tar:PATH, …"}};

inline constexpr std::array k_vm_create_options{
    k_name,           k_vcpu_count, k_mem_mib,           k_ttl_seconds,
    k_network_policy, k_backend,    k_allow_host_compat, k_id_only,
};

inline constexpr Option k_vm_user{"--user", "-u", "USER", "Default: the image's"};

inline constexpr std::array k_vm_exec_options{k_cwd, k_env, k_vm_user, k_timeout_seconds};

/// Parameters of vm_create from flags and the first operand.
Json vm_parameters_of(const Session& session);

/// The command after "--" in a VM: `operation` is vm_exec or vm_run, `vm` its parameters but for the command.
/// Streams, or one document with --json. Returns the command's exit status.
int exec_in_vm(Session& session, std::string_view operation, const Json& vm);

} // namespace pyro::cli

// What Linux takes of arguments and variables in one execve(2), told before anything is sent.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace pyro::protocol {

/// One of them with its NUL (MAX_ARG_STRLEN), and all together with their pointers, by the usual limit of the
/// stack; where a sandbox has a smaller one, its kernel says so.
inline constexpr std::size_t k_max_argument = 128 << 10;
inline constexpr std::size_t k_max_arguments_and_variables = 2 << 20;

/// Throws Error(invalid_argument) that names what is too long.
void check_kernel_limits(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env);

} // namespace pyro::protocol

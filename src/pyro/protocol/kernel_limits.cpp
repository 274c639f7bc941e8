#include "kernel_limits.hpp"

#include <pyro/base/error.hpp>

namespace pyro::protocol {

namespace {

constexpr const char* k_hint = "pass it on standard input, or in a file";

void check_one(const std::string& what, std::size_t size) {
  if (size > k_max_argument) {
    throw Error(
        ErrorCode::invalid_argument, "{} of the command has {} bytes; the kernel takes {} at most", what,
        size - 1, k_max_argument - 1)
        .with_hint(k_hint);
  }
}

} // namespace

void check_kernel_limits(
    const std::vector<std::string>& argv, const std::map<std::string, std::string>& env) {
  std::size_t all = 0;
  const auto count = [&all](std::size_t size) {
    all += size + sizeof(char*);
  };
  for (std::size_t i = 0; i < argv.size(); ++i) {
    const auto size = argv[i].size() + 1;
    check_one(fmt::format("argument {}", i), size);
    count(size);
  }
  for (const auto& [name, value] : env) {
    const auto size = name.size() + 1 + value.size() + 1;
    check_one("the variable " + name.substr(0, 80), size);
    count(size);
  }
  if (all > k_max_arguments_and_variables) {
    throw Error(
        ErrorCode::invalid_argument,
        "arguments and variables of the command have {} bytes together; the kernel takes {} at most", all,
        k_max_arguments_and_variables)
        .with_hint(k_hint);
  }
}

} // namespace pyro::protocol

// One-shot VMs and images as text for people. Pure, like render.hpp.
#pragma once

#include "style.hpp"

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::cli {

std::string render_vm(const Json& vm, Style style, double now);
std::string render_vm_list(const Json& result, Style style, double now);
std::string render_vm_network(const Json& info);

/// Of `pyro env inspect`.
std::string render_environment(const Json& environment, double now);

} // namespace pyro::cli

// What a virtual machine needs that a sandbox of namespaces does not: a kernel, layers as images, a disk.
#pragma once

#include "sandboxes.hpp"

namespace pyro::workspace {

/// Where saved guests are kept: a cache, removed by `pyro prune --all` or by hand at any time. PYRO_TEMPLATES
/// (absolute), else in the base.
std::string templates_directory(const store::Base& base);

/// The directories of those that are there.
std::vector<std::string> saved_templates(const store::Base& base);

/// How much they may take: PYRO_TEMPLATE_BUDGET (a size such as 4GiB, or 0 for none), else 2 GiB.
std::int64_t template_budget();

/// Makes the images that are missing. Error(unavailable) where there is no guest kernel.
backend::VirtualMachine describe_machine(const Context& context, const SandboxRequest& request);

} // namespace pyro::workspace

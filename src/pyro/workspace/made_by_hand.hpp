// Workspaces made by hand, without a pyro.yaml.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

struct Context;

/// Started, with its seed; the same document as status. A failure leaves nothing behind.
Json create_workspace(Context& context, const CreateRequest& request);

/// Name and labels of one made by hand (a declared one's are in its file); nullopt and empty change nothing.
/// `workspace` is an id, a unique id prefix or a name.
Json update_workspace(
    Context& context, const std::string& workspace, const std::optional<std::string>& name,
    const std::map<std::string, std::string>& labels, const std::vector<std::string>& clear_labels);

} // namespace pyro::workspace

// What pyro.yaml files may take from this machine: shown, agreed to, listed, taken back.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// What the file wants of this machine outside its directory: {"checkout", "file", "profile", "digest",
/// "requests": [{kind, what, address, position}], "added", "removed" (since it was last agreed to),
/// "agreed": bool}. Nothing of it is read or run.
Json show_host_requests(const Context& context, const Project& project);

/// Agrees to exactly that list; with `digest`, Error(stale) where the list is another one by now. The same
/// document.
Json agree_to_host_requests(const Context& context, const Project& project, const std::string& digest);

/// {"count", "checkouts": [{checkout, present, agreements: [{digest, file, profile, requests,
/// agreed_at}]}], "damaged"}
Json list_agreements(const Context& context);

/// All that was agreed to for a checkout; empty: that of the project. {"checkout", "removed": bool}
Json remove_agreements(const Context& context, const std::string& checkout, const Project& project);

} // namespace pyro::workspace

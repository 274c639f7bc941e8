// How who is refused is told why, in the language that it speaks.
#pragma once

#include <string>

namespace pyro::gateway {

enum class Language { unknown, http, tls, other };

enum class RefusalKind {
  denied, // by the policy
  failed, // the other side cannot be reached
};

/// The bytes that say it; empty: nothing can be said but the end.
std::string refusal_for(Language language, RefusalKind kind, const std::string& reason);

} // namespace pyro::gateway

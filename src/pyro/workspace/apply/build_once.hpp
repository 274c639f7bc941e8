// Applies that want the same layer at once: one builds it, the others wait and take it.
#pragma once

#include "planning.hpp"

#include <chrono>
#include <functional>

namespace pyro::workspace {

/// Is its layer there, with all below it?
bool is_built(const Context& context, const plan::Link& link);

/// How long an honest builder of it may take: a step with all its tries; nothing else says.
std::chrono::milliseconds longest_build(const spec::Spec& spec, const std::string& address);

/// Builds the link with `build` unless somebody else did since it was planned. Says for whom it waits;
/// whoever dies at it or fails is followed by the next. `longest`: see longest_build(). With
/// UseCache::no it is built in any case.
void build_once(
    const Context& context, const plan::Link& link, UseCache use_cache, std::chrono::milliseconds longest,
    const std::function<void()>& build);

} // namespace pyro::workspace

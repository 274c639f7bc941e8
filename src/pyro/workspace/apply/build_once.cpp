#include "build_once.hpp"

#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>

namespace pyro::workspace {

bool is_built(const Context& context, const plan::Link& link) {
  const auto recipe = context.recipes.find(link.key);
  return recipe && std::all_of(recipe->layers.begin(), recipe->layers.end(), [&](const auto& digest) {
           return context.layers.find(digest).has_value();
         });
}

std::chrono::milliseconds longest_build(const spec::Spec& spec, const std::string& address) {
  constexpr std::chrono::minutes k_else{10};
  for (const auto* steps : {&spec.environment.setup, &spec.prepare}) {
    for (const auto& step : *steps) {
      if (address.ends_with("." + step.id)) {
        return step.timeout * (step.retries + 1) + std::chrono::minutes(1);
      }
    }
  }
  return k_else;
}

void build_once(
    const Context& context, const plan::Link& link, UseCache use_cache, std::chrono::milliseconds longest,
    const std::function<void()>& build) {
  os::make_directories(context.base.build_locks());
  const os::ExclusiveLock lock(
      context.base.build_locks() + "/" + link.key, "an apply that builds " + link.address,
      std::max(longest, context.settings.lock_timeout), context.tell_waiting(link.address));
  if (use_cache == UseCache::no || !is_built(context, link)) {
    build();
  }
}

} // namespace pyro::workspace

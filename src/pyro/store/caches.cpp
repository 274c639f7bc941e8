#include "caches.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>

#include <optional>

namespace pyro::store {

namespace {

constexpr std::string_view k_machine = "machine";
constexpr std::string_view k_checkout = "checkout-";
constexpr std::string_view k_owner = "owner.json";

std::string folder_of(const std::string& checkout) {
  return checkout.empty() ? std::string(k_machine)
                          : fmt::format("{}{}", k_checkout, Sha256{}.field(checkout).finish().substr(0, 32));
}

/// The checkout that a folder says it belongs to; nullopt where it does not say, or says what its name
/// denies.
std::optional<std::string> owner_of(const std::string& folder, const std::string& name) {
  try {
    const auto text = os::maybe_read_file(fmt::format("{}/{}", folder, k_owner), 64 << 10);
    if (!text) {
      return std::nullopt;
    }
    auto checkout = get_string(parse_json(*text, "owner of a cache"), "checkout");
    return folder_of(checkout) == name ? std::optional(std::move(checkout)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

} // namespace

std::string cache_directory(const Base& base, const CacheKey& key) {
  const auto folder = fmt::format("{}/{}", base.caches(), folder_of(key.checkout));
  os::make_directories(folder);
  const auto owner = fmt::format("{}/{}", folder, k_owner);
  if (!key.checkout.empty() && !os::exists(owner)) {
    os::write_json_atomically(owner, {{"checkout", key.checkout}}, os::Durable::no);
  }
  return fmt::format("{}/{}", folder, Sha256{}.field(key.image).field(key.target).finish().substr(0, 32));
}

std::vector<StaleCache>
stale_caches(const Base& base, const std::optional<std::set<std::string>>& needed_by) {
  std::vector<StaleCache> stale;
  for (const auto& name : os::list_directory(base.caches())) {
    auto path = base.caches() + "/" + name;
    if (name == k_machine) {
      if (needed_by && needed_by->empty()) {
        stale.push_back({std::move(path), name, "there is no workspace"});
      }
      continue;
    }
    if (!name.starts_with(k_checkout)) {
      stale.push_back({std::move(path), name, "of an older pyro, which did not say whose it was"});
      continue;
    }
    const auto checkout = owner_of(path, name);
    if (!checkout) {
      stale.push_back({std::move(path), name, "nobody's"});
    } else if (!os::is_directory(*checkout)) {
      stale.push_back({std::move(path), name, fmt::format("its checkout {} is gone", *checkout)});
    } else if (needed_by && !needed_by->contains(*checkout)) {
      stale.push_back({std::move(path), name, fmt::format("there is no workspace of {}", *checkout)});
    }
  }
  return stale;
}

} // namespace pyro::store

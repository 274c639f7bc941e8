#include "beneath.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <fcntl.h>

namespace pyro::os {

namespace {

constexpr std::size_t k_at_once = 3000; // below PATH_MAX with a name to spare

/// As many components as one call can take; `rest` keeps the others.
std::string take_some(std::string_view& rest) {
  auto end = rest.size();
  if (end > k_at_once) {
    end = rest.find('/', k_at_once);
    end = end == std::string_view::npos ? rest.size() : end;
  }
  std::string some(rest.substr(0, end));
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return some;
}

} // namespace

std::optional<Fd> Beneath::directory(std::string_view path) {
  constexpr int k_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  if (path.empty()) {
    return open_at(m_root, ".", k_flags);
  }
  std::optional<Fd> here;
  while (!path.empty()) {
    here = maybe_open_beneath(here ? here->get() : m_root, take_some(path), k_flags);
    if (!here) {
      return std::nullopt;
    }
  }
  return here;
}

std::optional<Beneath::Place> Beneath::place_of(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto parent = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (!m_last || parent != m_last_path) {
    m_last = directory(parent);
    m_last_path = parent;
  }
  return m_last ? std::optional(Place{m_last->get(), std::string(name)}) : std::nullopt;
}

Beneath::Place Beneath::require(std::string_view path) {
  auto place = place_of(path);
  if (!place) {
    throw Error(ErrorCode::stale, "the directory of {} is not there", path);
  }
  return std::move(*place);
}

} // namespace pyro::os

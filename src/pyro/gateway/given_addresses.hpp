// The addresses that names get inside a workspace: of a range that is nobody's (RFC 2544), one for each name,
// never given to another. So who connects to one asked for the name before. They follow from the names, so
// that what was kept with a machine's memory finds the same again, as a rule.
#pragma once

#include <pyro/base/destination.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace pyro::gateway {

class GivenAddresses {
public:
  /// The one it has; a new one where it has none. nullopt: there are no more.
  std::optional<Destination> of(const std::string& name);
  /// nullopt: nobody was given it.
  std::optional<std::string> name_at(const Destination& address) const;
  /// Is it of the range?
  static bool holds(const Destination& address);

private:
  std::map<std::string, std::uint32_t, std::less<>> m_numbers;
  std::map<std::uint32_t, std::string> m_names;
};

} // namespace pyro::gateway

// Enumerations in records are told by their names.
#pragma once

#include <pyro/base/error.hpp>

#include <array>
#include <string>

namespace pyro::store {

template <typename Enum, std::size_t count>
Enum enum_from(const std::array<Enum, count>& all, const std::string& name, std::string_view key) {
  for (const Enum each : all) {
    if (name_of(each) == name) {
      return each;
    }
  }
  throw Error(ErrorCode::protocol, "\"{}\" has the unknown value {:?}", key, name);
}

} // namespace pyro::store

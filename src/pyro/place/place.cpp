#include "place.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>

namespace pyro::place {

namespace {

constexpr std::size_t k_longest_name = 128;
constexpr std::string_view k_slurm = "slurm:";

/// What may stand in an argument of Slurm's programs as one name: never an option, never a list.
bool is_name(std::string_view name) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'
           || c == '.';
  };
  return !name.empty() && name.size() <= k_longest_name && name.front() != '-'
         && std::all_of(name.begin(), name.end(), is_part);
}

Error no_place(std::string_view text) {
  return Error(ErrorCode::invalid_argument, "'{}' is no place", text)
      .with_hint("here, or slurm:PARTITION[,qos=NAME][,account=NAME]; `pyro on` lists them");
}

void take_option(std::string_view text, std::string_view option, Place& place) {
  const auto equals = option.find('=');
  const auto key = option.substr(0, equals);
  auto* value = key == "qos" ? &place.qos : key == "account" ? &place.account : nullptr;
  if (equals == std::string_view::npos || value == nullptr || !value->empty()
      || !is_name(option.substr(equals + 1))) {
    throw no_place(text);
  }
  *value = option.substr(equals + 1);
}

} // namespace

Place parse_place(std::string_view text) {
  if (text == "here") {
    return {};
  }
  if (!text.starts_with(k_slurm)) {
    throw no_place(text);
  }
  Place place;
  place.kind = PlaceKind::slurm;
  auto rest = text.substr(k_slurm.size());
  auto comma = rest.find(',');
  place.partition = rest.substr(0, comma);
  if (!is_name(place.partition)) {
    throw no_place(text);
  }
  while (comma != std::string_view::npos) {
    rest.remove_prefix(comma + 1);
    comma = rest.find(',');
    take_option(text, rest.substr(0, comma), place);
  }
  return place;
}

std::string to_string(const Place& place) {
  if (place.kind == PlaceKind::here) {
    return "here";
  }
  auto text = std::string(k_slurm) + place.partition;
  for (const auto& [key, value] : {std::pair{"qos", place.qos}, std::pair{"account", place.account}}) {
    if (!value.empty()) {
      text += fmt::format(",{}={}", key, value);
    }
  }
  return text;
}

} // namespace pyro::place

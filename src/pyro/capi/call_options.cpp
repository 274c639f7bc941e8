#include "call_options.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <cstring>

namespace pyro::capi {

namespace {

constexpr std::size_t k_longest_text = 64U << 20U; // parameters are no way for the content of trees
constexpr std::size_t k_largest_options = 4096;

pyro_call_options checked(const pyro_call_options& given) {
  if (given.size < sizeof(pyro_call_options) || given.size > k_largest_options) {
    throw Error(
        ErrorCode::invalid_argument, "pyro_call_options.size is {}, not sizeof(pyro_call_options)",
        given.size);
  }
  const auto* bytes = reinterpret_cast<const char*>(&given);
  if (std::any_of(
          bytes + sizeof(pyro_call_options), bytes + given.size, [](char byte) { return byte != 0; })) {
    throw Error(ErrorCode::invalid_argument, "pyro_call_options has fields that this library does not know")
        .with_hint("it was compiled for a newer libpyro; pyro_version() tells which this is");
  }
  return given;
}

} // namespace

Json parameters_of(const char* text) {
  if (text == nullptr) {
    return Json::object();
  }
  const auto size = ::strnlen(text, k_longest_text + 1);
  if (size > k_longest_text) {
    throw Error(ErrorCode::invalid_argument, "the parameters have more than {} bytes", k_longest_text);
  }
  try {
    auto parameters = parse_json({text, size}, "the text of parameters");
    if (!parameters.is_object()) {
      throw Error(ErrorCode::invalid_argument, "the parameters are no object");
    }
    return parameters;
  } catch (Error& error) {
    throw error.with_code(ErrorCode::invalid_argument);
  }
}

CallWishes wishes_of(const pyro_call_options* options) {
  CallWishes wishes;
  wishes.cancelled = [] {
    return false;
  };
  if (options == nullptr) {
    return wishes;
  }
  const auto given = checked(*options);
  if (given.cancel != nullptr) {
    wishes.cancelled = [cancel = given.cancel] {
      return cancel->is_requested.load();
    };
  }
  if (given.on_event != nullptr) {
    wishes.on_event = [given](const operations::Event& event) {
      const auto line = to_json(event).dump(-1, ' ', false, Json::error_handler_t::replace);
      given.on_event(given.user, line.c_str());
    };
  }
  return wishes;
}

} // namespace pyro::capi

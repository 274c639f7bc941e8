// Small JSON files that may be missing or damaged: then they are as if they were not there. For files of this
// folder only.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/base/log.hpp>
#include <pyro/os/fd.hpp>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>

namespace pyro::environment {

inline constexpr std::string_view k_record_suffix = ".json";

template <typename Result, typename Read>
std::optional<Result> read_or_miss(const std::string& path, const Read& read) {
  try {
    const auto text = os::maybe_read_file(path);
    return text ? std::optional<Result>(read(parse_json(*text, path))) : std::nullopt;
  } catch (const Error& error) {
    log::debug("environment cache: {}", error.what());
    return std::nullopt;
  }
}

inline void remove_record(const std::string& path) {
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) {
    throw Error::from_errno(errno, fmt::format("remove {}", path));
  }
}

} // namespace pyro::environment

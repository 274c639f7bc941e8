#include "input_pattern.hpp"

#include "gitignore.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

namespace pyro::seed {

namespace {

constexpr std::string_view k_everything = "**";

/// The names on the way, without what does not lead anywhere: "./a//b/" is "a/b".
std::string normal(std::string_view written) {
  std::string path;
  for (const auto& name : fields_of(written, '/')) {
    if (name == "..") {
      throw Error(ErrorCode::invalid_argument, "input '{}' must be a path inside the seed", written);
    }
    if (!name.empty() && name != ".") {
      path = joined(path, name);
    }
  }
  return path;
}

} // namespace

InputPattern::InputPattern(std::string_view written) : m_glob(normal(written)) {
  if (written.starts_with('/')) {
    throw Error(ErrorCode::invalid_argument, "input '{}' must be a path inside the seed", written);
  }
  if (m_glob.empty()) {
    m_glob = k_everything;
  }
}

bool InputPattern::covers(std::string_view path) const {
  return wild_match_at_or_above(m_glob, path, Slashes::special);
}

} // namespace pyro::seed

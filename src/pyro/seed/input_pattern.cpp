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
  for (auto rest = written; !rest.empty();) {
    const auto name = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
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
  for (auto end = path.size(); end != std::string_view::npos && end > 0; end = path.rfind('/', end - 1)) {
    if (wild_match(m_glob, path.substr(0, end), Slashes::special)) {
      return true;
    }
  }
  return false;
}

} // namespace pyro::seed

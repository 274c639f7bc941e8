#include "rule.hpp"

#include <array>

namespace pyro::egress {

namespace {

struct Preset {
  std::string_view word;
  std::vector<std::string> hosts;
};

/// Of the services as their own documentation names them.
const std::array<Preset, 4>& presets() {
  static const std::array<Preset, 4> s_all{
      Preset{
          "apt",
          {"archive.ubuntu.com", "deb.debian.org", "ports.ubuntu.com", "security.debian.org",
           "security.ubuntu.com"}},
      Preset{
          "github",
          {"api.github.com", "codeload.github.com", "github.com", "github.com:22",
           "objects.githubusercontent.com", "raw.githubusercontent.com",
           "release-assets.githubusercontent.com"}},
      Preset{"npm", {"registry.npmjs.org"}}, Preset{"pypi", {"files.pythonhosted.org", "pypi.org"}}};
  return s_all;
}

} // namespace

std::optional<std::vector<std::string>> preset(std::string_view word) {
  for (const auto& candidate : presets()) {
    if (candidate.word == word) {
      return candidate.hosts;
    }
  }
  return std::nullopt;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& candidate : presets()) {
    names.emplace_back(candidate.word);
  }
  return names;
}

} // namespace pyro::egress

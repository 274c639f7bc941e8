#include "mount_table.hpp"

#include "fd.hpp"

#include <pyro/base/text.hpp>

#include <algorithm>

namespace pyro::os {

namespace {

/// "\040" is a space.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size()) {
      plain += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

} // namespace

std::vector<MountEntry> mount_entries(std::string_view mountinfo) {
  constexpr std::ptrdiff_t k_point = 4;
  constexpr std::ptrdiff_t k_first_optional = 6;
  constexpr std::ptrdiff_t k_behind_separator = 4; // itself, type, source, options
  std::vector<MountEntry> entries;
  for (const auto line : lines_of(mountinfo)) {
    const auto fields = fields_of(line, ' ');
    if (std::ssize(fields) < k_first_optional) {
      continue;
    }
    const auto separator = std::find(fields.begin() + k_first_optional, fields.end(), "-");
    if (fields.end() - separator < k_behind_separator) {
      continue;
    }
    entries.push_back({unescaped(fields[k_point]), fields[k_point + 1], *(separator + 1), *(separator + 3)});
  }
  return entries;
}

std::vector<MountEntry> mount_entries() {
  return mount_entries(read_file("/proc/self/mountinfo"));
}

} // namespace pyro::os

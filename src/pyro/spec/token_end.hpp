// Where what stands at a place in a pyro.yaml ends, for those who mark it: editors, annotations.
#pragma once

#include <string_view>
#include <vector>

namespace pyro::spec {

struct TextPlace {
  int line = 0; // from 1; 0: unknown
  int column = 0;

  bool operator==(const TextPlace&) const = default;
};

/// A text and where its lines begin.
class TextLines {
public:
  explicit TextLines(std::string_view text);

  /// The place behind the last character of the key, value, list or map that begins at a place, columns in
  /// Unicode code points; of a text over several lines its first line's end. Places outside give {0, 0}.
  TextPlace end_of(TextPlace begin) const;

private:
  std::string_view line(int number) const;
  TextPlace end_of_collection(int number, std::size_t at) const;

  std::vector<std::string_view> m_lines;
};

} // namespace pyro::spec

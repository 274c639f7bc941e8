#include "dockerfile.hpp"

#include <pyro/base/text.hpp>

#include <algorithm>
#include <map>
#include <sstream>
#include <vector>

namespace pyro::foreign {

namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream stream{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; words.size() < 16 && stream >> word;) {
    if (!word.starts_with("--")) {
      words.push_back(std::move(word));
    }
  }
  return words;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return text;
}

} // namespace

std::optional<std::string> base_of_dockerfile(std::string_view text) {
  std::map<std::string, std::string> stages;
  std::string last;
  for (const auto line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 2 || lower(words[0]) != "from") {
      continue;
    }
    const auto stage = stages.find(lower(words[1]));
    last = stage == stages.end() ? words[1] : stage->second;
    if (words.size() >= 4 && lower(words[2]) == "as") {
      stages[lower(words[3])] = last;
    }
  }
  const bool is_image = !last.empty() && last != "scratch" && last.find('$') == std::string::npos;
  return is_image ? std::optional(last) : std::nullopt;
}

} // namespace pyro::foreign

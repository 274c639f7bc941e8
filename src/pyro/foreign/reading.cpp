#include "reading.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

namespace pyro::foreign {

spec::Node read_map(std::string_view text, const std::string& file) {
  std::vector<spec::Diagnostic> diagnostics;
  auto tree = spec::parse_yaml(text, file, diagnostics);
  if (!diagnostics.empty()) {
    const auto& first = diagnostics.front();
    throw Error(ErrorCode::invalid_file, "{}", first.message).with_hint(first.hint).at(first.place);
  }
  if (!tree.is_map()) {
    throw Error(ErrorCode::invalid_file, "expected a map, found {}", spec::words_for(tree.kind))
        .at({file, 1, 1});
  }
  return tree;
}

std::string text_of_node(const spec::Node* node) {
  return node != nullptr && node->is_scalar() ? node->text : std::string();
}

std::vector<std::string> texts_of_node(const spec::Node* node) {
  std::vector<std::string> texts;
  if (node != nullptr && node->is_scalar()) {
    texts.push_back(node->text);
  } else if (node != nullptr && node->is_list()) {
    for (const auto& item : node->items) {
      if (item.is_scalar()) {
        texts.push_back(item.text);
      }
    }
  }
  return texts;
}

std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool is_open = false;
  char quote = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else if (c == '\\' && quote == '"' && at + 1 < text.size()) {
        word += text[++at];
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      is_open = true;
    } else if (c == '\\' && at + 1 < text.size()) {
      word += text[++at];
      is_open = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (is_open) {
        words.push_back(std::exchange(word, {}));
        is_open = false;
      }
    } else {
      word += c;
      is_open = true;
    }
  }
  if (is_open) {
    words.push_back(word);
  }
  return words;
}

std::string shell_text(const std::vector<std::string>& words) {
  constexpr std::string_view k_plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-";
  std::string text;
  for (const auto& word : words) {
    text += text.empty() ? "" : " ";
    if (!word.empty() && word.find_first_not_of(k_plain) == std::string::npos) {
      text += word;
      continue;
    }
    text += '\'';
    for (const char c : word) {
      text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    text += '\'';
  }
  return text;
}

std::string path_below(std::string_view path) {
  const std::filesystem::path given(path);
  if (path.empty() || given.is_absolute() || path.find('\0') != std::string_view::npos
      || path.starts_with("~")) {
    return {};
  }
  const auto normal = given.lexically_normal().string();
  return normal == "." || normal.starts_with("..") ? std::string() : normal;
}

} // namespace pyro::foreign

#include "tmpfiles.hpp"

#include <pyro/base/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

namespace pyro::agent {

namespace {

constexpr std::size_t k_longest_path = 1024;
constexpr std::array<std::string_view, 3> k_places{"/run/", "/var/run/", "/var/lock/"};
constexpr std::array<std::string_view, 3> k_ours{"secrets", "pyro", "lock"};
/// Says that a machine is not up yet, or that systemd runs it: neither is so here.
constexpr std::array<std::string_view, 2> k_of_boot{"nologin", "systemd"};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// The next word, without its quotes; the last one of a line is taken as it stands. nullopt: there is none,
/// or its quotes do not end.
std::optional<std::string> take_word(std::string_view& line) {
  while (!line.empty() && is_blank(line.front())) {
    line.remove_prefix(1);
  }
  if (line.empty()) {
    return std::nullopt;
  }
  std::string word;
  const char quote = line.front() == '"' || line.front() == '\'' ? line.front() : '\0';
  if (quote != '\0') {
    line.remove_prefix(1);
  }
  while (!line.empty()) {
    const char c = line.front();
    if (quote != '\0' ? c == quote : is_blank(c)) {
      line.remove_prefix(1);
      return word;
    }
    word += c;
    line.remove_prefix(1);
  }
  return quote != '\0' ? std::nullopt : std::optional(word);
}

/// nullopt: a specifier that nobody here can fill in.
std::optional<std::string> filled_in(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    ++i;
    if (i < text.size() && text[i] == '%') {
      result += '%';
    } else if (i < text.size() && text[i] == 't') {
      result += "/run";
    } else {
      return std::nullopt;
    }
  }
  return result;
}

/// "a/b" of "/run//a/./b/"; nullopt: elsewhere, not a plain path, or of pyro's own.
std::optional<std::string> below_run(std::string_view path) {
  const auto place = std::find_if(
      k_places.begin(), k_places.end(), [&](std::string_view one) { return path.starts_with(one); });
  if (place == k_places.end() || path.size() > k_longest_path || path.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::string result = *place == "/var/lock/" ? "lock" : "";
  path.remove_prefix(place->size());
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    const auto name = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (name == "..") {
      return std::nullopt;
    }
    if (!name.empty() && name != ".") {
      result += (result.empty() ? "" : "/") + std::string(name);
    }
  }
  const auto first = std::string_view(result).substr(0, result.find('/'));
  const bool is_ours = std::find(k_ours.begin(), k_ours.end(), result) != k_ours.end() || first == "secrets"
                       || first == "pyro";
  const bool is_of_boot = std::find(k_of_boot.begin(), k_of_boot.end(), first) != k_of_boot.end();
  return result.empty() || is_ours || is_of_boot ? std::nullopt : std::optional(std::move(result));
}

std::optional<RunFile::Kind> kind_of(std::string_view type) {
  switch (type.empty() ? '\0' : type.front()) {
  case 'd':
  case 'D':
  case 'v':
  case 'q':
  case 'Q':
    return RunFile::Kind::directory;
  case 'f':
    return RunFile::Kind::file;
  case 'L':
    return RunFile::Kind::link;
  default:
    return std::nullopt;
  }
}

/// Without the marks before it: "~", ":".
std::optional<mode_t> mode_of(std::string_view text) {
  while (!text.empty() && (text.front() == '~' || text.front() == ':')) {
    text.remove_prefix(1);
  }
  unsigned mode = 0;
  const auto* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, mode, 8);
  return error == std::errc{} && last == end && mode <= 07777 ? std::optional<mode_t>(mode) : std::nullopt;
}

std::string owner_of(std::string_view text) {
  if (!text.empty() && text.front() == ':') {
    text.remove_prefix(1);
  }
  return text == "-" ? std::string() : std::string(text);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<RunFile> run_file_of(std::string_view line) {
  const auto type = take_word(line);
  const auto kind = type ? kind_of(*type) : std::nullopt;
  const auto path = kind ? take_word(line) : std::nullopt;
  const auto filled = path ? filled_in(*path) : std::nullopt;
  const auto below = filled ? below_run(*filled) : std::nullopt;
  if (!below) {
    return std::nullopt;
  }
  RunFile file{*kind, *below};
  file.mode = mode_of(take_word(line).value_or("-"));
  file.user = owner_of(take_word(line).value_or("-"));
  file.group = owner_of(take_word(line).value_or("-"));
  std::ignore = take_word(line); // an age: nothing is old yet
  const auto argument = filled_in(trimmed(line));
  if (!argument || (file.kind == RunFile::Kind::link && (argument->empty() || *argument == "-"))) {
    return std::nullopt;
  }
  file.argument = *argument == "-" ? "" : *argument;
  return file;
}

} // namespace

std::vector<RunFile> run_files_in(std::string_view text) {
  std::vector<RunFile> files;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') {
      continue;
    }
    if (auto file = run_file_of(line)) {
      files.push_back(std::move(*file));
    }
  }
  return files;
}

} // namespace pyro::agent

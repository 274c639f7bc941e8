#include "jsonc.hpp"

#include "error.hpp"
#include "json_text.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace pyro {

namespace {

constexpr int k_deepest_jsonc = 100;
constexpr std::size_t k_indent = 2;

/// Where an object stands in the text.
struct Place {
  std::size_t open = 0;     // of {
  std::size_t last_end = 0; // after the last member's value, or after {
  std::size_t filled = 0;   // after the last byte before } that is no blank
  bool has_members = false;
  bool has_last_comma = false;
  std::size_t depth = 0;
};

class JsoncReader {
public:
  explicit JsoncReader(const std::string& text) : m_text(text) {}

  Json document() {
    skip();
    auto value = read_value("");
    skip();
    if (m_at != m_text.size()) {
      fail("something follows the end");
    }
    return value;
  }

  /// Objects by their path: "", "/mcpServers".
  const std::map<std::string, Place>& objects() const { return m_objects; }

private:
  [[noreturn]] void fail(const std::string& what) const {
    const auto end = m_text.begin() + static_cast<std::ptrdiff_t>(std::min(m_at, m_text.size()));
    throw Error(ErrorCode::invalid_argument, "line {}: {}", 1 + std::count(m_text.begin(), end, '\n'), what);
  }

  char here() const { return m_at < m_text.size() ? m_text[m_at] : '\0'; }

  /// Blanks and comments. Where the last of them that is no blank ended is remembered.
  void skip() {
    while (m_at < m_text.size()) {
      if (m_text.compare(m_at, 2, "//") == 0) {
        m_at = std::min(m_text.find('\n', m_at), m_text.size());
        m_filled = m_at;
      } else if (m_text.compare(m_at, 2, "/*") == 0) {
        const auto end = m_text.find("*/", m_at + 2);
        if (end == std::string::npos) {
          fail("a comment does not end");
        }
        m_at = end + 2;
        m_filled = m_at;
      } else if (std::string_view(" \t\r\n").find(m_text[m_at]) != std::string_view::npos) {
        ++m_at;
      } else {
        return;
      }
    }
  }

  Json read_token(std::size_t end) {
    auto value = maybe_parse_json(std::string_view(m_text).substr(m_at, end - m_at));
    if (!value) {
      fail("this is no JSON");
    }
    m_at = end;
    m_filled = m_at;
    return std::move(*value);
  }

  Json read_string() {
    auto end = m_at + 1;
    while (end < m_text.size() && m_text[end] != '"') {
      end += m_text[end] == '\\' ? 2 : 1;
    }
    return read_token(std::min(end + 1, m_text.size()));
  }

  Json read_value(const std::string& path) {
    switch (here()) {
    case '{':
      return read_object(path);
    case '[':
      return read_array(path);
    case '"':
      return read_string();
    default:
      return read_token(std::min(m_text.find_first_of(" \t\r\n,]}/:", m_at), m_text.size()));
    }
  }

  void step() {
    ++m_at;
    m_filled = m_at;
  }

  void deeper() {
    if (++m_depth > k_deepest_jsonc) {
      fail("this is too deep");
    }
  }

  Json read_object(const std::string& path) {
    deeper();
    Place place;
    place.open = m_at;
    place.depth = static_cast<std::size_t>(m_depth);
    auto object = Json::object();
    step();
    place.last_end = m_at;
    skip();
    while (here() != '}') {
      if (place.has_members && !place.has_last_comma) {
        fail("',' or '}' is missing");
      }
      if (here() != '"') {
        fail("a key in quotes is missing");
      }
      const auto key = read_string().get<std::string>();
      skip();
      if (here() != ':') {
        fail("':' is missing after '" + key + "'");
      }
      step();
      skip();
      if (!object.emplace(key, read_value(path + "/" + key)).second) {
        fail("the key '" + key + "' stands twice");
      }
      place.last_end = m_at;
      place.has_members = true;
      skip();
      place.has_last_comma = here() == ',';
      if (place.has_last_comma) {
        step();
        skip();
      }
    }
    place.filled = m_filled;
    step();
    --m_depth;
    m_objects[path] = place;
    return object;
  }

  Json read_array(const std::string& path) {
    deeper();
    auto array = Json::array();
    bool has_comma = true;
    step();
    skip();
    while (here() != ']') {
      if (!has_comma) {
        fail("',' or ']' is missing");
      }
      array.push_back(read_value(path + "/" + std::to_string(array.size())));
      skip();
      has_comma = here() == ',';
      if (has_comma) {
        step();
        skip();
      }
    }
    step();
    --m_depth;
    return array;
  }

  const std::string& m_text;
  std::size_t m_at = 0;
  std::size_t m_filled = 0;
  int m_depth = 0;
  std::map<std::string, Place> m_objects;
};

/// "name": value, its lines indented as a member at that depth.
std::string member_text(const std::string& name, const Json& value, std::size_t depth) {
  const std::string indent(depth * k_indent, ' ');
  std::string text;
  for (const char letter : value.dump(static_cast<int>(k_indent))) {
    text += letter;
    if (letter == '\n') {
      text += indent;
    }
  }
  return indent + Json(name).dump() + ": " + text;
}

std::string inserted(std::string text, const Place& place, const std::string& name, const Json& value) {
  const auto close = text.find_first_not_of(" \t\r\n", place.filled); // of }
  const bool is_one_line = text.find('\n', place.filled) >= close;
  text.insert(
      place.filled, "\n" + member_text(name, value, place.depth)
                        + (is_one_line ? "\n" + std::string((place.depth - 1) * k_indent, ' ') : ""));
  if (place.has_members && !place.has_last_comma) {
    text.insert(place.last_end, ",");
  }
  return text;
}

} // namespace

Json parse_jsonc(const std::string& text) {
  return JsoncReader(text).document();
}

std::string with_member(
    const std::string& text, const std::vector<std::string>& sections, const std::string& name,
    const Json& value) {
  JsoncReader reader(text);
  const auto before = reader.document();
  if (!before.is_object()) {
    throw Error(ErrorCode::invalid_argument, "the whole is no object");
  }
  const Json* there = &before;
  std::string path;
  std::size_t depth = 0;
  for (; depth < sections.size() && there->contains(sections[depth]); ++depth) {
    there = &there->at(sections[depth]);
    path += "/" + sections[depth];
    if (!there->is_object()) {
      throw Error(ErrorCode::invalid_argument, "'{}' is no object", sections[depth]);
    }
  }
  auto names = sections;
  names.push_back(name);
  if (there->contains(names[depth])) {
    throw Error(ErrorCode::already_exists, "there is a '{}' in '{}'", name, sections.back());
  }
  auto member = value;
  for (std::size_t i = names.size() - 1; i > depth; --i) {
    member = Json{{names[i], member}};
  }
  auto changed = inserted(text, reader.objects().at(path), names[depth], member);
  auto wanted = before;
  auto* target = &wanted;
  for (const auto& section : sections) {
    target = &(*target)[section];
  }
  (*target)[name] = value;
  if (parse_jsonc(changed) != wanted) {
    throw Error(ErrorCode::internal, "'{}' would change more than '{}'", sections.back(), name);
  }
  return changed;
}

} // namespace pyro

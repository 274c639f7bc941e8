#include "reader.hpp"

#include <pyro/base/text.hpp>
#include <pyro/base/units.hpp>

#include <array>
#include <charconv>

namespace pyro::spec {

namespace {

bool is_extension(std::string_view key) {
  return key.starts_with("x-");
}

bool is_yaml_1_1_boolean(std::string_view text) {
  constexpr std::array k_words{"yes", "Yes", "YES", "no", "No", "NO", "on",   "On",   "ON",    "off",
                               "Off", "OFF", "y",   "Y",  "n",  "N",  "True", "TRUE", "False", "FALSE"};
  return std::find(k_words.begin(), k_words.end(), text) != k_words.end();
}

bool means_true(std::string_view text) {
  return text[0] == 'y' || text[0] == 'Y' || text == "on" || text == "On" || text == "ON" || text[0] == 'T';
}

/// "map shape service" as a person says it.
std::string words_for_type(std::string_view type) {
  const auto begins = [&](std::string_view word) {
    return type.starts_with(word);
  };
  if (begins("enum ")) {
    auto choices = std::string(type.substr(std::string_view("enum ").size()));
    std::replace(choices.begin(), choices.end(), '|', ' ');
    return "one of: " + choices;
  }
  if (begins("int ")) {
    return "a whole number from " + std::string(type.substr(std::string_view("int ").size()));
  }
  if (begins("map ") || begins("shape ")) {
    return "a map";
  }
  if (begins("list ")) {
    return "a list";
  }
  return type == "bool"       ? "true or false"
         : type == "duration" ? "a duration such as 30s"
         : type == "size"     ? "a size such as 1GiB"
                              : "a text";
}

} // namespace

std::optional<std::string> read_text(Context& context, const Node& node, const std::string& address) {
  if (node.is_scalar()) {
    return node.text;
  }
  const auto hint = node.is_map()    ? "quote values that contain ': ' or start with '{'"
                    : node.is_list() ? "quote values that start with '['"
                                     : "write \"\" for an empty text";
  context.error(node, "type", address, fmt::format("expected a text, found {}", words_for(node.kind)), hint);
  return std::nullopt;
}

std::optional<int>
read_integer(Context& context, const Node& node, const std::string& address, int least, int most) {
  const auto wrong = [&](std::string message, std::string hint) {
    context.error(node, "type", address, std::move(message), std::move(hint));
    return std::nullopt;
  };
  const auto wanted = fmt::format("expected a whole number from {} to {}", least, most);
  if (!node.is_scalar()) {
    return wrong(fmt::format("{}, found {}", wanted, words_for(node.kind)), "");
  }
  const std::string_view text = node.text;
  if (text.size() > 1 && text[0] == '0') {
    return wrong(
        fmt::format("'{}' could be octal, hexadecimal or decimal", text),
        "write a decimal number without leading zeros");
  }
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem == std::errc::invalid_argument || end != text.data() + text.size()) {
    return wrong(fmt::format("{}, found '{}'", wanted, text), "");
  }
  if (problem != std::errc{} || value < least || value > most) {
    context.error(node, "value", address, fmt::format("{}, found {}", wanted, text));
    return std::nullopt;
  }
  return value;
}

MapReader::MapReader(Context& context, const Node& node, std::string address, std::string_view shape)
    : m_context(context), m_node(node), m_address(std::move(address)), m_shape(spec::shape(shape)) {
  if (!node.is_map()) {
    m_context.error(
        node, "type", m_address, fmt::format("expected a map, found {}", words_for(node.kind)),
        fmt::format("its keys are: {}", fmt::join(known_keys(), ", ")));
    return;
  }
  check_keys();
}

void MapReader::check_keys() {
  bool only_unknown_scalars = !m_node.entries.empty() && m_shape.name == "environment";
  for (const auto& entry : m_node.entries) {
    only_unknown_scalars = only_unknown_scalars && entry.value.is_scalar() && !m_shape.find(entry.key);
  }
  if (only_unknown_scalars) {
    m_context.error(
        m_node, "unknown_key", m_address,
        "these look like variables, but 'environment' describes the machine here",
        "move them to environment.env, and name the base in environment.image");
    return;
  }
  for (const auto& entry : m_node.entries) {
    if (!m_shape.find(entry.key) && !is_extension(entry.key)) {
      unknown_key(entry);
    }
  }
  for (const auto& field : m_shape.fields) {
    if (field.presence == Presence::required && !m_node.find(field.key) && !is_misspelt(field.key)) {
      m_context.error(
          m_node, "required", m_address, fmt::format("'{}' is missing", field.key), std::string(field.help));
    }
  }
}

std::vector<std::string> MapReader::known_keys() const {
  std::vector<std::string> keys;
  for (const auto& field : m_shape.fields) {
    keys.emplace_back(field.key);
  }
  return keys;
}

bool MapReader::is_misspelt(std::string_view key) const {
  const auto keys = known_keys();
  return std::any_of(m_node.entries.begin(), m_node.entries.end(), [&](const Entry& entry) {
    return !m_shape.find(entry.key) && nearest(entry.key, keys) == key;
  });
}

void MapReader::unknown_key(const Entry& entry) {
  std::string hint(foreign_hint(m_shape.name, entry.key));
  if (hint.empty()) {
    const auto keys = known_keys();
    const auto near = nearest(entry.key, keys);
    hint = near.empty() ? fmt::format("known here: {}", fmt::join(keys, ", "))
                        : fmt::format("did you mean '{}'?", near);
  }
  m_context.error_at(
      entry.key_place, "unknown_key", address_of(entry.key), fmt::format("unknown key '{}'", entry.key),
      hint);
}

const Node* MapReader::value(std::string_view key) {
  const Field* field = m_shape.find(key);
  if (!field) {
    throw Error(ErrorCode::internal, "the table of pyro.yaml has no '{}' in '{}'", key, m_shape.name);
  }
  for (const auto& entry : m_node.entries) {
    if (entry.key != key) {
      continue;
    }
    m_context.note(address_of(key), entry.key_place, entry.value);
    if (entry.value.kind == NodeKind::null) {
      m_context.error_at(
          entry.key_place, "empty", address_of(key),
          fmt::format("'{}' has no value; expected {}", key, words_for_type(field->type)),
          "write a value or remove the key (null deletes only in profiles)");
      return nullptr;
    }
    return &entry.value;
  }
  return nullptr;
}

void MapReader::error(std::string_view key, std::string code, std::string message, std::string hint) {
  const Node* found = m_node.find(key);
  m_context.error(
      found ? *found : m_node, std::move(code), address_of(key), std::move(message), std::move(hint));
}

const Node* MapReader::scalar(std::string_view key) {
  const Node* found = value(key);
  return found && read_text(m_context, *found, address_of(key)) ? found : nullptr;
}

void MapReader::string(std::string_view key, std::string& out) {
  if (const Node* found = scalar(key)) {
    out = found->text;
  }
}

void MapReader::boolean(std::string_view key, bool& out) {
  const Node* found = scalar(key);
  if (!found) {
    return;
  }
  if (found->text == "true" || found->text == "false") {
    out = found->text == "true";
  } else if (is_yaml_1_1_boolean(found->text)) {
    error(
        key, "type", fmt::format("'{}' is no boolean here: booleans are true and false", found->text),
        fmt::format("write {}", means_true(found->text)));
  } else {
    error(key, "type", fmt::format("expected true or false, found '{}'", found->text));
  }
}

void MapReader::integer(std::string_view key, int& out) {
  const Node* found = value(key);
  if (!found) {
    return;
  }
  const auto range = m_shape.find(key)->type.substr(std::string_view("int ").size());
  const auto dots = range.find("..");
  const int least = std::stoi(std::string(range.substr(0, dots)));
  const int most = std::stoi(std::string(range.substr(dots + 2)));
  if (const auto number = read_integer(m_context, *found, address_of(key), least, most)) {
    out = *number;
  }
}

void MapReader::duration(std::string_view key, std::optional<milliseconds>& out) {
  const Node* found = scalar(key);
  if (!found) {
    return;
  }
  try {
    out = parse_duration(found->text);
  } catch (const Error& problem) {
    error(key, "type", problem.message(), problem.hint());
  }
}

void MapReader::duration(std::string_view key, milliseconds& out) {
  std::optional<milliseconds> read;
  duration(key, read);
  out = read.value_or(out);
}

void MapReader::size(std::string_view key, std::optional<std::uint64_t>& out) {
  const Node* found = scalar(key);
  if (!found) {
    return;
  }
  try {
    out = parse_size(found->text);
  } catch (const Error& problem) {
    error(key, "type", problem.message(), problem.hint());
  }
}

void MapReader::size(std::string_view key, std::uint64_t& out) {
  std::optional<std::uint64_t> read;
  size(key, read);
  out = read.value_or(out);
  if (read && *read < (1ULL << 20)) {
    error(key, "value", "less than 1MiB is too small");
  }
}

std::vector<std::string> MapReader::ways() const {
  return fields_of(m_shape.exactly_one_of, '|');
}

std::optional<std::size_t> MapReader::choice_index(std::string_view key) {
  const Node* found = scalar(key);
  if (!found) {
    return std::nullopt;
  }
  const auto choices = fields_of(m_shape.find(key)->type.substr(std::string_view("enum ").size()), '|');
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i] == found->text) {
      return i;
    }
  }
  const bool has_booleans = std::find(choices.begin(), choices.end(), "true") != choices.end();
  if (has_booleans && is_yaml_1_1_boolean(found->text)) {
    error(
        key, "type", fmt::format("'{}' is no boolean here: booleans are true and false", found->text),
        fmt::format("write {}", means_true(found->text)));
    return std::nullopt;
  }
  auto hint = std::string{};
  if (key == "restart" && found->text == "unless-stopped") {
    hint = "'unless-stopped' is spelled 'always' here";
  } else if (key == "scheme" && found->text == "https") {
    hint = "inside nothing speaks TLS for pyro: write an exec probe with a client, e.g. curl";
  } else if (key == "condition" && found->text.starts_with("service_")) {
    hint = found->text == "service_healthy"   ? "spelled 'ready' here"
           : found->text == "service_started" ? "spelled 'started' here"
                                              : "spelled 'completed' here";
  } else if (const auto near = nearest(found->text, choices); !near.empty()) {
    hint = fmt::format("did you mean '{}'?", near);
  }
  error(key, "value", fmt::format("'{}' is none of: {}", found->text, fmt::join(choices, ", ")), hint);
  return std::nullopt;
}

void MapReader::each_item(std::string_view key, const std::function<void(const Node&, std::size_t)>& visit) {
  const Node* found = value(key);
  if (!found) {
    return;
  }
  if (!found->is_list()) {
    error(key, "type", fmt::format("expected a list, found {}", words_for(found->kind)), "write [a, b]");
    return;
  }
  for (std::size_t i = 0; i < found->items.size(); ++i) {
    m_context.note(fmt::format("{}[{}]", address_of(key), i), found->items[i].place, found->items[i]);
    visit(found->items[i], i);
  }
}

void MapReader::each_text(std::string_view key, std::vector<std::string>& out, const EachText& look) {
  if (!has(key)) {
    return;
  }
  out.clear();
  each_item(key, [&](const Node& item, std::size_t i) {
    const auto address = fmt::format("{}[{}]", address_of(key), i);
    if (auto text = read_text(m_context, item, address)) {
      if (text->empty()) {
        m_context.error(item, "value", address, "an empty text makes no sense here");
      }
      look(item, address, *text);
      out.push_back(std::move(*text));
    }
  });
}

void MapReader::each_named(std::string_view key, const EachEntry& visit) {
  const Node* found = value(key);
  if (!found) {
    return;
  }
  if (!found->is_map()) {
    error(
        key, "type", fmt::format("expected a map of names, found {}", words_for(found->kind)),
        "write NAME: and its fields below");
    return;
  }
  for (const auto& entry : found->entries) {
    if (is_extension(entry.key)) {
      continue;
    }
    const auto address = join(address_of(key), entry.key);
    m_context.note(address, entry.key_place, entry.value);
    if (!is_name(entry.key)) {
      m_context.error_at(
          entry.key_place, "name", address, fmt::format("'{}' cannot be a name", entry.key),
          "letters, digits, '-' and '_', at most 63");
      continue;
    }
    if (entry.value.kind == NodeKind::null) {
      m_context.error_at(
          entry.key_place, "empty", address, fmt::format("'{}' has no value; expected a map", entry.key),
          "null deletes only in profiles");
      continue;
    }
    visit(entry.key, entry.value, address);
  }
}

void MapReader::string_map(std::string_view key, StringMap& out) {
  const Node* found = value(key);
  if (!found) {
    return;
  }
  if (!found->is_map()) {
    error(
        key, "type", fmt::format("expected a map of texts, found {}", words_for(found->kind)),
        found->is_list() ? "write NAME: value, not a list of NAME=value" : "");
    return;
  }
  for (const auto& entry : found->entries) {
    const auto address = join(address_of(key), entry.key);
    m_context.note(address, entry.key_place, entry.value);
    if (auto text = read_text(m_context, entry.value, address)) {
      out[entry.key] = std::move(*text);
    }
  }
}

} // namespace pyro::spec

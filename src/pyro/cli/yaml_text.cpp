#include "yaml_text.hpp"

#include <pyro/base/text.hpp>

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace pyro::cli {

namespace {

/// A word that no reader takes for anything but a text.
bool is_plain(const std::string& text) {
  constexpr std::array<std::string_view, 11> k_words{"true", "false", "null", "yes", "no", "on",
                                                     "off",  "y",     "n",    "inf", "nan"};
  const auto is_letter = [](unsigned char c) {
    return std::isalpha(c) != 0;
  };
  return !text.empty() && (is_letter(static_cast<unsigned char>(text[0])) || text[0] == '/')
         && std::find(k_words.begin(), k_words.end(), lower_case(text)) == k_words.end()
         && std::all_of(text.begin(), text.end(), [&](char c) {
              return is_letter(static_cast<unsigned char>(c))
                     || std::isdigit(static_cast<unsigned char>(c)) != 0
                     || std::string_view("_-./").find(c) != std::string_view::npos;
            });
}

/// Several lines that a literal block keeps as they are.
bool is_block(const std::string& text) {
  return text.size() > 1 && text.back() == '\n' && text[text.size() - 2] != '\n' && text[0] != ' '
         && text[0] != '\n' && std::all_of(text.begin(), text.end(), [](unsigned char c) {
              return c == '\n' || (c >= 0x20 && c < 0x7f);
            });
}

void emit_text(YAML::Emitter& out, const std::string& text) {
  if (is_plain(text)) {
    out << text;
  } else if (is_block(text)) {
    out << YAML::Literal << text;
  } else if (text.find('\x7f') != std::string::npos) {
    out << YAML::EscapeNonAscii << YAML::DoubleQuoted << text; // it would come out as it is
  } else {
    out << YAML::DoubleQuoted << text;
  }
}

void emit(YAML::Emitter& out, const Json& value) {
  switch (value.type()) {
  case Json::value_t::object:
    out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
    for (const auto& [key, each] : value.items()) {
      out << YAML::Key;
      emit_text(out, key);
      out << YAML::Value;
      emit(out, each);
    }
    out << YAML::EndMap;
    break;
  case Json::value_t::array:
    out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const auto& each : value) {
      emit(out, each);
    }
    out << YAML::EndSeq;
    break;
  case Json::value_t::string:
    emit_text(out, value.get_ref<const std::string&>());
    break;
  case Json::value_t::null:
    out << YAML::Null;
    break;
  default:
    out << value.dump(); // true, 4 and 0.5 are the same in both
    break;
  }
}

} // namespace

std::string to_yaml(const Json& document) {
  YAML::Emitter out;
  emit(out, document);
  std::string text(out.c_str(), out.size());
  return text.ends_with('\n') ? text : text + "\n";
}

} // namespace pyro::cli

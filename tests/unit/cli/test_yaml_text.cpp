#include <pyro/cli/yaml_text.hpp>
#include <pyro/spec/yaml_tree.hpp>

#include <gtest/gtest.h>

namespace pyro::cli {
namespace {

using spec::Node;
using spec::NodeKind;
using spec::ScalarStyle;

/// As a reader of YAML takes it: words without quotes are numbers, truths or nothing where they look like
/// them.
Json document_of(const Node& node) {
  switch (node.kind) {
  case NodeKind::null:
    return nullptr;
  case NodeKind::list: {
    Json list = Json::array();
    for (const auto& item : node.items) {
      list.push_back(document_of(item));
    }
    return list;
  }
  case NodeKind::map: {
    Json map = Json::object();
    for (const auto& entry : node.entries) {
      map[entry.key] = document_of(entry.value);
    }
    return map;
  }
  case NodeKind::scalar:
    break;
  }
  if (node.style == ScalarStyle::quoted) {
    return node.text;
  }
  const auto value = Json::parse(node.text, nullptr, false);
  return value.is_discarded() ? Json(node.text) : value;
}

Json read_back(const Json& document) {
  std::vector<spec::Diagnostic> diagnostics;
  const auto text = to_yaml(document);
  const auto root = spec::parse_yaml(text, "made.yaml", diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << spec::to_string(diagnostics.front()) << text;
  return document_of(root);
}

TEST(YamlText, WhatIsWrittenReadsBackTheSame) {
  const Json document{
      {"plain", "debian"},
      {"path", "/usr/bin"},
      {"number", 4},
      {"half", 0.5},
      {"nothing", nullptr},
      {"truth", true},
      {"lists", {1, Json::array(), Json::object(), {{"deep", {"a", "b"}}}}},
      {"texts",
       {"4",
        "0x10",
        "1e3",
        "true",
        "null",
        "~",
        "",
        " leading",
        "trailing ",
        "a: b",
        "- a",
        "# no",
        "*a",
        "&a",
        "!t",
        "%d",
        "@a",
        "`a",
        "'",
        "\"",
        "{a}",
        "[a]",
        "a\\b",
        "tab\there",
        "gr\xC3\xBC\xC3\x9F",
        "\xE2\x80\xA8",
        "\x7f",
        "yes",
        "No",
        "off",
        "12:30",
        "2020-01-01",
        ".inf",
        "=",
        "<<"}},
      {"one: two", "key"},
      {"script", "set -e\necho one\n  indented\n"},
      {"two ends", "a\n\n"},
      {"no end", "a\nb"},
      {"starts", "\n a\n"}};
  EXPECT_EQ(read_back(document), document) << to_yaml(document);
}

TEST(YamlText, IsForPeople) {
  EXPECT_EQ(
      to_yaml({{"name", "one"}, {"empty", Json::array()}, {"list", {"a", 4}}, {"run", "a\nb\n"}}),
      "empty: []\nlist:\n  - a\n  - 4\nname: one\nrun: |\n  a\n  b\n");
}

} // namespace
} // namespace pyro::cli

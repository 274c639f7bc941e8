// docs/reference/pyro-yaml.md is made from the table of fields: as it is written, so it is generated.
#include "../../support/files.hpp"
#include "support.hpp"

#include <pyro/spec/schema.hpp>

#include <cstdlib>
#include <fstream>

namespace pyro::spec::testing {
namespace {

std::vector<std::string> split_words(std::string_view text, char separator) {
  std::vector<std::string> words;
  while (true) {
    const auto end = text.find(separator);
    words.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return words;
    }
    text.remove_prefix(end + 1);
  }
}

std::string with_bars_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += c == '|' ? "\\|" : std::string(1, c);
  }
  return result;
}

std::string anchor_of(const Shape& shape) {
  std::string anchor;
  for (const char c : shape.where) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return anchor;
}

std::string link_to(std::string_view shape_name) {
  const auto& target = shape(shape_name);
  return fmt::format("[map](#{})", anchor_of(target));
}

/// "map shape service" as a reader says it.
std::string type_words(std::string_view type) {
  const auto rest_after = [&](std::string_view word) {
    return type.substr(word.size());
  };
  if (type.starts_with("list ")) {
    return "list of: " + type_words(rest_after("list "));
  }
  if (type.starts_with("map ")) {
    return "names, each a: " + type_words(rest_after("map "));
  }
  if (type.starts_with("shape ")) {
    return link_to(rest_after("shape "));
  }
  if (type.starts_with("enum ")) {
    std::string words;
    for (const auto& word : split_words(rest_after("enum "), '|')) {
      words += (words.empty() ? "`" : ", `") + word + "`";
    }
    return words;
  }
  if (type.starts_with("int ")) {
    return "number " + std::string(rest_after("int "));
  }
  static const std::map<std::string_view, std::string> k_words{
      {"string", "text"},
      {"text", "text"},
      {"env", "text"},
      {"bool", "`true` or `false`"},
      {"duration", "duration: `500ms`, `30s`, `10m`, `8h`, `7d`"},
      {"size", "size: `512MiB`, `2GiB`"},
      {"directory", "absolute path"},
      {"user", "`user` or `user:group`, names or numbers"},
      {"name", "name: letters, digits, `-`, `_`, at most 63"},
      {"env_name", "name of a variable"},
      {"input", "path or pattern in the seed"},
      {"port", "port: `8080`, `3000:8080`, `0.0.0.0:3000:8080`"},
      {"command", "text for `/bin/sh -c`, or a list that is run as it is"},
      {"tcp", "port or `host:port`"},
      {"status", "number, range or list of them"},
      {"signal", "name of a signal"},
      {"egress", "`none`, `all` or a list of hosts"},
      {"profile", "part of this file"}};
  if (const auto found = k_words.find(type); found != k_words.end()) {
    return found->second;
  }
  if (type == "cache") {
    return "absolute path, or " + link_to("cache");
  }
  if (type == "git") {
    return "one of the words of `files`, or " + link_to("git");
  }
  if (type == "oneshot") {
    return "`true`, `false`, or " + link_to("oneshot");
  }
  if (type == "depends_on") {
    return "list of names, or names, each a: " + link_to("dependency");
  }
  ADD_FAILURE() << "no words for the type " << type;
  return {};
}

std::string row_of(const Field& field) {
  auto meaning = with_bars_escaped(field.help);
  if (!field.example.empty()) {
    meaning += fmt::format(". E.g. `{}`", with_bars_escaped(field.example));
  }
  return fmt::format(
      "| `{}` | {} | {} | {} |\n", field.key, type_words(field.type),
      field.presence == Presence::required ? "required" : with_bars_escaped(field.default_text), meaning);
}

std::string reference_page() {
  std::string page = R"(# Every field of pyro.yaml

<!-- Made from src/pyro/spec/schema.cpp, by `unit_spec` with PYRO_TEST_ACCEPT=1: do not edit. -->

[pyro-yaml.md](../pyro-yaml.md) says how they work together. An editor knows this page too, by the file's first line
(`pyro schema --install`). Values are read by the type of their field, in quotes or not; `${name}` may stand in any of them. Keys
that begin with `x-` are ignored anywhere.
)";
  for (const auto& part : shapes()) {
    page += fmt::format(
        "\n## {}\n\n{}.\n\n| field | type | default | |\n|---|---|---|---|\n",
        part.where.empty() ? "The file" : fmt::format("`{}`", part.where), part.help);
    for (const auto& field : part.fields) {
      page += row_of(field);
    }
  }
  return page;
}

TEST(Reference, ThePageIsTheOneMadeFromTheTable) {
  const auto path = pyro::testing::source_dir().string() + "/docs/reference/pyro-yaml.md";
  const auto page = reference_page();
  if (std::getenv("PYRO_TEST_ACCEPT")) {
    std::ofstream(path) << page;
    GTEST_SKIP() << "rewritten: " << path;
  }
  EXPECT_EQ(read_text_file(path), page) << "run with PYRO_TEST_ACCEPT=1";
}

/// `inner` at an address such as "environment.setup[].cache[]", as a file in flow style.
std::string framed(std::string_view where, std::string inner) {
  const auto names = split_words(where, '.');
  for (auto name = names.rbegin(); name != names.rend() && !where.empty(); ++name) {
    const bool is_item = name->ends_with("[]");
    inner = is_item ? fmt::format("{{{}: [{}]}}", name->substr(0, name->size() - 2), inner)
                    : fmt::format("{{{}: {}}}", *name, inner);
  }
  return inner;
}

/// What the table gives as an example is read without a complaint about it, in quotes as the table has it.
TEST(Reference, EveryExampleIsValid) {
  std::size_t looked_at = 0;
  for (const auto& part : shapes()) {
    for (const auto& field : part.fields) {
      if (field.example.empty()) {
        continue;
      }
      const bool is_text = field.example.front() != '[' && field.example.front() != '{';
      const auto value = is_text ? Json(field.example).dump() : std::string(field.example);
      const auto text = framed(part.where, fmt::format("{{{}: {}}}", field.key, value));
      for (const auto& diagnostic : parse_spec(text).diagnostics) {
        const bool is_about_it =
            ("." + diagnostic.address).find("." + std::string(field.key)) != std::string::npos;
        EXPECT_TRUE(
            !is_about_it || diagnostic.code == "reference" || diagnostic.code == "required"
            || diagnostic.code == "no_effect")
            << text << '\n'
            << to_string(diagnostic) << " " << diagnostic.code;
      }
      ++looked_at;
    }
  }
  EXPECT_GT(looked_at, 40U);
}

} // namespace
} // namespace pyro::spec::testing

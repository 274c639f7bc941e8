// The table in specs/README.md says what a change of each field does: every field of the format stands in a
// row, and every row has cases in which its fields change.
#include "../../support/files.hpp"
#include "golden_case.hpp"

#include <pyro/base/text.hpp>
#include <pyro/spec/schema.hpp>

#include <gtest/gtest.h>

#include <filesystem>

namespace pyro::plan::testing {

namespace {

struct Row {
  std::string text;
  std::vector<std::string> fields; // "services.*.env"
  std::vector<std::string> cases;
};

std::vector<std::string> in_backticks(std::string_view cell) {
  std::vector<std::string> words;
  const auto parts = fields_of(cell, '`');
  for (std::size_t i = 1; i < parts.size(); i += 2) {
    words.push_back(parts[i]);
  }
  return words;
}

std::vector<Row> rows() {
  std::vector<Row> rows;
  const auto page = read_text_file(pyro::testing::source_dir().string() + "/specs/README.md");
  bool is_inside = false;
  for (const auto line : lines_of(page)) {
    const auto cells = fields_of(line, '|');
    is_inside = cells.size() == 5 && (is_inside || cells[1] == " a change of ");
    if (!is_inside || !cells[1].starts_with(" `")) {
      continue;
    }
    Row row{cells[1], in_backticks(cells[1]), {}};
    std::string names = cells[3];
    std::erase(names, ' ');
    for (const auto& name : fields_of(names, ',')) {
      if (!name.empty()) {
        row.cases.push_back(name);
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

bool covers(const std::string& field, const std::string& address) {
  const auto wanted = fields_of(field, '.');
  const auto parts = fields_of(address, '.');
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i >= parts.size() || wanted[i] != parts[i]) {
      return false;
    }
  }
  return true;
}

/// "services.*.env" of the shape at services.NAME; "environment.setup.*.run".
std::string address_in_table(const spec::Shape& shape, const spec::Field& field) {
  std::string address;
  for (auto part : fields_of(joined(shape.where, field.key), '.')) {
    for (auto name : fields_of(part, '/')) {
      const bool is_list = name.ends_with("[]");
      name = is_list ? name.substr(0, name.size() - 2) : name;
      const bool is_any =
          !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
      address += (address.empty() ? "" : ".") + (is_any ? "*" : name) + (is_list ? ".*" : "");
    }
  }
  return address;
}

/// The lines of what is said of it that are in one of the two only, and what was observed.
std::string difference_in(const std::string& name) {
  const auto folder = case_folder(name);
  const auto before = read_text_file(folder + "/before.yaml");
  const auto after = read_text_file(folder + "/pyro.yaml");
  const auto old_lines = lines_of(before);
  const auto new_lines = lines_of(after);
  std::string text;
  const auto add = [&](const auto& lines, const auto& others) {
    for (const auto line : lines) {
      text += std::find(others.begin(), others.end(), line) == others.end() ? std::string(line) + "\n" : "";
    }
  };
  add(old_lines, new_lines);
  add(new_lines, old_lines);
  const auto how = parse_json(read_text_file(folder + "/observed.json"), name);
  const auto now = how.value("measured", Json::object());
  const auto then = how.value("applied", Json::object()).value("measured", now);
  for (const auto& [key, value] : now.items()) {
    text += value != then.value(key, Json()) ? key + "\n" : "";
  }
  const auto observed = how.value("observed", Json::object());
  for (const auto& [key, value] : observed.items()) {
    text += key + "\n";
  }
  return text;
}

} // namespace

TEST(Rows, EachHasCasesAndEachOfItsFieldsChangesInOne) {
  const auto all = rows();
  ASSERT_GT(all.size(), 30U) << "the table was not found";
  for (const auto& row : all) {
    SCOPED_TRACE(row.text);
    EXPECT_FALSE(row.cases.empty()) << "has no case";
    std::string changed;
    for (const auto& name : row.cases) {
      const bool is_there = std::filesystem::exists(case_folder(name));
      EXPECT_TRUE(is_there) << "there is no case " << name;
      changed += name + "\n" + (is_there ? difference_in(name) : "");
    }
    for (const auto& field : row.fields) {
      auto word = field.substr(field.rfind('.') + 1);
      word = word.ends_with('s') ? word.substr(0, word.size() - 1) : word; // "service-added"
      EXPECT_NE(changed.find(word), std::string::npos) << field << " changes in none of its cases";
    }
  }
}

TEST(Rows, EachFieldOfTheFormatIsInOne) {
  const auto all = rows();
  for (const auto& shape : spec::shapes()) {
    for (const auto& field : shape.fields) {
      const auto address = address_in_table(shape, field);
      const bool is_map = field.type.find("shape") != std::string_view::npos; // its own fields are asked for
      EXPECT_TRUE(
          is_map
          || std::any_of(
              all.begin(), all.end(),
              [&](const Row& row) {
                return std::any_of(row.fields.begin(), row.fields.end(), [&](const std::string& known) {
                  return covers(known, address);
                });
              }))
          << address << " is in no row of specs/README.md";
    }
  }
}

TEST(Rows, EachCaseOfARowIsListed) {
  const auto all = rows();
  for (const auto& name : case_names()) {
    if (name.starts_with("row-")) {
      EXPECT_TRUE(std::any_of(
          all.begin(), all.end(),
          [&](const Row& row) {
            return std::find(row.cases.begin(), row.cases.end(), name) != row.cases.end();
          }))
          << name << " is of no row of specs/README.md";
    }
  }
}

} // namespace pyro::plan::testing

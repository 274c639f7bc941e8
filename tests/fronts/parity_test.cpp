// Every operation of the table, every parameter and every field is in the command line and in libpyro. A
// front that lacks one fails here; for the MCP server see tests/mcp/tools_test.cpp.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/capi/c_header.hpp>

#include <memory>
#include <regex>
#include <sstream>

namespace pyro::testing {
namespace {

Json table() {
  char* text = pyro_operations();
  auto operations = Json::parse(text)["operations"];
  pyro_free(text);
  return operations;
}

std::vector<std::string> split(const std::string& text, const std::string& at) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (auto end = text.find(at); end != std::string::npos; end = text.find(at, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + at.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

/// A row of command_line.txt.
struct Row {
  std::vector<std::string> commands;
  std::map<std::string, std::string> words; // of parameters
};

std::map<std::string, Row> rows() {
  std::map<std::string, Row> all;
  std::istringstream lines(read_file(source_dir() / "tests/fronts/command_line.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) {
      continue;
    }
    const auto cells = split(line, " | ");
    auto& row = all[cells.at(0)];
    row.commands = split(cells.at(1), ", ");
    for (std::size_t cell = 2; cell < cells.size(); ++cell) {
      const auto space = cells[cell].find(' ');
      row.words[cells[cell].substr(0, space)] = cells[cell].substr(space + 1);
    }
  }
  return all;
}

/// Is that flag or argument in the page, by itself?
bool has_word(const std::string& page, const std::string& word) {
  static const std::string alone = R"((^|[\s,\[]))";
  return std::regex_search(page, std::regex(alone + word + R"(([\s\].,]|$))"));
}

class Parity : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    const Json options{{"base", state().string()}};
    m_library.reset(pyro_open(options.dump().c_str(), nullptr));
    ASSERT_TRUE(m_library);
  }

  void TearDown() override {
    m_library.reset();
    Functional::TearDown();
  }

  std::pair<int, Json> call(const std::string& operation, const Json& parameters) {
    char* text = nullptr;
    const int status =
        pyro_call(m_library.get(), operation.c_str(), parameters.dump().c_str(), nullptr, &text);
    auto document = Json::parse(text);
    pyro_free(text);
    return {status, document};
  }

private:
  std::unique_ptr<pyro_library, decltype(&pyro_close)> m_library{nullptr, pyro_close};
};

TEST_F(Parity, TheCommandLineHasEveryOperationAndParameter) {
  const auto all = rows();
  const auto operations = table();
  for (const auto& [name, row] : all) {
    ASSERT_TRUE(operations.contains(name)) << name << " is no operation";
    for (const auto& [parameter, word] : row.words) {
      EXPECT_TRUE(operations[name]["parameters"]["properties"].contains(parameter))
          << name << ": " << parameter;
    }
  }
  for (const auto& [name, operation] : operations.items()) {
    ASSERT_TRUE(all.contains(name)) << name << " has no row in tests/fronts/command_line.txt";
    const auto& row = all.at(name);
    std::string pages;
    for (const auto& command : row.commands) {
      auto words = split(command, " ");
      words.emplace_back("--help");
      pages += expect(0, words).out;
    }
    for (const auto& [parameter, schema] : operation["parameters"]["properties"].items()) {
      const auto found = row.words.find(parameter);
      auto word = found == row.words.end() ? "--" + parameter : found->second;
      if (found == row.words.end()) {
        std::replace(word.begin(), word.end(), '_', '-');
      }
      EXPECT_TRUE(word.starts_with('(') || has_word(pages, word))
          << name << ": " << row.commands.front() << " has no " << word << " for the parameter " << parameter;
    }
  }
}

/// A value of a schema's type; or one that is of none of its types.
Json value_of(const Json& schema, bool fits) {
  const auto type = schema.value("type", Json("string"));
  const auto types =
      type.is_array() ? type.get<std::vector<std::string>>() : std::vector{type.get<std::string>()};
  if (!fits) {
    const auto is_object = std::find(types.begin(), types.end(), "object") != types.end();
    return is_object ? Json(1.5) : Json{{"a", Json{{"b", 1.5}}}};
  }
  if (schema.contains("enum")) {
    return schema["enum"][0];
  }
  if (types[0] == "integer" || types[0] == "number") {
    return 1;
  }
  return types[0] == "boolean"  ? Json(true)
         : types[0] == "array"  ? Json::array()
         : types[0] == "object" ? Json::object()
                                : Json("x");
}

TEST_F(Parity, TheLibraryHasEveryOperationAndParameter) {
  const auto operations = table();
  for (const auto& [name, operation] : operations.items()) {
    const auto& schema = operation["parameters"];
    auto fitting = Json::object();
    const auto needed = schema.value("required", std::vector<std::string>());
    for (const auto& required : needed) {
      fitting[required] = value_of(schema["properties"][required], true);
    }
    auto more = fitting;
    more["no_such_parameter"] = 1;
    const auto [status, document] = call(name, more);
    EXPECT_EQ(status, PYRO_INVALID) << name << ": " << document;
    EXPECT_TRUE(contains(document.value("message", ""), "no_such_parameter")) << name << ": " << document;
    for (const auto& [parameter, its_schema] : schema["properties"].items()) {
      auto wrong = fitting;
      wrong[parameter] = value_of(its_schema, false);
      const auto [refused, why] = call(name, wrong);
      EXPECT_EQ(refused, PYRO_INVALID) << name << "." << parameter << ": " << why;
      EXPECT_TRUE(contains(why.value("message", ""), "'" + parameter)) << name << ": " << why;
    }
  }
}

/// The names of all fields, with where they are.
void fields_of(const Json& value, const std::string& place, std::set<std::string>& fields) {
  if (value.is_array()) {
    for (const auto& item : value) {
      fields_of(item, place + "[]", fields);
    }
  }
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      fields.insert(place + "." + key);
      fields_of(inner, place + "." + key, fields);
    }
  }
}

std::set<std::string> fields_of(const Json& value) {
  std::set<std::string> fields;
  fields_of(value, "", fields);
  return fields;
}

TEST_F(Parity, BothGiveTheSameFields) {
  make_busybox_root(project() / "image");
  write_file(project() / "seed/first", "first\n");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: ./seed}\n"
      "services: {ticker: {command: 'echo tick; sleep 1000'}}\n");
  expect(0, {"apply"});
  expect(0, {"exec", "--", "sh", "-c", "echo more > more"});
  expect(0, {"snapshot", "save", "one"});
  const auto id = json({"status"})["workspace_id"].get<std::string>();
  const Json here{{"directory", project().string()}};
  const Json by_id{{"workspace_id", id}};
  const auto with = [](Json parameters, const std::string& key, const Json& value) {
    parameters[key] = value;
    return parameters;
  };

  struct Pair {
    const char* operation;
    Json parameters;
    Arguments command;
  };

  const auto all = rows();
  for (const auto& [operation, parameters, command] : std::vector<Pair>{
           {"config", here, {"config"}},
           {"diff", with(here, "patches", true), {"diff", "--patch"}},
           {"disk_usage", Json::object(), {"df"}},
           {"doctor", Json::object(), {"doctor"}},
           {"env_list", Json::object(), {"env", "list"}},
           {"exec", with(here, "argv", Json{"echo", "one"}), {"exec", "--", "echo", "one"}},
           {"list", Json::object(), {"ls"}},
           {"logs", here, {"logs"}},
           {"plan", here, {"plan"}},
           {"service_list", by_id, {"workspace", "service", "list", id}},
           {"service_status",
            with(by_id, "service_name", "ticker"),
            {"workspace", "service", "status", id, "ticker"}},
           {"shell_list", by_id, {"workspace", "shell", "list", id}},
           {"snapshot_list", here, {"snapshot", "ls"}},
           {"status", here, {"status"}},
           {"trust_show", here, {"trust", "--show"}},
           {"validate", here, {"validate"}},
           {"version", Json::object(), {"version"}},
           {"vm_list", Json::object(), {"vm", "list"}},
           {"why", with(here, "address", "workspace"), {"why", "workspace"}},
           {"workspace_diff", by_id, {"workspace", "diff", id}},
           {"workspace_file_list", by_id, {"workspace", "file", "list", id}},
           {"workspace_file_read", with(by_id, "path", "first"), {"workspace", "file", "read", id, "first"}},
           {"workspace_list", Json::object(), {"workspace", "list"}},
           {"workspace_logs", by_id, {"workspace", "logs", id}},
           {"workspace_status", by_id, {"workspace", "status", id}},
           {"workspace_summary", by_id, {"workspace", "summary", id}}}) {
    const auto [status, document] = call(operation, parameters);
    EXPECT_EQ(status, PYRO_OK) << operation << ": " << document;
    auto words = command;
    words.insert(std::find(words.begin(), words.end(), "--"), "--json");
    const auto printed = expect(0, words);
    EXPECT_EQ(fields_of(Json::parse(printed.out, nullptr, false)), fields_of(document)) << operation;
    EXPECT_TRUE(all.contains(operation));
  }
}

} // namespace
} // namespace pyro::testing

// Bytes that are no UTF-8: JSON cannot carry them, so what a caller names is refused, never changed on its
// way.
#include "../support/home.hpp"

#include <fmt/format.h>

namespace pyro::testing {
namespace {

const std::string k_latin = "l-\xE9";

class Bytes : public Functional {
protected:
  void expect_refused(const Arguments& arguments, const std::string& who, const RunOptions& options = {}) {
    const auto result = expect(64, arguments, options);
    for (const auto& part : {who, std::string("is not UTF-8"), std::string("l-\\xe9")}) {
      EXPECT_NE(result.all().find(part), std::string::npos) << part << ": " << result;
    }
  }
};

TEST_F(Bytes, InAnyArgumentAreRefused) {
  spec();
  expect(0, {"apply"});
  for (const auto& arguments : std::vector<Arguments>{
           {"exec", "--", "touch", k_latin},
           {"exec", "-e", "A=" + k_latin, "--", "true"},
           {"exec", "--cwd", k_latin, "--", "true"},
           {"exec", "-u", k_latin, "--", "true"},
           {"diff", "--exit-code", k_latin},
           {"-C", k_latin, "plan"},
           {"-f", k_latin, "plan"},
           {"--var", "a=" + k_latin, "plan"},
           {"-w", k_latin, "status"},
           {"workspace", "exec", "test", "--", k_latin},
           {"workspace", "file", "read", "test", k_latin},
           {"logs", k_latin},
           {k_latin}}) {
    SCOPED_TRACE(arguments.front());
    expect_refused(arguments, "argument ");
  }
  const auto answer = expect(64, {"--json", "diff", k_latin});
  EXPECT_NE(answer.all().find("\"usage\""), std::string::npos) << answer;
  EXPECT_EQ(inside("ls").out, "") << "something was made under a changed name";
}

TEST_F(Bytes, InVariablesThatPyroReadsAreRefused) {
  spec();
  for (const auto& [name, arguments] : std::map<std::string, Arguments>{
           {"PYRO_WORKSPACE", {"status"}}, {"PYRO_VAR_a", {"plan"}}, {"PYRO_DIRECTORY", {"plan"}}}) {
    RunOptions options;
    options.env[name] = k_latin;
    expect_refused(arguments, name, options);
  }
  RunOptions options;
  options.env["PYRO_HOME"] = (root() / k_latin).string();
  expect_refused({"apply"}, "PYRO_HOME", options);
  EXPECT_FALSE(fs::exists(root() / k_latin));
  options = {};
  options.env["NOBODYS"] = k_latin;
  expect(0, {"plan"}, options);
  spec("labels: {a: \"${env:NOBODYS}\"}\n");
  expect_refused({"plan", "--trust"}, "NOBODYS", options);
}

TEST_F(Bytes, InThePathOfTheCheckoutAreRefused) {
  const auto place = root() / k_latin;
  spec("", place);
  RunOptions options;
  options.cwd = place;
  for (const auto* verb : {"plan", "apply", "validate", "status"}) {
    SCOPED_TRACE(verb);
    expect_refused({verb}, "the path of the file", options);
  }
  fs::create_directory_symlink(place, root() / "link");
  expect_refused({"-C", (root() / "link").string(), "apply"}, "the path of the file");
  expect_refused(
      {"workspace", "create", "host", "--name", "hand"}, "the path of the working directory", options);
  EXPECT_TRUE(workspace_ids().empty());
}

/// What is no name of the caller's is bytes as before.
TEST_F(Bytes, OfFilesAndStreamsPassThrough) {
  write_file(project() / k_latin, "content\xFF\n");
  spec();
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat l-*").out, "content\xFF\n");
  EXPECT_EQ(inside("ls").out, k_latin + "\n");
  RunOptions options;
  options.input = "in\xFE\n";
  EXPECT_EQ(expect(0, {"exec", "--", "cat"}, options).out, "in\xFE\n");
}

} // namespace
} // namespace pyro::testing

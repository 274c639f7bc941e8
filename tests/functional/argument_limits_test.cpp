// Arguments and variables up to what the kernel takes, and files in JSON with what its escapes can say.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <fmt/format.h>

namespace pyro::testing {
namespace {

class ArgumentLimits : public Functional {
protected:
  Result by_shell(const std::string& arguments) {
    return command({"sh", "-c", fmt::format("exec '{}' {}", (bin / "pyro").string(), arguments)});
  }
};

TEST_F(ArgumentLimits, AreTheKernels) {
  spec();
  expect(0, {"apply"});
  EXPECT_EQ(by_shell("exec -- sh -c 'echo $# $1 ${100000}' sh $(seq 100000)").out, "100000 1 100000\n");
  EXPECT_EQ(
      by_shell("exec -- sh -c 'echo ${#1}' sh $(head -c 131071 /dev/zero | tr '\\0' x)").out, "131071\n");
  EXPECT_EQ(
      by_shell("exec $(for i in 1 2 3 4 5 6 7 8 9; do echo -e BIG$i=$(head -c 120000 /dev/zero | tr '\\0' "
               "x); done) "
               "-- sh -c 'env | grep -c ^BIG'")
          .out,
      "9\n");
  const auto control =
      by_shell("exec -- sh -c 'echo ${#1}' sh \"$(head -c 60000 /dev/zero | tr '\\0' '\\1')\"");
  EXPECT_EQ(control.out, "60000\n") << "each byte of which is escaped on its way";
  const auto captured = by_shell("exec --json -- sh -c 'echo $#' sh $(seq 100000)");
  EXPECT_EQ(get_string(Json::parse(captured.out), "stdout"), "100000\n");
}

TEST_F(ArgumentLimits, BeyondThemNothingIsSent) {
  const auto with_variable = [&](std::size_t size) {
    spec();
    auto text = read_file(project() / "pyro.yaml");
    text.replace(
        text.find("image: host"), 11,
        fmt::format(
            "image: host, env: {{BIG: {}, OTHER: {}}}", std::string(size, 'x'), std::string(131'000, 'x')));
    write_file(project() / "pyro.yaml", text);
    expect(0, {"apply", "--yes"});
  };
  with_variable(131'067); // with its name, "=" and NUL
  EXPECT_EQ(inside("echo ${#BIG}").out, "131067\n");
  with_variable(131'068);
  const auto one = pyro({"exec", "--", "true"});
  EXPECT_EQ(one.status, 125);
  EXPECT_NE(
      one.err.find("the variable BIG of the command has 131072 bytes; the kernel takes 131071"),
      std::string::npos)
      << one;
  with_variable(131'000);
  const auto all = by_shell("exec $(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo -e BIG$i=$(head -c "
                            "130000 /dev/zero | tr '\\0' x); "
                            "done) -- true");
  EXPECT_EQ(all.status, 125);
  EXPECT_NE(all.err.find("the kernel takes 2097152 at most"), std::string::npos) << all;
}

TEST_F(ArgumentLimits, JsonWritesCharactersInTwoEscapes) {
  write_file(
      project() / "pyro.yaml",
      R"({"version": 1, "environment": {"image": "host", "env": {"SMILE": "\ud83d\uDE00 \\ud83d\\ude00 \u00e4"}}, "seed": {"from": "."}})");
  expect(0, {"apply"});
  EXPECT_EQ(inside("printf %s \"$SMILE\"").out, "\U0001F600 \\ud83d\\ude00 \u00e4");

  const std::string mistaken = R"({"version": 1, "description": "\ud83d\ude00", "mistake": 1})";
  write_file(project() / "pyro.yaml", mistaken);
  const auto told = expect(65, {"validate"});
  EXPECT_NE(
      told.all().find(fmt::format("pyro.yaml:1:{}", mistaken.find("\"mistake\"") + 1)), std::string::npos)
      << told;
}

} // namespace
} // namespace pyro::testing

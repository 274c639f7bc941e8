#include <pyro/base/error.hpp>
#include <pyro/operations/parameters.hpp>

#include <gtest/gtest.h>

namespace pyro::operations {

namespace {

const Json k_schema = Json::parse(R"({
  "type": "object", "required": ["argv"], "additionalProperties": false,
  "properties": {
    "argv": {"type": "array", "items": {"type": "string"}},
    "env": {"type": "object", "additionalProperties": {"type": "string"}},
    "tail": {"type": "integer", "minimum": 0},
    "level": {"type": ["string", "null"]},
    "mode": {"type": "string", "enum": ["ro", "rw"]}}})");

std::string problem(const char* parameters) {
  return mismatch(k_schema, Json::parse(parameters));
}

} // namespace

TEST(Parameters, WhatFitsPasses) {
  EXPECT_EQ(problem(R"({"argv": ["ls"], "env": {"A": "b"}, "tail": 0, "level": null, "mode": "rw"})"), "");
}

TEST(Parameters, EachFailureNamesTheParameter) {
  EXPECT_EQ(problem("{}"), "'argv' is missing");
  EXPECT_EQ(problem("[]"), "the parameters must be an object, not an array");
  EXPECT_EQ(problem(R"({"argv": "ls"})"), "'argv' must be an array, not a string");
  EXPECT_EQ(problem(R"({"argv": ["ls", 1]})"), "'argv[1]' must be a string, not an integer");
  EXPECT_EQ(problem(R"({"argv": [], "env": {"A": true}})"), "'env.A' must be a string, not a boolean");
  EXPECT_EQ(problem(R"({"argv": [], "tail": -1})"), "'tail' must be at least 0");
  EXPECT_EQ(problem(R"({"argv": [], "tail": 1.5})"), "'tail' must be an integer, not a number");
  EXPECT_EQ(problem(R"({"argv": [], "level": 3})"), "'level' must be a string or null, not an integer");
  EXPECT_EQ(problem(R"({"argv": [], "mode": "x"})"), R"('mode' must be one of ["ro","rw"], not "x")");
}

TEST(Parameters, TextIsUtf8) {
  const auto refusal = [](const Json& parameters) {
    try {
      const Json schema = {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
      check_parameters("run", schema, parameters);
    } catch (const Error& error) {
      return error.message();
    }
    return std::string();
  };
  EXPECT_EQ(refusal({{"a", "\xC3\xA9"}}), "");
  EXPECT_EQ(refusal({{"a", "l-\xE9"}}), "run: 'a' must be UTF-8");
  EXPECT_EQ(refusal({{"l-\xE9", "a"}}), "run: a name in the parameters must be UTF-8");
}

TEST(Parameters, UnknownOnesSuggestTheNearest) {
  try {
    check_parameters("exec", k_schema, {{"argv", Json::array()}, {"evn", Json::object()}});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_EQ(error.message(), "exec: there is no parameter 'evn'");
    EXPECT_EQ(error.hint(), "did you mean 'env'?");
  }
}

TEST(Parameters, ASchemaWithAnUncheckedKeyIsABug) {
  EXPECT_THROW(mismatch({{"type", "string"}, {"pattern", "x"}}, "y"), Error);
}

} // namespace pyro::operations

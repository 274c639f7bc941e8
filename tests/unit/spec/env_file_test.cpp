// Files of variables: what Compose's documentation shows, and what is refused.
#include <pyro/base/error.hpp>
#include <pyro/spec/env_file.hpp>

#include <gtest/gtest.h>

namespace pyro::spec {
namespace {

using namespace std::string_view_literals;

Variables read(std::string_view text) {
  Variables variables;
  read_env_file(text, "x.env", variables);
  return variables;
}

std::string refusal_of(std::string_view text) {
  try {
    read(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_file);
    return error.what();
  }
  return "taken";
}

TEST(EnvFile, WhatComposeShows) {
  for (const auto& [line, value] : std::map<std::string, std::string>{
           {"VAR=VAL", "VAL"},
           {"VAR=\"VAL\"", "VAL"},
           {"VAR='VAL'", "VAL"},
           {"VAR: VAL", "VAL"},
           {"VAR = VAL  ", "VAL"},
           {"  VAR\t=\tVAL", "VAL"},
           {"export VAR=VAL", "VAL"},
           {"export\tVAR = \"VAL\"", "VAL"},
           {"VAR=VAL # comment", "VAL"},
           {"VAR=VAL# not a comment", "VAL# not a comment"},
           {"VAR=\"VAL # not a comment\"", "VAL # not a comment"},
           {"VAR=\"VAL\" # comment", "VAL"},
           {"VAR= # comment", ""},
           {"VAR=#value", "#value"},
           {"VAR=", ""},
           {"VAR=a=b:c", "a=b:c"},
           {"VAR='$OTHER'", "$OTHER"},
           {"VAR='${OTHER}'", "${OTHER}"},
           {"VAR='Let\\'s go!'", "Let's go!"},
           {"VAR=\"{\\\"hello\\\": \\\"json\\\"}\"", "{\"hello\": \"json\"}"},
           {"VAR=\"some\\tvalue\\n\\\\\"", "some\tvalue\n\\"},
           {"VAR='some\\tvalue'", "some\\tvalue"},
           {"VAR=some\\tvalue", "some\\tvalue"},
           {"VAR='SOME\nVALUE'", "SOME\nVALUE"},
           {"VAR=it's", "it's"},
           {"VAR=$$5 and $ 5", "$5 and $ 5"},
       }) {
    EXPECT_EQ(read(line), (Variables{{"VAR", value}})) << line;
  }
}

TEST(EnvFile, LineEndsMarksAndComments) {
  const Variables wanted{{"A", "1"}, {"B", "2"}, {"spring.url-x", "3"}};
  EXPECT_EQ(read("\xEF\xBB\xBF# head\r\n\r\nA=1\r\n   \t\nB=\"2\"\r\n  # comment\nspring.url-x=3"), wanted);
}

TEST(EnvFile, ReferencesAreToWhatWasSetBefore) {
  Variables variables{{"HOST", "db"}};
  read_env_file("USER=u\nURL=\"pg://${USER}@$HOST/x\"\nRAW='$USER'\n", "x.env", variables);
  EXPECT_EQ(variables["URL"], "pg://u@db/x");
  EXPECT_EQ(variables["RAW"], "$USER");
}

TEST(EnvFile, OddLinesAreRefusedByPlace) {
  for (const auto& [text, place_and_words] : std::map<std::string_view, std::string>{
           {"A=1\nB\n"sv, "x.env:2:1: a line of an env file must be NAME=VALUE"},
           {"A=1\n=x\n"sv, "x.env:2:1: what is before the '=' cannot be the name"},
           {"1A=x"sv, "x.env:1:1: what is before the '=' cannot be the name"},
           {"A B=x"sv, "x.env:1:1: what is before the '=' cannot be the name"},
           {"\xC3\xA4=x"sv, "x.env:1:1: what is before the '=' cannot be the name"},
           {"A=1\nB=a\0b\n"sv, "x.env:2:1: a NUL byte"},
           {"A=1\n\nB=\xE9\n"sv, "x.env:3:1: this line is not UTF-8"},
           {"A='x\ny\n"sv, "x.env:1:1: the quote ' is not closed"},
           {"A='1\n2'\nB=\"x\" y\n"sv, "x.env:3:1: text behind the closing quote"},
           {"A=$HOME"sv, "x.env:1:1: the '$' in this value refers to no variable"},
           {"B=1\nA=\"${B:-x}\""sv, "x.env:2:1: the '$' in this value refers to no variable"},
       }) {
    EXPECT_NE(refusal_of(text).find(place_and_words), std::string::npos)
        << text << " gave: " << refusal_of(text);
  }
}

/// The lines of a private key that nobody quoted.
TEST(EnvFile, ARefusalDoesNotShowWhatMayBeSecret) {
  const auto text = refusal_of("KEY=-----BEGIN\nMIIEsecret/x+y==\nPW=s3cret$nobody\n");
  EXPECT_NE(text.find("x.env:2:1"), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  EXPECT_EQ(refusal_of("PW=s3cret$nobody").find("s3cret"), std::string::npos);
}

} // namespace
} // namespace pyro::spec

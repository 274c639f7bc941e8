// Short ways to parse a snippet and look at what came out.
#pragma once

#include "../../support/files.hpp"

#include <pyro/spec/normal_form.hpp>
#include <pyro/spec/parse.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace pyro::spec::testing {

inline std::string read_text_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream.good()) << path;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline std::string shop() {
  return read_text_file(pyro::testing::source_dir().string() + "/tests/unit/spec/shop.yaml");
}

/// A valid file with more lines at its end (line 3 on).
inline std::string with(const std::string& more) {
  return "version: 1\nenvironment: {image: host}\n" + more;
}

/// A valid file whose environment has more lines.
inline std::string with_environment(const std::string& more) {
  return "version: 1\nenvironment:\n  image: host\n" + more;
}

inline std::string all_text(const ParseResult& result) {
  std::string text;
  for (const auto& diagnostic : result.diagnostics) {
    text += to_string(diagnostic) + "\n";
  }
  return text;
}

inline Spec parsed(const std::string& text, const ParseOptions& options = {}) {
  auto result = parse_spec(text, options);
  EXPECT_TRUE(result.ok()) << all_text(result) << text;
  return result.ok() ? std::move(*result.spec) : Spec{};
}

/// The first diagnostic of a file that must not parse.
inline std::string first_error(const std::string& text, const ParseOptions& options = {}) {
  const auto result = parse_spec(text, options);
  EXPECT_FALSE(result.ok()) << text;
  return result.diagnostics.empty() ? std::string("(none)") : to_string(result.diagnostics.front());
}

} // namespace pyro::spec::testing

// The text of this repository's own files, for the tests of its rules. Build trees and git's files are left
// out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pyro::rules {

struct SourceFile {
  std::string path; // relative to the repository: "src/pyro/base/error.hpp"
  std::string text;

  std::vector<std::string> lines() const;
  bool has_extension(std::initializer_list<const char*> extensions) const;
};

struct Include {
  int line = 0;
  bool quoted = false;
  std::string target; // between the quotes or brackets
};

/// Where the repository is.
std::filesystem::path root();
/// Every text file of ours, sorted by path.
const std::vector<SourceFile>& all_files();
/// C++ and C sources and headers below one of the folders ("src", "tests").
std::vector<SourceFile> sources_below(std::initializer_list<const char*> folders);
std::vector<Include> includes_of(const SourceFile& file);
/// The text without comments and the content of literals, line structure kept.
std::string code_only(const std::string& text);

} // namespace pyro::rules

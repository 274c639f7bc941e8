// Small files and trees for tests. Failures throw std::runtime_error, which fails the test.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace pyro::testing {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path);
/// Makes the directories above it too.
void write_file(const fs::path& path, const std::string& text);
void append_file(const fs::path& path, const std::string& text);
/// Replaces every `from` in the file; throws where there is none, so that a test cannot change nothing.
void replace_in_file(const fs::path& path, const std::string& from, const std::string& to);
/// The repository's own examples/NAME, copied to `to`.
void copy_example(const std::string& name, const fs::path& to);

/// Path below `root` to kind, mode and content of everything, for comparing trees before and after.
std::map<std::string, std::string> tree_of(const fs::path& root);

/// Asks until it is true or the time is over.
bool eventually(const std::function<bool()>& question, int seconds = 60);
bool contains(const std::string& text, const std::string& part);

bool contains(const std::string& text, const std::string& part);

fs::path source_dir();
fs::path binary_dir();

} // namespace pyro::testing

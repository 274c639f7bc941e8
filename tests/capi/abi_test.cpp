// What other programs are linked with: the header, the symbols, the table of operations.
#include "library.hpp"

#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>

#include <regex>
#include <set>
#include <sstream>

namespace pyro::testing {
namespace {

const fs::path k_library = binary_dir() / "bin/libpyro.so";
const fs::path k_include = source_dir() / "include";

std::set<std::string> matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> all;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern); at != std::sregex_iterator();
       ++at) {
    all.insert((*at)[1]);
  }
  return all;
}

std::set<std::string> functions_of_the_header() {
  const auto header = read_file(k_include / "pyro/pyro.h");
  return matches(header, std::regex(R"(\n[a-z_ ]+[ *](pyro_[a-z_]+)\()"));
}

TEST(CApiAbi, TheLibraryShowsTheFunctionsOfItsHeaderAndNothingElse) {
  const auto listed = os::run_checked({.argv = {"nm", "-D", "--defined-only", k_library.string()}});
  std::set<std::string> shown;
  std::istringstream lines(listed);
  for (std::string address, kind, name; lines >> address >> kind >> name;) {
    if (kind != "A") { // the version itself
      EXPECT_EQ(kind, "T") << name;
      EXPECT_TRUE(contains(name, "@@PYRO_0.1")) << name;
      shown.insert(name.substr(0, name.find('@')));
    }
  }
  EXPECT_EQ(shown, functions_of_the_header());
  EXPECT_EQ(shown.size(), 9U);
}

TEST(CApiAbi, TheLibraryNeedsNothingThatADebianLacks) {
  if (contains(os::run_checked({.argv = {"nm", "-D", k_library.string()}}), "san_")) {
    GTEST_SKIP() << "this build is for a sanitizer";
  }
  const auto listed = os::run_checked({.argv = {"readelf", "-d", k_library.string()}});
  const auto needed = matches(listed, std::regex(R"(\(NEEDED\)[^\[]*\[([^\]]+)\])"));
  for (const auto& name : needed) {
    EXPECT_TRUE(
        name == "libc.so.6" || name == "libm.so.6" || name == "libgcc_s.so.1" || name.starts_with("ld-linux"))
        << name;
  }
  EXPECT_TRUE(needed.contains("libgcc_s.so.1")) << "one unwinder for the program and us";
  EXPECT_EQ(
      matches(listed, std::regex(R"(\(SONAME\)[^\[]*\[([^\]]+)\])")), std::set<std::string>{"libpyro.so.0"});
}

TEST(CApiAbi, TheHeaderIsCAndCpp) {
  const os::TempDir directory("/tmp", "pyro-header");
  const auto source = directory.path() + "/one";
  const auto compiles = [&](const char* compiler, const char* standard, const std::string& file) {
    write_file(file, "#include <pyro/pyro.h>\nint main(void) { return pyro_version()[0] == 0; }\n");
    const auto done = os::run(
        {.argv = {
             compiler, standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only",
             "-I" + k_include.string(), file}});
    EXPECT_TRUE(done.outcome.ok()) << compiler << " " << standard << ": " << done.err;
  };
  compiles("cc", "-std=c99", source + ".c");
  compiles("cc", "-std=c17", source + ".c");
  compiles("c++", "-std=c++11", source + ".cpp");
}

TEST(CApiAbi, TheTableIsThatOfTheOperations) {
  char* text = pyro_operations();
  EXPECT_EQ(text, read_file(source_dir() / "schemas/operations/operations.json"));
  pyro_free(text);
}

} // namespace
} // namespace pyro::testing

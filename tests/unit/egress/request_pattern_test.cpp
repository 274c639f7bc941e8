#include <pyro/base/error.hpp>
#include <pyro/egress/request_pattern.hpp>

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace pyro::egress {
namespace {

TEST(RequestPattern, HoldsWhatItSaysAndNothingElse) {
  using Case = std::tuple<const char*, const char*, const char*, bool>;
  for (const auto& [pattern, method, path, expected] : std::vector<Case>{
           {"GET /repos/*", "GET", "/repos/a", true},
           {"GET /repos/*", "GET", "/repos/a/b/c", true},
           {"GET /repos/*", "GET", "/repos/", true},
           {"GET /repos/*", "GET", "/repos", false},
           {"GET /repos/*", "GET", "/repositories/a", false},
           {"GET /repos/*", "POST", "/repos/a", false},
           {"GET /repos/*", "HEAD", "/repos/a", false},
           {"GET /repos/*", "GET", "/x/repos/a", false},
           {"* /repos/*/issues", "POST", "/repos/a/b/issues", true},
           {"* /repos/*/issues", "POST", "/repos/a/b/issues/1", false},
           {"GET /", "GET", "/", true},
           {"GET /", "GET", "/a", false},
           {"GET /*", "GET", "/a", true},
           {"GET /a*b*c", "GET", "/aXbXbXc", true},
           {"GET /a*b*c", "GET", "/aXbXcd", false},
           {"GET /A", "GET", "/a", false}}) {
    EXPECT_EQ(request_pattern_from(pattern).holds(method, path), expected) << pattern << " " << path;
  }
}

TEST(RequestPattern, ThatCanNeverMatchIsRefusedWithWhatToWrite) {
  for (const auto* wrong :
       {"", "GET", "/repos", "get /repos", "GET  /repos", " GET /repos", "GET repos", "GET /a b",
        "GET /a?x=1", "GET /a#b", "GET /a/../b", "GET /a/%2e%2e/b", "GET /a//b", "GET /%61", "GET /%",
        "G*T /a", "GET /\n", "GET /a\\b", "GET https://web.example/a"}) {
    try {
      FAIL() << wrong << " is read as " << to_string(request_pattern_from(wrong));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << wrong;
      EXPECT_FALSE(error.hint().empty()) << wrong;
    }
  }
}

TEST(PlainPath, IsOneTextForOneMeaning) {
  for (const auto& [target, plain] : std::vector<std::pair<const char*, const char*>>{
           {"/repos/a?x=/../b", "/repos/a"},
           {"/%72epos/%61", "/repos/a"},
           {"/group%2fproject", "/group%2Fproject"},
           {"/a%20b", "/a%20b"},
           {"/a.b/..c/d..", "/a.b/..c/d.."},
           {"/a/", "/a/"},
           {"*", "*"}}) {
    EXPECT_EQ(plain_path(target), plain) << target;
  }
}

TEST(PlainPath, RefusesWhatServersReadInSeveralWays) {
  for (const auto* target :
       {"/repos/../user",
        "/repos/%2e%2e/user",
        "/repos/.%2E/user",
        "/repos/..",
        "/repos/./a",
        "/repos/..%2fuser",
        "/repos/%2e%2e%2fuser",
        "/repos/..;x=1/user",
        "/repos/%5c..%5cuser",
        "/repos\\..\\user",
        "/repos//user",
        "/repos/%252e%252e/user",
        "/repos/%25%32%65",
        "/repos/%",
        "/repos/%zz",
        "/repos/a%00b",
        "/repos/a%0d%0ab",
        "%2e%2E/user",
        "repos/a",
        ""}) {
    EXPECT_THROW(std::ignore = plain_path(target), Error) << target;
  }
}

} // namespace
} // namespace pyro::egress

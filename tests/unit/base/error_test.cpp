#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <gtest/gtest.h>

#include <cerrno>

namespace pyro {
namespace {

TEST(Errors, TextRunsFromThePlaceToTheCause) {
  Error error(ErrorCode::failed, "exit code {}", 3);
  error.add_context("running step deps").add_context("applying shop").at({"pyro.yaml", 12, 3});
  EXPECT_STREQ(error.what(), "pyro.yaml:12:3: applying shop: running step deps: exit code 3");
}

TEST(Errors, ErrnoDecidesTheCode) {
  EXPECT_EQ(Error::from_errno(ENOSPC, "write").code(), ErrorCode::disk_full);
  EXPECT_EQ(Error::from_errno(EACCES, "open /x").code(), ErrorCode::permission);
  EXPECT_EQ(Error::from_errno(ENOENT, "open /x").error_number(), ENOENT);
  EXPECT_EQ(Error::from_errno(ENOENT, "open /x").code(), ErrorCode::io) << "nobody has named it to us";
}

TEST(Errors, TravelAsJsonAndBack) {
  Error error(ErrorCode::not_ready, "late");
  error.with_hint("wait").with_output({"a", "b"}).add_context("web").at({"f", 1, 2});
  const auto back = error_from_json(to_json(error));
  EXPECT_EQ(back.code(), error.code());
  EXPECT_STREQ(back.what(), error.what());
  EXPECT_EQ(back.hint(), "wait");
  EXPECT_EQ(back.output(), error.output());
}

TEST(Errors, ExitStatusesAreThoseOfTheTable) {
  EXPECT_EQ(exit_status_of(ErrorCode::usage), 64);
  EXPECT_EQ(exit_status_of(ErrorCode::invalid_file), 65);
  EXPECT_EQ(exit_status_of(ErrorCode::input_missing), 66);
  EXPECT_EQ(exit_status_of(ErrorCode::approval_needed), 7);
  EXPECT_EQ(exit_status_of(ErrorCode::timeout), 124);
}

TEST(JsonAccess, FailuresNameTheKey) {
  try {
    get_int(Json{{"port", "eighty"}}, "port");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'port'"), std::string::npos);
  }
  EXPECT_EQ(string_or(Json{{"a", nullptr}}, "a", "x"), "x");
  EXPECT_THROW(string_or(Json{{"a", 1}}, "a", "x"), Error);
}

} // namespace
} // namespace pyro

#include <pyro/base/error.hpp>
#include <pyro/workspace/context/limits.hpp>

#include <gtest/gtest.h>

namespace pyro::workspace {
namespace {

std::string refusal(const Size& size) {
  try {
    check_size(size);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.message();
  }
  return "";
}

TEST(Limits, TheEdgesAreIn) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({k_vcpu_bounds.least, k_mem_mib_bounds.least, k_ttl_seconds_bounds.least}), "");
  EXPECT_EQ(refusal({k_vcpu_bounds.most, k_mem_mib_bounds.most, k_ttl_seconds_bounds.most}), "");
}

TEST(Limits, OneBeyondIsOut) {
  EXPECT_EQ(refusal({.vcpu_count = 0}), "vcpu_count must be between 1 and 256, not 0");
  EXPECT_NE(
      refusal({.vcpu_count = k_vcpu_bounds.most + 1}).find("vcpu_count must be between"), std::string::npos);
  EXPECT_NE(
      refusal({.mem_mib = k_mem_mib_bounds.least - 1}).find("mem_mib must be between"), std::string::npos);
  EXPECT_NE(
      refusal({.mem_mib = k_mem_mib_bounds.most + 1}).find("mem_mib must be between"), std::string::npos);
  EXPECT_NE(refusal({.ttl_seconds = 59}).find("ttl_seconds must be between"), std::string::npos);
  EXPECT_NE(
      refusal({.ttl_seconds = k_ttl_seconds_bounds.most + 1}).find("ttl_seconds must be between"),
      std::string::npos);
}

} // namespace
} // namespace pyro::workspace

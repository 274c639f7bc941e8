#include <pyro/base/error.hpp>
#include <pyro/base/resource_use.hpp>

#include <gtest/gtest.h>

namespace pyro {
namespace {

ResourceUse full() {
  ResourceUse use;
  use.cpu = CpuUse{CountedBy::cgroup, 1'500'000, 2.0};
  use.memory = MemoryUse{CountedBy::processes, 4096, 8192, 512, 65536};
  use.pids = PidsUse{CountedBy::machine, 3, 100};
  return use;
}

TEST(ResourceUse, ComesBackAsItWas) {
  const auto document = to_json(full());
  EXPECT_EQ(to_json(resource_use_from_json(document)), document);
  EXPECT_EQ(document["cpu"]["usec"], 1'500'000);
  EXPECT_EQ(document["memory"]["counted_by"], "processes");
  EXPECT_EQ(document["memory"]["peak_bytes"], 8192);
}

TEST(ResourceUse, WhatNobodyCountsIsNull) {
  const auto document = to_json(ResourceUse{});
  EXPECT_TRUE(
      document.at("cpu").is_null() && document.at("memory").is_null() && document.at("pids").is_null());
  EXPECT_FALSE(resource_use_from_json(document).memory);
  ResourceUse use;
  use.memory = MemoryUse{CountedBy::processes, 0, {}, {}, {}};
  use.cpu = CpuUse{CountedBy::processes, 0, std::nullopt};
  EXPECT_TRUE(to_json(use)["memory"].at("peak_bytes").is_null());
  EXPECT_FALSE(resource_use_from_json(to_json(use)).cpu->limit);
  EXPECT_FALSE(resource_use_from_json(to_json(use)).memory->limit_bytes);
}

TEST(ResourceUse, IsCompletedByAnother) {
  ResourceUse group;
  group.cpu = CpuUse{CountedBy::cgroup, 7, std::nullopt};
  const auto whole = group.completed_by(full());
  EXPECT_EQ(whole.cpu->usec, 7U);
  EXPECT_EQ(whole.memory->by, CountedBy::processes);
  EXPECT_EQ(whole.pids->count, 3U);
}

TEST(ResourceUse, RefusesWhatIsNone) {
  const auto broken = [](const char* part, const char* key, const Json& value) {
    auto document = to_json(full());
    document[part][key] = value;
    return document;
  };
  for (const auto& document :
       {Json::object(), Json(1), Json{{"cpu", 1}, {"memory", nullptr}, {"pids", nullptr}},
        broken("cpu", "usec", -1), broken("cpu", "usec", "1"), broken("cpu", "limit", 0),
        broken("cpu", "limit", -2.0), broken("cpu", "counted_by", "me"), broken("memory", "bytes", -1),
        broken("memory", "bytes", 1.5), broken("memory", "peak_bytes", -1),
        broken("memory", "bytes", nullptr), broken("pids", "count", nullptr), broken("pids", "limit", "1")}) {
    EXPECT_THROW(resource_use_from_json(document), Error) << document.dump();
  }
}

} // namespace
} // namespace pyro

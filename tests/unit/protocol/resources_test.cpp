#include <pyro/base/error.hpp>
#include <pyro/protocol/resources.hpp>

#include <gtest/gtest.h>

namespace pyro::protocol {
namespace {

Resources some_resources() {
  Resources resources;
  resources.whole.cpu = CpuUse{CountedBy::machine, 10, 2.0};
  resources.services["web"].memory = MemoryUse{CountedBy::processes, 4096, {}, {}, {}};
  resources.disk = DiskUse{5, 50};
  return resources;
}

TEST(Resources, ComeBackAsTheyWere) {
  const auto document = to_json(some_resources());
  EXPECT_EQ(to_json(resources_from_json(document)), document);
  EXPECT_FALSE(resources_from_json(to_json(Resources{})).disk);
}

TEST(Resources, OfAnAgentThatLiesAreRefused) {
  const auto with = [](const char* key, const Json& value) {
    auto document = to_json(some_resources());
    document[key] = value;
    return document;
  };
  Json many = Json::object();
  for (int count = 0; count < 1000; ++count) {
    many["s" + std::to_string(count)] = pyro::to_json(ResourceUse{});
  }
  for (const auto& document :
       {Json(), with("services", nullptr), with("services", Json::array()), with("services", many),
        with("services", {{"a/b", pyro::to_json(ResourceUse{})}}), with("services", {{"web", 1}}),
        with("disk", {{"used_bytes", -1}, {"size_bytes", 1}}), with("disk", {{"used_bytes", 1}}),
        with("memory", {{"bytes", "much"}, {"counted_by", "machine"}})}) {
    EXPECT_THROW(resources_from_json(document), Error) << document.dump().substr(0, 200);
  }
}

} // namespace
} // namespace pyro::protocol

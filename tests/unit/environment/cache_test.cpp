#include "fixture.hpp"

#include <pyro/environment/cache.hpp>

#include <thread>

namespace pyro::environment {

class EnvironmentCacheTest : public EnvironmentTest {
protected:
  EnvironmentCacheTest() : m_cache(path("cache")) { m_cache.prepare(); }

  static EnvironmentRecord sample() {
    EnvironmentRecord record;
    record.digest = sha256_of("x");
    record.image = "debian:12";
    record.kind = "debian";
    record.layers = {sha256_of("layer")};
    record.host_dirs = {"usr"};
    record.size_bytes = 7;
    return record;
  }

  EnvironmentCache m_cache;
};

TEST_F(EnvironmentCacheTest, RecordsComeBack) {
  m_cache.save(sample());
  const auto found = m_cache.find(sample().digest);
  ASSERT_TRUE(found);
  EXPECT_EQ(to_json(*found), to_json(sample()));
  EXPECT_EQ(m_cache.list().size(), 1U);
  m_cache.remove(sample().digest);
  m_cache.remove(sample().digest);
  EXPECT_FALSE(m_cache.find(sample().digest));
}

TEST_F(EnvironmentCacheTest, DamagedRecordsDoNotCount) {
  const auto digest = sample().digest;
  m_cache.save(sample());
  const std::string file = "cache/environments/" + digest + ".json";
  const auto text = os::read_file(path(file));
  std::vector<std::string> broken{"", "{", "[]", text.substr(0, text.size() / 2)};
  auto escaping = to_json(sample());
  escaping["host_dirs"] = {"../etc"};
  broken.push_back(escaping.dump());
  auto layer = to_json(sample());
  layer["layers"] = {"../../x"};
  broken.push_back(layer.dump());
  auto other = to_json(sample());
  other["digest"] = sha256_of("other");
  broken.push_back(other.dump());
  for (const auto& content : broken) {
    write(file, content);
    EXPECT_FALSE(m_cache.find(digest)) << content;
    std::vector<HexDigest> damaged;
    EXPECT_TRUE(m_cache.list(&damaged).empty());
    EXPECT_EQ(damaged, std::vector{digest});
  }
}

TEST_F(EnvironmentCacheTest, FilesAreReadAgainOnlyWhenChanged) {
  write("file", "one");
  EXPECT_EQ(m_cache.digest_of_file(path("file")), sha256_of("one"));
  EXPECT_TRUE(os::list_directory(path("cache/environments/known")).empty()) << "too fresh to be trusted";
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  EXPECT_EQ(m_cache.digest_of_file(path("file")), sha256_of("one"));
  EXPECT_EQ(os::list_directory(path("cache/environments/known")).size(), 1U);
  write("file", "two");
  EXPECT_EQ(m_cache.digest_of_file(path("file")), sha256_of("two"));
}

} // namespace pyro::environment

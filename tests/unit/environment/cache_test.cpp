#include "fixture.hpp"

#include <pyro/environment/cache.hpp>

#include <thread>

namespace pyro::environment {

class EnvironmentCacheTest : public EnvironmentTest {
protected:
  EnvironmentCacheTest() : m_cache(path("cache")) { m_cache.prepare(); }

  EnvironmentCache m_cache;
};

TEST_F(EnvironmentCacheTest, KnowsTheStateDirectoriesThatAreThere) {
  write("one/file", "");
  write("two/file", "");
  for (const auto* home : {"one", "two", "gone"}) {
    m_cache.prepare_records_of(path(home));
  }
  EXPECT_EQ(m_cache.other_homes(path("one")), std::vector{path("two")});
  EXPECT_EQ(m_cache.other_homes(path("two")), std::vector{path("one")});
  EXPECT_EQ(os::list_directory(path("cache/environments/homes")).size(), 2U) << "what is gone is forgotten";
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

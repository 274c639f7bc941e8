#include "fixture.hpp"

#include <pyro/environment/cache.hpp>

#include <filesystem>
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

TEST_F(EnvironmentCacheTest, LeavesAPlaceThatIsJustBeingMade) {
  const auto place = m_cache.records_of(path("one"));
  std::filesystem::create_directories(place);
  EXPECT_EQ(m_cache.other_homes(path("two")), std::vector{place});
  EXPECT_TRUE(std::filesystem::exists(place)) << "it is somebody's who writes its note next";
  std::filesystem::last_write_time(
      place, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_TRUE(m_cache.other_homes(path("two")).empty());
  EXPECT_FALSE(std::filesystem::exists(place)) << "whoever made it was killed";
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

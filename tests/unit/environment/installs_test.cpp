#include "fixture.hpp"

#include <pyro/environment/installs.hpp>

namespace pyro::environment {

class InstallRecordsTest : public EnvironmentTest {
protected:
  InstallRecordsTest() { m_cache.prepare_records_of(m_base.root()); }

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

  EnvironmentCache m_cache{path("cache")};
  InstallRecords m_installs{m_cache, m_base};
};

TEST_F(InstallRecordsTest, RecordsComeBack) {
  m_installs.save(sample());
  const auto found = m_installs.find(sample().digest);
  ASSERT_TRUE(found);
  EXPECT_EQ(to_json(*found), to_json(sample()));
  EXPECT_EQ(m_installs.list().size(), 1U);
  m_installs.remove(sample().digest);
  m_installs.remove(sample().digest);
  EXPECT_FALSE(m_installs.find(sample().digest));
}

TEST_F(InstallRecordsTest, DamagedRecordsDoNotCount) {
  const auto digest = sample().digest;
  m_installs.save(sample());
  const auto file = m_installs.path(digest).substr(m_root.size() + 1);
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
    EXPECT_FALSE(m_installs.find(digest)) << content;
    std::vector<HexDigest> damaged;
    EXPECT_TRUE(m_installs.list(&damaged).empty());
    EXPECT_EQ(damaged, std::vector{digest});
  }
}

} // namespace pyro::environment

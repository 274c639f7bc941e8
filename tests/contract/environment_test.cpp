// Environments in their cache, and copies of disks.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/tree_copy.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace pyro::contract {
namespace {

/// A variable of our environment for as long as this lives.
class Variable {
public:
  Variable(const char* name, const char* value) : m_name(name) {
    if (const char* before = std::getenv(name)) {
      m_before = before;
    }
    value != nullptr ? ::setenv(name, value, 1) : ::unsetenv(name);
  }

  ~Variable() { m_before ? ::setenv(m_name, m_before->c_str(), 1) : ::unsetenv(m_name); }

  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

private:
  const char* m_name;
  std::optional<std::string> m_before;
};

/// The environment's directory, old enough for its time stamps to be believed.
std::string settled(const std::string& environment) {
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  return environment;
}

/// In the folder of the state directory whose it is.
fs::path record_of(const fs::path& cache, const Json& pulled) {
  const auto name = pulled["digest"].get<std::string>() + ".json";
  for (const auto& home : fs::directory_iterator(cache / "environments/homes")) {
    if (fs::exists(home.path() / name)) {
      return home.path() / name;
    }
  }
  return {};
}

TEST_P(ContractFake, env_cache__where_it_is) {
  auto own = settings();
  own.cache.clear();
  const auto chosen = root() / "chosen";
  const auto xdg = root() / "xdg";
  const Variable cache_home("XDG_CACHE_HOME", xdg.c_str());
  const Json image{{"image", environment()}};
  {
    const Variable directory("PYRO_ENVIRONMENT_CACHE_DIR", chosen.c_str());
    const auto pulled = operations::make_engine(own, {})->call("env_pull", image);
    EXPECT_TRUE(fs::exists(record_of(chosen, pulled)));
    EXPECT_FALSE(fs::exists(xdg));
  }
  const Variable none("PYRO_ENVIRONMENT_CACHE_DIR", nullptr);
  const auto pulled = operations::make_engine(own, {})->call("env_pull", image);
  EXPECT_TRUE(fs::exists(record_of(xdg / "pyro", pulled)));
}

TEST_P(ContractFake, env_cache__only_what_is_intact_counts) {
  const Json image{{"image", settled(environment())}};
  const auto installed = [&] {
    return call("env_inspect", image)["installed"].get<bool>();
  };
  EXPECT_FALSE(installed());
  const auto pulled = call("env_pull", image);
  EXPECT_EQ(pulled["status"], "installed");
  EXPECT_TRUE(installed());
  EXPECT_EQ(call("env_pull", image)["status"], "present");

  const auto manifest = record_of(root() / "cache", pulled);
  testing::write_file(manifest, "{ half");
  EXPECT_FALSE(installed());
  EXPECT_EQ(call("env_pull", image)["status"], "repaired");
  EXPECT_TRUE(installed());
  EXPECT_EQ(call("env_pull", image)["status"], "present");
}

TEST_P(ContractFake, env_cache__damaged_content_is_repaired) {
  const Json image{{"image", settled(environment())}};
  call("env_pull", image);
  const fs::path tree = call("env_inspect", image)["layers"][0]["tree"].get<std::string>();
  const auto file = tree / "etc/passwd";
  const auto before = testing::read_file(file);
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
  testing::write_file(file, "evil::0:0:::\n");
  EXPECT_EQ(call("env_pull", image)["status"], "repaired");
  const fs::path again = call("env_inspect", image)["layers"][0]["tree"].get<std::string>();
  EXPECT_EQ(testing::read_file(again / "etc/passwd"), before);
  EXPECT_EQ(call("env_pull", image)["status"], "present");

  fs::permissions(again, fs::perms::owner_all, fs::perm_options::add);
  fs::permissions(again / "etc", fs::perms::owner_all, fs::perm_options::add);
  fs::rename(again, root() / "gone");
  EXPECT_FALSE(call("env_inspect", image)["installed"].get<bool>());
  EXPECT_EQ(call("env_pull", image)["status"], "repaired");
  EXPECT_TRUE(call("env_inspect", image)["installed"].get<bool>());
  call("prune"); // the damaged layer that gave way to the good one
}

TEST_P(ContractFake, rootfs_clone__holes_stay_holes) {
  fs::create_directories(root());
  const auto source = os::open_file((root() / "disk").string(), O_RDWR | O_CREAT, 0600);
  constexpr off_t k_size = 64 << 20;
  ASSERT_EQ(::ftruncate(source.get(), k_size), 0);
  ASSERT_EQ(::pwrite(source.get(), "content", 7, 32 << 20), 7);
  const auto target = os::open_file((root() / "copy").string(), O_RDWR | O_CREAT, 0600);
  const auto method = os::copy_content(source.get(), target.get());
  EXPECT_TRUE(
      os::name_of(method) == std::string_view("reflink")
      || os::name_of(method) == std::string_view("sparse_copy"));

  struct stat status {};

  ASSERT_EQ(::fstat(target.get(), &status), 0);
  EXPECT_EQ(status.st_size, k_size);
  EXPECT_LT(status.st_blocks * 512, 1 << 20) << "the holes were written out";
  char text[8] = {};
  ASSERT_EQ(::pread(target.get(), text, 7, 32 << 20), 7);
  EXPECT_STREQ(text, "content");
}

TEST_P(ContractHost, rootfs_clone) {
  const auto seed = tree("seed", {{"file", "content"}});
  const auto workspace = create({{"seed_path", seed.string()}});
  const auto notes = workspace["notes"].dump();
  EXPECT_TRUE(
      notes.find("clone_mode reflink") != std::string::npos
      || notes.find("clone_mode sparse_copy") != std::string::npos)
      << notes;
}

} // namespace
} // namespace pyro::contract

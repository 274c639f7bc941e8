#include "fixture.hpp"

#include <pyro/environment/cache.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/process.hpp>

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <thread>

namespace pyro::environment {

class EnvironmentsImport : public EnvironmentTest {
protected:
  void make_root(const std::string& name) {
    write(name + "/bin/sh", "#!", 0755);
    write(name + "/usr/bin/su", "x", 0755);
    ASSERT_EQ(::chmod(path(name + "/usr/bin/su").c_str(), 04755), 0);
    ASSERT_EQ(::link(path(name + "/bin/sh").c_str(), path(name + "/bin/dash").c_str()), 0);
    ASSERT_EQ(::symlink("/outside", path(name + "/escape").c_str()), 0);
    ASSERT_EQ(::mkfifo(path(name + "/fifo").c_str(), 0600), 0);
  }

  void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }
};

TEST_F(EnvironmentsImport, NobodyWaitsForWhatAnotherStateDirectoryMakes) {
  make_root("root");
  settle();
  const EnvironmentCache shared(m_root + "/cache");
  shared.prepare();
  const auto reference = parse_image("dir:root", m_root);
  const os::ExclusiveLock theirs(shared.lock_path(reference.canonical()), "a test", std::chrono::seconds(1));
  environments().resolve("dir:root", m_root, RegistryAccess::anonymous);
  for (const auto& line : m_lines) {
    EXPECT_EQ(line.find("waiting"), std::string::npos) << line;
  }
}

TEST_F(EnvironmentsImport, DirectoryBecomesALayer) {
  make_root("root");
  settle();
  auto all = environments();
  EXPECT_FALSE(all.fingerprint("dir:root", m_root, RegistryAccess::anonymous));
  const auto environment = all.resolve("dir:root", m_root, RegistryAccess::anonymous);
  EXPECT_EQ(environment.image, "dir:root");
  EXPECT_TRUE(environment.host_dirs.empty());
  EXPECT_EQ(status_inside(layer_path(environment, "usr/bin/su")).st_mode & 07777, 04755U);
  EXPECT_EQ(status_inside(layer_path(environment, "bin/sh")).st_uid, 0U);
  EXPECT_TRUE(S_ISLNK(status_inside(layer_path(environment, "escape")).st_mode));
  EXPECT_TRUE(S_ISDIR(status_inside(layer_path(environment, "proc")).st_mode));
  EXPECT_EQ(status_inside(layer_path(environment, "tmp")).st_mode & 07777, 01777U);
  EXPECT_EQ(status_inside(layer_path(environment, "fifo")).st_mode & S_IFMT, 0U) << "FIFOs are left out";
  EXPECT_NE(read_inside(layer_path(environment, "etc/hosts")).find("localhost"), std::string::npos);
  EXPECT_EQ(all.fingerprint("dir:root", m_root, RegistryAccess::anonymous), environment.digest);
  EXPECT_EQ(all.fingerprint("dir:" + path("root"), "/", RegistryAccess::anonymous), environment.digest);

  m_lines.clear();
  EXPECT_EQ(all.resolve("dir:root", m_root, RegistryAccess::anonymous).layers, environment.layers);
  EXPECT_TRUE(m_lines.empty()) << "built again: " << m_lines.front();

  write("root/bin/sh", "#?", 0755);
  EXPECT_FALSE(all.fingerprint("dir:root", m_root, RegistryAccess::anonymous));
  const auto changed = all.resolve("dir:root", m_root, RegistryAccess::anonymous);
  EXPECT_NE(changed.digest, environment.digest);
  EXPECT_EQ(read_inside(layer_path(changed, "bin/dash")), "#?");
  EXPECT_EQ(read_inside(layer_path(environment, "bin/sh")), "#!") << "the old layer stays as it was";
}

TEST_F(EnvironmentsImport, ArchiveBecomesTheSameLayer) {
  make_root("root");
  settle();
  ASSERT_TRUE(os::run({{"tar", "-C", path("root"), "-cf", path("root.tar"), "."}}).outcome.ok());
  settle();
  auto all = environments();
  const auto known = all.fingerprint("tar:root.tar", m_root, RegistryAccess::anonymous);
  ASSERT_TRUE(known);
  const auto environment = all.resolve("tar:root.tar", m_root, RegistryAccess::anonymous);
  EXPECT_EQ(environment.digest, *known);
  EXPECT_EQ(status_inside(layer_path(environment, "usr/bin/su")).st_mode & 07777, 04755U);
  EXPECT_EQ(status_inside(layer_path(environment, "fifo")).st_mode & S_IFMT, 0U);
  if (::geteuid() == 0) { // an ordinary user's files have his id in the archive
    EXPECT_EQ(all.resolve("dir:root", m_root, RegistryAccess::anonymous).layers, environment.layers);
  }
}

TEST_F(EnvironmentsImport, DevicesInArchivesAreLeftOut) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to make a device node";
  }
  make_root("root");
  ASSERT_EQ(::mknod(path("root/null").c_str(), S_IFCHR | 0666, ::makedev(1, 3)), 0);
  ASSERT_TRUE(os::run({{"tar", "-C", path("root"), "-cf", path("root.tar"), "."}}).outcome.ok());
  auto all = environments();
  for (const auto* image : {"tar:root.tar", "dir:root"}) {
    const auto environment = all.resolve(image, m_root, RegistryAccess::anonymous);
    EXPECT_EQ(status_inside(layer_path(environment, "null")).st_mode & S_IFMT, 0U) << image;
    EXPECT_TRUE(S_ISREG(status_inside(layer_path(environment, "bin/sh")).st_mode)) << image;
  }
}

TEST_F(EnvironmentsImport, MistakesLeaveNothing) {
  auto all = environments();
  write("bad.tar", "this is no archive");
  os::make_directories(path("self"), 0755);
  const auto code_of = [&](const std::string& image) {
    try {
      all.resolve(image, m_root, RegistryAccess::anonymous);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  EXPECT_EQ(code_of("dir:absent"), ErrorCode::input_missing);
  EXPECT_EQ(code_of("tar:absent"), ErrorCode::input_missing);
  EXPECT_NE(code_of("tar:bad.tar"), ErrorCode::internal);
  EXPECT_EQ(code_of("dir:."), ErrorCode::invalid_argument) << "pyro's own state lies in it";
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
  EXPECT_TRUE(m_layers.list().empty());
}

TEST_F(EnvironmentsImport, DamageIsRepairedByPull) {
  make_root("root");
  settle();
  auto all = environments();
  EXPECT_EQ(all.pull("dir:root", m_root)["status"], "installed");
  EXPECT_EQ(all.pull("dir:root", m_root)["status"], "present");
  const auto environment = all.resolve("dir:root", m_root, RegistryAccess::anonymous);
  os::IdSpace::current().run([&] {
    os::remove_tree(layer_path(environment, "bin/sh"));
    return Json();
  });
  EXPECT_EQ(all.pull("dir:root", m_root)["status"], "repaired");
  EXPECT_EQ(read_inside(layer_path(environment, "bin/sh")), "#!");
  EXPECT_EQ(all.pull("dir:root", m_root)["status"], "present");
  os::IdSpace::current().run([&] { // gone as a whole
    m_layers.remove(environment.layers[0]);
    return Json();
  });
  EXPECT_FALSE(all.inspect("dir:root", m_root)["installed"]);
  EXPECT_EQ(all.resolve("dir:root", m_root, RegistryAccess::anonymous).layers, environment.layers);
  EXPECT_TRUE(all.inspect("dir:root", m_root)["installed"]);
}

TEST_F(EnvironmentsImport, PruneForgetsWhatNobodyUses) {
  make_root("one");
  make_root("two");
  write("two/more", "x");
  settle();
  auto all = environments();
  const auto one = all.resolve("dir:one", m_root, RegistryAccess::anonymous);
  const auto two = all.resolve("dir:two", m_root, RegistryAccess::anonymous);
  store::RecipeRecord recipe;
  recipe.key = sha256_of("a step");
  recipe.layers = {one.layers[0], sha256_of("on top")};
  recipe.address = "environment.setup.deps";
  recipe.workspace = "web";
  store::RecipeCache(m_layers).save(recipe);
  EXPECT_EQ(all.prune(DryRun::yes)["removed"].size(), 1U);
  EXPECT_EQ(all.list()["environments"].size(), 2U);
  const auto removed = all.prune(DryRun::no)["removed"];
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0]["digest"], two.digest);
  const auto left = all.list()["environments"];
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0]["digest"], one.digest);
  EXPECT_EQ(left[0]["in_use"], true);
}

TEST_F(EnvironmentsImport, PruneInOneStateLeavesWhatTheOtherHas) {
  make_root("root");
  settle();
  environments().resolve("dir:root", m_root, RegistryAccess::anonymous);
  const store::Base other(path("state2"));
  const store::LayerStore other_layers(other);
  Environments second(other, other_layers, {}, path("cache"));
  EXPECT_TRUE(second.prune(DryRun::no)["removed"].empty());
  EXPECT_TRUE(second.list()["environments"].empty()) << "it has none";
  EXPECT_TRUE(environments().inspect("dir:root", m_root)["installed"]);
  EXPECT_EQ(environments().list()["environments"].size(), 1U);
}

TEST_F(EnvironmentsImport, OneCacheServesTwoStates) {
  make_root("root");
  settle();
  const auto first = environments().resolve("dir:root", m_root, RegistryAccess::anonymous);
  const store::Base other(path("state2"));
  const store::LayerStore other_layers(other);
  Environments second(other, other_layers, {}, path("cache"));
  EXPECT_EQ(second.resolve("dir:root", m_root, RegistryAccess::anonymous).layers, first.layers);
  EXPECT_TRUE(other_layers.find(first.layers[0]));
}

} // namespace pyro::environment

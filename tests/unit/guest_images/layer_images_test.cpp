#include "../environment/fixture.hpp"

#include <pyro/guest_images/host_images.hpp>
#include <pyro/guest_images/image_builder.hpp>
#include <pyro/guest_images/layer_images.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/tree_walk.hpp>
#include <pyro/store/gc.hpp>

#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <future>
#include <map>
#include <thread>

namespace pyro::guest_images {

class LayerImagesTest : public environment::EnvironmentTest {
protected:
  LayerImagesTest() { m_base.prepare(); }

  /// A layer with one of everything that a layer may hold.
  HexDigest make_layer(const std::string& content = "content") {
    auto staging = m_layers.stage();
    const auto tree = staging.tree();
    os::IdSpace::current().run([&]() -> Json {
      for (const auto* directory : {"", "/d", "/opaque", "/deep/er"}) {
        os::make_directories(tree + directory, 0755);
      }
      const auto put = [&](const std::string& name, std::string_view text, mode_t mode) {
        const auto file = os::open_file(tree + "/" + name, O_WRONLY | O_CREAT | O_EXCL);
        os::write_all(file.get(), text);
        if (::fchmod(file.get(), mode) < 0) {
          throw Error::from_errno(errno, "chmod");
        }
      };
      const auto must = [](int result, const char* what) {
        if (result < 0) {
          throw Error::from_errno(errno, what);
        }
      };
      const bool many_ids = os::IdSpace::current().kind() != os::IdSpace::Kind::single;
      put("file", content, 0640);
      if (many_ids) {
        must(::chown((tree + "/file").c_str(), 1234, 4321), "chown");
      }
      put("d/program", std::string(10'000, 'p'), 04755);
      put("empty", "", 0600);
      must(::link((tree + "/file").c_str(), (tree + "/d/same").c_str()), "link");
      must(::symlink("d/program", (tree + "/link").c_str()), "symlink");
      must(::mknod((tree + "/deep/gone").c_str(), S_IFCHR, makedev(0, 0)), "whiteout");
      must(::mkfifo((tree + "/deep/fifo").c_str(), 0622), "fifo");
      must(::setxattr((tree + "/opaque").c_str(), "user.overlay.opaque", "y", 1, 0), "opaque");
      must(::setxattr((tree + "/d/program").c_str(), "user.note", "text", 4, 0), "attribute");
      const std::array<timespec, 2> old{timespec{0, 0}, timespec{981'173'106, 789'000'001}};
      must(::utimensat(AT_FDCWD, (tree + "/file").c_str(), old.data(), 0), "times");
      const std::array<timespec, 2> future{timespec{0, 0}, timespec{4'000'000'000, 5}};
      must(::utimensat(AT_FDCWD, (tree + "/opaque").c_str(), future.data(), 0), "times");
      return nullptr;
    });
    return store::manifest_from_json(os::IdSpace::current().run([&]() -> Json {
             return store::to_json(m_layers.publish(std::move(staging), {"test", "test"}));
           }))
        .digest;
  }

  LayerImages images() const { return {m_layers, {}}; }

  std::vector<std::string> image_files() const {
    auto names = os::list_directory(m_base.images());
    std::erase_if(names, [](const auto& name) { return !name.ends_with(".erofs"); });
    return names;
  }
};

/// What a guest sees, mounted here. Only for root.
class MountedImage {
public:
  MountedImage(const std::string& image, const std::string& place) : m_place(place) {
    os::make_directories(place);
    os::run_checked({{"mount", "-t", "erofs", "-o", "loop,ro", image, place}});
  }

  ~MountedImage() { ::umount2(m_place.c_str(), MNT_DETACH); }

  MountedImage(const MountedImage&) = delete;
  MountedImage& operator=(const MountedImage&) = delete;

private:
  std::string m_place;
};

/// Modification times and numbers of links, which the digest of a tree does not cover.
std::map<std::string, std::string> times_and_links(const std::string& tree) {
  std::map<std::string, std::string> found;
  os::walk_tree(
      tree, {[&](const os::TreeEntry& entry) {
               found[entry.path] = fmt::format(
                   "{}.{:09} {}", entry.status.st_mtim.tv_sec, entry.status.st_mtim.tv_nsec,
                   entry.is_directory() ? 0 : entry.status.st_nlink);
               return os::Visit::go_on;
             },
             {}});
  return found;
}

TEST_F(LayerImagesTest, AGuestSeesTheSameTree) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount an image here";
  }
  const auto layer = make_layer();
  const auto image = images().image_of(layer);
  const MountedImage mounted(image, path("mounted"));
  const auto seen = store::digest_tree(path("mounted"));
  EXPECT_EQ(seen.digest, layer) << "types, modes, owners, links, devices, attributes, content";
  EXPECT_EQ(seen.entry_count, 11U);
  EXPECT_EQ(times_and_links(path("mounted")), times_and_links(m_layers.tree(layer)));
  EXPECT_EQ(os::read_file(path("mounted/d/same")), "content");

  struct stat one {
  }, other{};

  EXPECT_EQ(::lstat(path("mounted/file").c_str(), &one), 0);
  EXPECT_EQ(::lstat(path("mounted/d/same").c_str(), &other), 0);
  EXPECT_EQ(one.st_ino, other.st_ino);
}

TEST_F(LayerImagesTest, TheSameLayerGivesTheSameBytes) {
  const auto layer = make_layer();
  const auto image = images().image_of(layer);
  const auto before = os::read_file(image);
  EXPECT_EQ(before.size() % 4096, 0U);

  struct stat status {};

  EXPECT_EQ(::stat(image.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0444U);
  EXPECT_EQ(images().image_of(layer), image);

  struct stat again {};

  EXPECT_EQ(::stat(image.c_str(), &again), 0);
  EXPECT_EQ(again.st_ino, status.st_ino) << "made once";
  os::remove_tree(image);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100)); // the image's own date has seconds
  EXPECT_EQ(os::read_file(images().image_of(layer)), before);
  os::run_checked({{"fsck.erofs", image}});
  if (os::IdSpace::current().kind() != os::IdSpace::Kind::single) {
    const auto file = os::run_checked({{"dump.erofs", "--path=/file", image}});
    EXPECT_NE(file.find("Uid: 1234   Gid: 4321"), std::string::npos) << "the owners of the inside: " << file;
  }
  EXPECT_EQ(image_files(), std::vector<std::string>{layer + ".erofs"});
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
}

TEST_F(LayerImagesTest, ManyMayAskAtOnce) {
  const auto layer = make_layer();
  std::vector<std::future<std::string>> asking;
  for (int number = 0; number < 6; ++number) {
    asking.push_back(std::async(std::launch::async, [&] { return images().image_of(layer); }));
  }
  for (auto& answer : asking) {
    EXPECT_EQ(answer.get(), m_base.layer_image(layer));
  }
  os::run_checked({{"fsck.erofs", m_base.layer_image(layer)}});
  EXPECT_EQ(image_files().size(), 1U);
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
}

TEST_F(LayerImagesTest, AKilledMakerLeavesNothingThatStays) {
  const auto layer = make_layer();
  for (const auto* place : {"image.staged", "image.published"}) {
    const auto pid = ::fork();
    if (pid == 0) {
      ::setenv("PYRO_CRASH_AT", place, 1);
      try {
        images().image_of(layer);
      } catch (...) { // it says so below
      }
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFSIGNALED(status)) << place << " was not reached";
    EXPECT_FALSE(os::list_directory(m_base.staging()).empty());
    EXPECT_EQ(image_files().size(), std::string_view(place) == "image.published" ? 1U : 0U);
    store::remove_abandoned_staging(m_base);
    EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
    os::run_checked({{"fsck.erofs", images().image_of(layer)}});
    os::remove_tree(m_base.layer_image(layer));
  }
}

TEST_F(LayerImagesTest, GoWithTheirLayer) {
  const auto layer = make_layer();
  const auto other = make_layer("something else");
  const auto images_of_both = images().images_of({layer, other});
  EXPECT_EQ(image_files().size(), 2U);
  store::GcOptions options;
  options.min_age = std::chrono::seconds(0);
  options.dry_run = true;
  store::collect_garbage(m_base, options);
  EXPECT_EQ(image_files().size(), 2U);

  os::IdSpace::current().run([&] {
    m_layers.remove(other);
    return Json();
  });
  options.dry_run = false;
  options.min_age = std::chrono::hours(1);
  const auto report = to_json(store::collect_garbage(m_base, options));
  EXPECT_EQ(report["removed"][0]["kind"], "image");
  EXPECT_EQ(image_files(), std::vector<std::string>{layer + ".erofs"});

  options.min_age = std::chrono::seconds(0);
  store::collect_garbage(m_base, options); // nothing refers to the layer: both go
  EXPECT_TRUE(m_layers.list().empty());
  EXPECT_TRUE(image_files().empty());
  try {
    images().image_of(layer);
    FAIL() << "there is no such layer";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed);
  }
}

TEST_F(LayerImagesTest, AFullDiskSaysSo) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount a small file system";
  }
  const auto small = path("small");
  os::make_directories(small);
  ASSERT_EQ(::mount("small", small.c_str(), "tmpfs", 0, "size=2m,mode=0700"), 0); // half is the reserve
  const store::Base base(small);
  base.prepare();
  const store::LayerStore layers(base);
  auto staging = layers.stage();
  os::make_directories(staging.tree(), 0755);
  os::write_file_atomically(staging.tree() + "/file", std::string(600'000, 'x'));
  const auto layer = layers.publish(std::move(staging), {"test", "test"}).digest;
  try {
    LayerImages(layers, {}).image_of(layer);
    ADD_FAILURE() << "600 kB are there and 600 more do not fit";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::disk_full) << error.what();
  }
  EXPECT_TRUE(os::list_directory(base.staging()).empty());
  ::umount2(small.c_str(), MNT_DETACH);
}

TEST_F(LayerImagesTest, OfThisMachineLeaveOutWhatIsNotPublic) {
  write("usr/bin/tool", "tool", 0755);
  write("usr/bin/hidden", "secret", 0700);
  write("usr/closed/inner", "secret");
  ASSERT_EQ(::chmod(path("usr/closed").c_str(), 0750), 0);
  write("usr/state/layers", "ours");
  ASSERT_EQ(::symlink("bin/hidden", path("usr/link").c_str()), 0);
  const auto part = public_part(path("usr"), {"state"});
  EXPECT_EQ(part.excluded, (std::vector<std::string>{"bin/hidden", "closed", "state"}));
  EXPECT_EQ(part.size_bytes, 4096U);
}

TEST_F(LayerImagesTest, OfThisMachineNoMoreIsReadThanEverybodyMay) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "a user's own files are the user's to read";
  }
  write("usr/bin/tool", "tool", 0755);
  ASSERT_EQ(::chmod(path("").c_str(), 0755), 0);
  store::prepare_private_directory(m_base.images());
  const auto build = [&](char key) {
    const auto image = m_base.images() + "/" + std::string(1, key) + ".erofs";
    build_image(
        m_base,
        {.what = "/usr",
         .tree = path("usr"),
         .key = std::string(64, key),
         .owned_by_root = false,
         .public_only = true},
        image, {});
    return image;
  };
  os::run_checked({{"fsck.erofs", build('a')}});
  write("usr/bin/late", "secret", 0600); // as if it came after the tree was looked at
  EXPECT_THROW(build('b'), Error);
  EXPECT_FALSE(os::exists(m_base.images() + "/b.erofs"));
}

TEST_F(LayerImagesTest, OfThisMachineGiveWayToNewer) {
  store::prepare_private_directory(m_base.images());
  const auto place = [&](char key, const std::string& directory, time_t when) {
    const auto name = fmt::format("host-{}-{}.erofs", std::string(64, key), directory);
    os::write_file_atomically(m_base.images() + "/" + name, "image");
    const std::array<timespec, 2> times{timespec{when, 0}, timespec{when, 0}};
    ::utimensat(AT_FDCWD, (m_base.images() + "/" + name).c_str(), times.data(), 0);
    return name;
  };
  place('a', "usr", 1000);
  const auto usr = place('b', "usr", 3000);
  place('c', "usr", 2000);
  const auto opt = place('d', "opt", 500);
  store::collect_garbage(m_base);
  EXPECT_EQ(image_files(), (std::vector<std::string>{usr, opt}));
}

/// The real one. Minutes where there is much in it, so only where it is asked for.
TEST_F(LayerImagesTest, OfThisMachineForReal) {
  const char* directory = std::getenv("PYRO_TEST_HOST_IMAGE");
  if (directory == nullptr) {
    GTEST_SKIP() << "copies all of it: set PYRO_TEST_HOST_IMAGE=usr";
  }
  environment::EnvironmentCache(path("cache")).prepare();
  const HostImages images(
      m_base, [](std::string_view, const std::string& text) { std::printf("%s\n", text.c_str()); },
      path("cache"));
  const auto begin = os::now_monotonic();
  const auto image = images.image_of(directory);
  const auto end = os::now_monotonic();
  EXPECT_EQ(images.image_of(directory), image);
  std::printf(
      "%ld ms, again %ld ms, %ju bytes\n", static_cast<long>((end - begin).count()),
      static_cast<long>((os::now_monotonic() - end).count()), std::filesystem::file_size(image));
  const auto root = os::run_checked({{"dump.erofs", "--path=/", image}});
  EXPECT_NE(root.find("Uid: 0   Gid: 0"), std::string::npos) << root;
}

} // namespace pyro::guest_images

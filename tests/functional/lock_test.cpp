// pyro.lock: the image that a name stood for is had again, whatever the name stands for by now.
#include "../support/busybox.hpp"
#include "../support/home.hpp"
#include "../support/hostile_registry.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>

namespace pyro::testing {
namespace {

class Lock : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    if (!fs::exists("/usr/bin/skopeo")) {
      GTEST_SKIP() << "skopeo is not installed";
    }
    m_options.env = {{"PYRO_TRUST", "1"}, {"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()}};
    m_old = image_with("old");
    m_new = image_with("new");
    m_registry = std::make_unique<HostileRegistry>([this](const std::string& path, const std::string& head) {
      const auto at = path.find("/manifests/");
      const bool by_digest = at != std::string::npos && path.find("sha256:", at) != std::string::npos;
      const bool is_old = by_digest ? path.ends_with(digest_of(m_old)) : !m_has_moved;
      const bool is_blob_of_old = m_old.blobs.contains(path.substr(path.rfind('/') + 1));
      return at == std::string::npos ? (is_blob_of_old ? m_old : m_new)(path, head)
                                     : (is_old ? m_old : m_new)(path, head);
    });
    file(tag("1"));
  }

  Image image_with(const std::string& version) {
    const auto tree = root() / version;
    make_busybox_root(tree);
    write_file(tree / "version", version + "\n");
    Image image;
    image.layer = archive_of(tree);
    image.finish();
    return image;
  }

  static std::string digest_of(const Image& image) { return "sha256:" + sha256_of(image.manifest); }

  std::string tag(const std::string& name) const { return m_registry->address() + "/app:" + name; }

  void file(const std::string& image) {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: '" + image + "'}\nseed: {from: .}\n");
  }

  Result expect_run(int status, const Arguments& arguments) { return expect(status, arguments, m_options); }

  fs::path lock() const { return project() / "pyro.lock"; }

  std::string locked(const std::string& name) {
    return get_string(Json::parse(read_file(lock())).at("images"), tag(name));
  }

  std::string seen_inside() { return inside("cat /version; ls /workspace", m_options).out; }

  /// Nothing of any image is here any more.
  void forget_images() {
    expect_run(0, {"destroy", "--yes", "--snapshots"});
    expect_run(0, {"prune", "--all", "--yes"});
    fs::remove_all(root() / "cache");
  }

  RunOptions m_options;
  Image m_old;
  Image m_new;
  std::unique_ptr<HostileRegistry> m_registry;
  bool m_has_moved = false;
};

TEST_F(Lock, ApplyWritesWhatItFetchedAndKeepsToIt) {
  EXPECT_EQ(get_string(json({"plan"}, m_options)["plan"], "lock_digest"), "");
  EXPECT_TRUE(contains(expect_run(0, {"apply"}).err, "pyro.lock")) << "it says that there is one";
  EXPECT_EQ(locked("1"), digest_of(m_old));
  EXPECT_EQ(seen_inside(), "old\n") << "the lock is no part of the seed";
  const auto plan = json({"plan"}, m_options);
  EXPECT_EQ(get_string(plan["plan"], "lock_digest"), sha256_of(read_file(lock())));
  EXPECT_FALSE(plan["changes"]) << plan["text"];

  m_has_moved = true;
  forget_images();
  expect_run(0, {"apply"});
  EXPECT_EQ(seen_inside(), "old\n");
  fs::remove(lock());
  forget_images();
  expect_run(0, {"apply"});
  EXPECT_EQ(seen_inside(), "new\n") << "without the lock the name decides";
}

TEST_F(Lock, UpgradeLooksUpTheNameAgain) {
  expect_run(0, {"lock"});
  EXPECT_EQ(locked("1"), digest_of(m_old));
  m_has_moved = true;
  EXPECT_FALSE(json({"lock"}, m_options)["changed"]);
  EXPECT_EQ(locked("1"), digest_of(m_old));
  EXPECT_EQ(json({"lock", "--upgrade"}, m_options)["images"][0]["before"], digest_of(m_old));
  EXPECT_EQ(locked("1"), digest_of(m_new));
  expect_run(0, {"apply"});
  EXPECT_EQ(seen_inside(), "new\n");
}

TEST_F(Lock, ALockThatDoesNotFitTheFileIsAnErrorWithTheWayOut) {
  expect_run(0, {"lock"});
  file(tag("2"));
  for (const auto* command : {"plan", "apply"}) {
    const auto result = expect_run(65, {command});
    EXPECT_TRUE(contains(result.err, "pyro.yaml:3:")) << result;
    EXPECT_TRUE(contains(result.err, "pyro lock")) << result;
  }
  EXPECT_EQ(workspace_ids().size(), 0U);
  expect_run(0, {"lock"});
  EXPECT_EQ(locked("2"), digest_of(m_old));
  EXPECT_FALSE(contains(read_file(lock()), "app:1")) << "no profile can name it any more";
  expect_run(0, {"apply"});
}

TEST_F(Lock, IsReadFromAnybody) {
  const auto long_text = "{\"version\": 1, \"images\": {\"" + std::string(2 << 20, 'a') + "\": 1}}";
  for (const auto& text :
       {std::string("nonsense"), std::string("[]"), std::string("{\"version\": [], \"images\": {}}"),
        std::string("{\"version\": 2, \"images\": {}}"), std::string("{\"version\": 1}"),
        "{\"version\": 1, \"images\": {\"" + tag("1") + "\": \"latest\"}}",
        "{\"version\": 1, \"images\": {\"" + tag("1") + "\": \"sha256:../../../../etc/passwd\"}}",
        long_text}) {
    write_file(lock(), text);
    const auto result = expect_run(65, {"plan"});
    EXPECT_TRUE(contains(result.err, "pyro.lock")) << result;
    EXPECT_LT(result.err.size(), 2000U);
  }
  fs::remove(lock());
  ASSERT_EQ(command({"mkfifo", lock().string()}).status, 0);
  expect_run(65, {"plan"});
  fs::remove(lock());
  write_file(root() / "elsewhere", "{\"version\": 1, \"images\": {}}");
  fs::create_symlink(root() / "elsewhere", lock());
  expect_run(65, {"plan"});
  EXPECT_NE(pyro({"lock", "--upgrade"}, m_options).status, 0);
  EXPECT_EQ(read_file(root() / "elsewhere"), "{\"version\": 1, \"images\": {}}");
  fs::remove(lock());
  expect_run(0, {"lock"});
}

TEST_F(Lock, ThereIsNoneWhereNothingCanBeLocked) {
  file("dir:../old");
  expect_run(0, {"apply"});
  EXPECT_TRUE(contains(expect_run(0, {"lock"}).err, "Nothing")) << "it says so";
  EXPECT_FALSE(fs::exists(lock()));
}

} // namespace
} // namespace pyro::testing

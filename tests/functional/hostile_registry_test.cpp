// A registry that lies: pyro and the skopeo it starts get nothing but what has the digest that was said,
// leave nothing of the rest, write nowhere else, and end when they are told to.
#include "../support/home.hpp"
#include "../support/hostile_registry.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/sha256.hpp>

#include <csignal>
#include <unistd.h>

namespace pyro::testing {
namespace {

class LyingRegistry : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped()) {
      return;
    }
    m_options.env["PYRO_ENVIRONMENT_CACHE_DIR"] = (root() / "cache").string();
    write_file(root() / "outside/canary", "sings");
    write_file(root() / "tree/etc/hostname", "image\n");
    m_image.layer = archive_of(root() / "tree");
    m_image.finish();
    fs::remove_all(root() / "tree");
  }

  Result pull(const HostileRegistry& registry) {
    return pyro({"env", "pull", registry.address() + "/team/image:1"}, m_options);
  }

  /// Refused in good order: nothing is an environment now, nothing lies elsewhere, no sequences are shown.
  void check_refused(const HostileRegistry::Handler& handler, const std::string& what) {
    const HostileRegistry registry(handler);
    const auto result = pull(registry);
    EXPECT_NE(result.status, 0) << what;
    EXPECT_LT(result.status, 128) << what << result;
    EXPECT_NE(result.status, 70) << what << result;
    EXPECT_GT(registry.requests(), 0) << what << ": it was never asked";
    for (const auto* sequence : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae"}) {
      EXPECT_EQ(result.all().find(sequence), std::string::npos) << what << result;
    }
    EXPECT_LT(result.all().size(), 200'000U) << what;
    check_untouched(what);
  }

  void check_untouched(const std::string& what) {
    EXPECT_EQ(tree_of(root() / "outside").size(), 1U) << what;
    EXPECT_EQ(read_file(root() / "outside/canary"), "sings") << what;
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(root())) {
      names.insert(entry.path().filename().string());
    }
    for (const auto& name : {"cache", "home", "outside", "project"}) {
      names.erase(name);
    }
    EXPECT_TRUE(names.empty()) << what << ": " << *names.begin();
    std::size_t staged = 0;
    std::error_code none;
    for (const auto& entry : fs::recursive_directory_iterator(state() / "store", none)) {
      staged += entry.path().filename() == "scratch" ? 1 : 0;
    }
    EXPECT_EQ(staged, 0U) << what << ": what was fetched stayed";
  }

  Image m_image;
  RunOptions m_options;
};

/// The fixture is right: what is no lie is taken.
TEST_F(LyingRegistry, ThatTellsTheTruthIsBelieved) {
  const HostileRegistry registry(m_image);
  const auto result = pull(registry);
  EXPECT_EQ(result.status, 0) << result;
  check_untouched("an honest one");
}

TEST_F(LyingRegistry, BlobsAndDocumentsThatAreNotWhatTheirDigestsSay) {
  auto other = m_image;
  for (auto& [digest, bytes] : other.blobs) {
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  }
  check_refused(other, "other bytes");
  auto shorter = m_image;
  for (auto& [digest, bytes] : shorter.blobs) {
    bytes.pop_back();
  }
  check_refused(shorter, "fewer bytes");
  auto sizes = m_image;
  sizes.manifest =
      Image::manifest_of(m_image.config_part(), Image::descriptor("sha256:" + sha256_of(m_image.layer), 10));
  check_refused(sizes, "a size that is too small");
  sizes.manifest = Image::manifest_of(
      m_image.config_part(), Image::descriptor("sha256:" + sha256_of(m_image.layer), SIZE_MAX / 2));
  check_refused(sizes, "a size that cannot be");
}

TEST_F(LyingRegistry, DigestsThatArePaths) {
  for (const auto* digest :
       {"sha256:../../../../../../../../../../tmp/pyro-registry-was-here", "../../outside/canary",
        "sha256:", "md5:00", "sha256:AA/../../x"}) {
    auto image = m_image;
    image.manifest =
        Image::manifest_of(m_image.config_part(), Image::descriptor(digest, m_image.layer.size()));
    check_refused(image, std::string("a layer named ") + digest);
    image.manifest = Image::manifest_of(
        Image::descriptor(digest, 5),
        Image::descriptor("sha256:" + sha256_of(m_image.layer), m_image.layer.size()));
    check_refused(image, std::string("a configuration named ") + digest);
  }
  EXPECT_FALSE(fs::exists("/tmp/pyro-registry-was-here"));
}

TEST_F(LyingRegistry, DocumentsOfOddShapesAndSizes) {
  auto image = m_image;
  const auto layer = Image::descriptor("sha256:" + sha256_of(m_image.layer), m_image.layer.size());
  std::string many = layer;
  for (int count = 0; count < 300; ++count) {
    many += "," + layer;
  }
  image.manifest = Image::manifest_of(m_image.config_part(), many);
  check_refused(image, "more layers than DiffIDs, and too many");
  image.manifest = std::string(200'000, '[') + std::string(200'000, ']');
  check_refused(image, "a deep manifest");
  image.manifest = std::string(6 << 20, ' ');
  check_refused(image, "a manifest of spaces");
  image.manifest = "\x1b]0;owned\x07\xc2\x9b"
                   "31m";
  check_refused(image, "a manifest of terminal sequences");
  for (const auto* process :
       {R"({"WorkingDir": "etc"})", R"({"Env": "A=b"})", R"({"User": 7})", R"({"Env": ["A=\u0000"]})",
        R"({"WorkingDir": "/\u0000"})"}) {
    auto odd = m_image;
    odd.finish(process);
    check_refused(odd, process);
  }
}

TEST_F(LyingRegistry, AnswersThatAreErrors) {
  for (const auto* status : {"401 Unauthorized", "404 Not Found", "429 Too Many Requests", "500 Oops"}) {
    check_refused(
        [&](const std::string& path, const std::string&) -> Answer {
          if (path == "/v2/") {
            return {"200 OK", "{}"};
          }
          return {
              std::string(status) + "\r\nContent-Type: application/json",
              R"({"errors": [{"code": "DENIED", "message": "\u001b]0;owned\u0007\u009b31m\u202e)"
              "\x1b[31m\xc2\x9b"
              R"("}]})"};
        },
        status);
  }
  check_refused(
      [](const std::string& path, const std::string&) -> Answer {
        return {"302 Found\r\nLocation: " + path, ""};
      },
      "a redirection without end");
}

TEST_F(LyingRegistry, LayersThatLeadOut) {
  const auto canary = (root() / "outside/canary").string();
  fs::create_directories(root() / "tree");
  fs::create_symlink(root() / "outside", root() / "tree/a");
  write_file(root() / "more/a/planted", "x");
  for (const auto& arguments : std::vector<Arguments>{
           {"-C", (root() / "more").string(), "--transform",
            "s,^a,../../../../../../../.." + (root() / "outside").string() + ",", "-cPf"},
           {"-C", (root() / "tree").string(), "-cf"}}) {
    auto argv = arguments;
    argv.insert(argv.begin(), "tar");
    argv.push_back((root() / "layer.tar").string());
    argv.push_back("a");
    ASSERT_EQ(command(argv).status, 0);
    if (arguments[1] == (root() / "tree").string()) {
      ASSERT_EQ(
          command(
              {"tar", "-C", (root() / "more").string(), "-rf", (root() / "layer.tar").string(), "a/planted"})
              .status,
          0);
    }
    auto image = m_image;
    image.layer = read_file(root() / "layer.tar");
    image.finish();
    for (const auto* name : {"layer.tar"}) {
      fs::rename(root() / name, project() / name);
    }
    const auto hide = [&] {
      fs::rename(root() / "tree", project() / "tree");
      fs::rename(root() / "more", project() / "more");
    };
    const auto show = [&] {
      fs::rename(project() / "tree", root() / "tree");
      fs::rename(project() / "more", root() / "more");
    };
    hide();
    check_refused(image, arguments[1]);
    show();
  }
}

/// What stands in a checkout configures nobody: skopeo's own files are the user's.
TEST_F(LyingRegistry, ACheckoutDoesNotConfigureSkopeo) {
  const auto marker = root() / "outside/marker";
  const HostileRegistry registry([this](const std::string& path, const std::string&) -> Answer {
    return path.find("/v2/") == 0 && path != "/v2/"
               ? m_image(path)
               : Answer{"401 Unauthorized\r\nWWW-Authenticate: Basic realm=x", "{}"};
  });
  const auto helper = "#!/bin/sh\ntouch " + marker.string() + "\n";
  for (const auto* name : {"docker-credential-evil", "skopeo", "bin/skopeo"}) {
    write_file(project() / name, helper);
    fs::permissions(project() / name, fs::perms::all);
  }
  const auto auths = R"({"credHelpers": {")" + registry.address() + R"(": "evil"}, "credsStore": "evil"})";
  for (const auto* name :
       {"config.json", ".docker/config.json", "auth.json", "containers/auth.json",
        ".config/containers/auth.json", ".dockercfg"}) {
    write_file(project() / name, auths);
  }
  for (const auto* name : {"policy.json", ".config/containers/policy.json", "containers/policy.json"}) {
    write_file(project() / name, R"({"default": [{"type": "reject"}]})");
  }
  write_file(project() / "registries.conf", "unqualified-search-registries = [\"evil.invalid\"]\n");
  write_file(
      project() / "pyro.yaml", "version: 1\nname: test\nenvironment: {image: '" + registry.address()
                                   + "/team/image:1'}\nseed: {from: .}\n");
  m_options.env["PYRO_TRUST"] = "1"; // a registry on this machine
  const auto result = pyro({"apply"}, m_options);
  EXPECT_GT(registry.requests(), 0) << result;
  EXPECT_FALSE(fs::exists(marker)) << "a program of the checkout ran: " << result;
  EXPECT_EQ(result.all().find("reject"), std::string::npos) << "a policy of the checkout counted: " << result;
}

/// Bodies and silences that never end: the first SIGINT, or else the second, ends pyro, and skopeo with it.
TEST_F(LyingRegistry, AnswersWithoutEndAreInterrupted) {
  for (const auto* kind : {"endless blob", "endless manifest", "silence"}) {
    const HostileRegistry registry([&](const std::string& path, const std::string&) -> Answer {
      const bool is_blob = path.find("/blobs/") != std::string::npos;
      if (path == "/v2/") {
        return {"200 OK", "{}"};
      }
      if (kind == std::string("silence")) {
        return {.head = "", .body = "", .is_endless = false, .is_silent = true};
      }
      if (kind == std::string("endless manifest") || is_blob) {
        return {
            "200 OK\r\nContent-Type: " + std::string(k_manifest_type), std::string(16 << 10, ' '), true,
            false};
      }
      return m_image(path);
    });
    auto child = start({"env", "pull", registry.address() + "/team/image:1"}, m_options);
    EXPECT_TRUE(eventually(
        [&] {
          return registry.requests() >= 2
                 && (registry.bytes_sent() > 1 << 20 || kind == std::string("silence"));
        },
        30))
        << kind;
    EXPECT_TRUE(ends_when_interrupted(child, 15, 15)) << kind << ": it hangs";
    EXPECT_TRUE(eventually([&] { return processes_naming(registry.address()).empty(); }, 10)) << kind;
    check_untouched(kind);
  }
}

} // namespace
} // namespace pyro::testing

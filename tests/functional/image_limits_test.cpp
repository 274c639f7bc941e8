// How much a registry may send, and how slowly: the limits of image_watch.hpp, against a registry that knows
// none.
#include "../support/home.hpp"
#include "../support/hostile_registry.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/sha256.hpp>

namespace pyro::testing {
namespace {

class ImageLimits : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    m_options.env["PYRO_ENVIRONMENT_CACHE_DIR"] = (root() / "cache").string();
    m_image.layer = "a layer that is never unpacked";
    m_image.finish();
  }

  Image m_image;
  RunOptions m_options;
};

/// The image of an honest registry but for its layer, which the test sends as it likes.
HostileRegistry::Handler with_layer(const Image& image, const Answer& answer) {
  const auto layer = "/blobs/sha256:" + sha256_of(image.layer);
  return [image, layer, answer](const std::string& path, const std::string&) {
    return path.ends_with(layer) ? answer : image(path);
  };
}

TEST_F(ImageLimits, WhatNeverEndsIsEnded) {
  m_options.env["PYRO_IMAGE_SIZE"] = "4MiB";
  const HostileRegistry endless(
      with_layer(m_image, {.head = "200 OK", .body = std::string(256 << 10, 'x'), .is_endless = true}));
  const auto image = endless.address() + "/team/image:1";
  const auto refused = expect(1, {"env", "pull", image}, m_options);
  EXPECT_NE(refused.err.find("docker://" + image + " is larger than 4.0 MiB"), std::string::npos) << refused;
  EXPECT_NE(refused.err.find("PYRO_IMAGE_SIZE"), std::string::npos) << refused;
  EXPECT_TRUE(eventually([&] { return processes_naming(image).empty(); }));
}

/// More than can come between two looks: the kernel holds it.
TEST_F(ImageLimits, WhatComesAtOnceIsBoundedToo) {
  m_options.env["PYRO_IMAGE_SIZE"] = "1MiB";
  m_image.layer.resize(32 << 20);
  m_image.finish();
  const HostileRegistry fast(m_image);
  const auto image = fast.address() + "/team/image:1";
  const auto refused = expect(1, {"env", "pull", image}, m_options);
  EXPECT_NE(refused.err.find("docker://" + image + " is larger than 1.0 MiB"), std::string::npos) << refused;
}

TEST_F(ImageLimits, ManyFilesTogetherAreBounded) {
  m_options.env["PYRO_IMAGE_SIZE"] = "6MiB";
  std::string layers;
  for (int count = 0; count < 4; ++count) {
    const auto blob = std::string(2 << 20, static_cast<char>('a' + count));
    layers += (layers.empty() ? "" : ",") + Image::descriptor(m_image.put(blob), blob.size());
  }
  m_image.manifest = Image::manifest_of(m_image.config_part(), layers);
  // The last of them is slow, so that all is looked at while it comes.
  const HostileRegistry slow([&](const std::string& path, const std::string&) -> Answer {
    const bool is_last = path.ends_with(sha256_of(std::string(2 << 20, 'd')));
    return is_last ? Answer{.head = "200 OK", .body = std::string(8 << 10, 'd'), .is_endless = true}
                   : m_image(path);
  });
  const auto image = slow.address() + "/team/image:1";
  const auto refused = expect(1, {"env", "pull", image}, m_options);
  EXPECT_NE(refused.err.find("is larger than 6.0 MiB"), std::string::npos) << refused;
}

TEST_F(ImageLimits, SilenceIsEnded) {
  m_options.env["PYRO_IMAGE_PATIENCE"] = "2s";
  const HostileRegistry silent(with_layer(m_image, {.head = "", .body = "", .is_silent = true}));
  const auto image = silent.address() + "/team/image:1";
  const auto refused = pyro({"env", "pull", image}, m_options);
  EXPECT_NE(refused.status, 0);
  EXPECT_NE(refused.err.find("nothing more of docker://" + image + " came in 2s"), std::string::npos)
      << refused;
  EXPECT_TRUE(eventually([&] { return processes_naming(image).empty(); }));
}

TEST_F(ImageLimits, LimitsThatAreNoneAreRefused) {
  const HostileRegistry honest(m_image);
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"PYRO_IMAGE_SIZE", "much"}, {"PYRO_IMAGE_PATIENCE", "0s"}}) {
    auto options = m_options;
    options.env[name] = value;
    const auto refused = expect(64, {"env", "pull", honest.address() + "/team/image:1"}, options);
    EXPECT_NE(refused.err.find(name), std::string::npos) << refused;
  }
  EXPECT_EQ(honest.requests(), 0);
}

} // namespace
} // namespace pyro::testing

#include <pyro/base/error.hpp>
#include <pyro/oci/document.hpp>

#include <gtest/gtest.h>

namespace pyro::oci {

namespace {

const std::string k_digest(64, 'a');

std::string descriptor(const std::string& more = "") {
  return R"({"mediaType": "m", "digest": "sha256:)" + k_digest + R"(", "size": 7)" + more + "}";
}

std::string manifest(const std::string& layers) {
  return R"({"schemaVersion": 2, "config": )" + descriptor() + R"(, "layers": [)" + layers + "]}";
}

template <typename Parse>
std::string refusal(const Parse& parse, const std::string& text) {
  try {
    parse(text, "it");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << text.substr(0, 200);
    return error.message();
  }
  return "nothing was refused: " + text.substr(0, 200);
}

} // namespace

TEST(OciDocument, ManifestOfDockerOrOci) {
  const auto parsed = parse_oci_manifest(manifest(descriptor() + "," + descriptor()), "it");
  EXPECT_EQ(parsed.config.digest, k_digest);
  ASSERT_EQ(parsed.layers.size(), 2U);
  EXPECT_EQ(parsed.layers[1].size, 7U);
}

TEST(OciDocument, IndexWithPlatformsAndTags) {
  const auto index = parse_oci_index(
      R"({"schemaVersion": 2, "manifests": [)"
          + descriptor(
              R"(, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"},
                 "annotations": {"org.opencontainers.image.ref.name": "1.0"})")
          + "]}",
      "it");
  ASSERT_EQ(index.manifests.size(), 1U);
  EXPECT_EQ(to_string(*index.manifests[0].platform), "linux/arm64/v8");
  EXPECT_EQ(index.manifests[0].ref_name, "1.0");
}

TEST(OciDocument, ConfigurationOfProcesses) {
  const auto config = parse_oci_config(
      R"({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:)"
          + k_digest
          + R"("]}, "config": {"Env": ["A=b=c", "EMPTY=", "bare", "=x"], "User": "7:8", "WorkingDir": "/w",
              "Entrypoint": ["/e"], "Cmd": ["c"]}})",
      "it");
  EXPECT_EQ(config.env, (std::map<std::string, std::string>{{"A", "b=c"}, {"EMPTY", ""}}));
  EXPECT_EQ(config.user, "7:8");
  EXPECT_EQ(config.workdir, "/w");
  EXPECT_EQ(config.entrypoint, (std::vector<std::string>{"/e", "c"}));
  EXPECT_EQ(config.diff_ids, std::vector<HexDigest>{k_digest});
}

TEST(OciDocument, MissingProcessIsFine) {
  for (const auto* config : {"", R"(, "config": null)", R"(, "config": {"Env": null, "User": null})"}) {
    const auto parsed = parse_oci_config(
        R"({"rootfs": {"type": "layers", "diff_ids": []})" + std::string(config) + "}", "it");
    EXPECT_TRUE(parsed.env.empty()) << config;
  }
}

TEST(OciDocument, MalformedIsRefused) {
  for (const auto& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("7"),
        std::string(R"({"schemaVersion": 1, "config": {}, "layers": []})"),
        std::string(R"({"schemaVersion": "2"})"), manifest("7"), manifest("{}"),
        manifest(R"({"digest": "sha256:AA", "size": 1})"),
        manifest(R"({"digest": "sha512:)" + k_digest + R"(", "size": 1})"),
        manifest(R"({"digest": "sha256:../../../../etc/passwd", "size": 1})"),
        manifest(R"({"digest": "sha256:)" + k_digest + R"(", "size": -1})"),
        manifest(R"({"digest": "sha256:)" + k_digest + R"(", "size": 1e3})"),
        manifest(R"({"digest": "sha256:)" + k_digest + R"("})")}) {
    EXPECT_NE(refusal(parse_oci_manifest, text).find("no valid OCI document"), std::string::npos) << text;
  }
  for (const auto* text :
       {R"({"rootfs": {"type": "other", "diff_ids": []}})",
        R"({"rootfs": {"type": "layers", "diff_ids": [1]}})", R"({"rootfs": {"type": "layers"}})",
        R"({"rootfs": []})", R"({"rootfs": {"type": "layers", "diff_ids": []}, "config": {"Env": "A=b"}})",
        R"({"rootfs": {"type": "layers", "diff_ids": []}, "config": {"User": 7}})",
        R"({"rootfs": {"type": "layers", "diff_ids": []}, "config": {"Env": ["A=\u0000"]}})"}) {
    EXPECT_NE(refusal(parse_oci_config, text).find("no valid OCI document"), std::string::npos) << text;
  }
}

TEST(OciDocument, LimitsHold) {
  const std::string deep(100'000, '[');
  EXPECT_NE(refusal(parse_oci_index, deep).find("nested"), std::string::npos);
  const std::string long_text(k_max_oci_document + 1, ' ');
  EXPECT_NE(refusal(parse_oci_index, long_text).find("too long"), std::string::npos);
  std::string many = descriptor();
  for (std::size_t count = 0; count < k_max_oci_layers; ++count) {
    many += "," + descriptor();
  }
  EXPECT_NE(refusal(parse_oci_manifest, manifest(many)).find("at most 256"), std::string::npos);
}

TEST(OciDocument, WhatWeWriteWeRead) {
  OciConfig config;
  config.platform = {"linux", "amd64", ""};
  config.env = {{"A", "b"}};
  config.user = "me";
  config.workdir = "/w";
  config.diff_ids = {k_digest};
  const auto text = to_text(config, {"pyro step"});
  EXPECT_EQ(text, to_text(config, {"pyro step"}));
  const auto read = parse_oci_config(text, "it");
  EXPECT_EQ(read.platform, config.platform);
  EXPECT_EQ(read.env, config.env);
  EXPECT_EQ(read.user, config.user);
  EXPECT_EQ(read.workdir, config.workdir);
  EXPECT_EQ(read.diff_ids, config.diff_ids);
  OciDescriptor described{"m", k_digest, 9, OciPlatform{"linux", "amd64", ""}, "tag"};
  const auto index = parse_oci_index(to_text(OciIndex{{described}}), "it");
  EXPECT_EQ(index.manifests.at(0).ref_name, "tag");
  EXPECT_EQ(index.manifests.at(0).platform, described.platform);
  EXPECT_EQ(index.manifests.at(0).size, 9U);
}

} // namespace pyro::oci

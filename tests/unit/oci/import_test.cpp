#include "oci_fixture.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <unistd.h>

namespace pyro::oci::test {

namespace {

std::string directory(const std::string& name, unsigned mode = 0755) {
  return tar_member({.name = name, .type = '5', .mode = mode});
}

std::string file(const std::string& name, const std::string& data, unsigned mode = 0644) {
  return tar_member({.name = name, .data = data, .mode = mode});
}

std::string link(const std::string& name, const std::string& to) {
  return tar_member({.name = name, .type = '1', .link = to});
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

class OciImport : public OciTest {};

TEST_F(OciImport, LayersOfEveryCompressionBecomeLayers) {
  LayoutMaker layout(*this / "layout");
  layout.layer(directory("a") + file("a/one", "1", 04755) + end_mark(), os::Compression::gzip);
  layout.layer(directory("a") + file("a/two", "2") + end_mark(), os::Compression::zstd);
  layout.layer(file("three", "3") + end_mark(), os::Compression::none);
  layout.finish();
  const auto report = import(layout);
  ASSERT_EQ(report.layers.size(), 3U);
  EXPECT_EQ(report.imported, 3U);
  const auto seen = merged(report.layers);
  EXPECT_EQ(seen.at("a/one"), "104755 0:0 1");
  EXPECT_EQ(seen.at("a/two"), "100644 0:0 2");
  EXPECT_EQ(seen.at("three"), "100644 0:0 3");
  for (const auto& layer : report.layers) {
    EXPECT_FALSE(
        os::IdSpace::current().run([&] { return Json(m_layers.verify(layer).has_value()); }).get<bool>());
  }
}

TEST_F(OciImport, TheSameLayerPackedInAnotherWayIsUnpackedOnceMoreAndSharedAllTheSame) {
  const auto tar = file("same", "x") + end_mark();
  LayoutMaker one(*this / "one");
  one.layer(tar, os::Compression::gzip);
  one.finish();
  LayoutMaker two(*this / "two");
  two.layer(tar, os::Compression::zstd);
  two.layer(file("more", "y") + end_mark());
  two.finish();
  const auto first = import(one);
  const auto second = import(two);
  EXPECT_EQ(second.layers.front(), first.layers.front());
  EXPECT_EQ(second.imported, 2U);
  m_lines.clear();
  EXPECT_EQ(import(two).imported, 0U);
  EXPECT_TRUE(m_lines.empty());
}

TEST_F(OciImport, NamingALayerOfTheStoreIsNotHavingIt) {
  const auto tar = file("private", "key") + end_mark();
  LayoutMaker theirs(*this / "theirs");
  theirs.layer(tar);
  theirs.finish();
  import(theirs);
  const auto& known = theirs.layers[0];

  LayoutMaker claimed(*this / "claimed"); // the archive's digest, with another archive
  claimed.layer(file("own", "x") + end_mark());
  claimed.diff_ids[0] = theirs.diff_ids[0];
  claimed.finish();
  EXPECT_TRUE(contains(refusal(claimed), "the DiffID is"));

  LayoutMaker named(*this / "named"); // both digests, with as many bytes of something else
  named.layer(tar);
  named.finish();
  std::ofstream(named.blob_path(known.digest), std::ios::binary)
      << std::string(os::read_file(theirs.blob_path(known.digest)).size(), 'x');
  EXPECT_TRUE(contains(refusal(named), "the blob is"));
  std::filesystem::remove(named.blob_path(known.digest));
  EXPECT_TRUE(contains(refusal(named), "lacks the blob"));
}

TEST_F(OciImport, WhiteoutsAndOpaqueDirectories) {
  LayoutMaker layout(*this / "layout");
  layout.layer(
      directory("d") + file("d/keep", "1") + file("d/gone", "2") + directory("o") + file("o/old", "3")
      + file("top", "4") + directory("r") + file("r/old", "5") + file("f", "6") + end_mark());
  layout.layer(
      directory("d") + file("d/.wh.gone", "") + directory("o") + file("o/.wh..wh..opq", "")
      + file("o/new", "7") + file(".wh.top", "") + file(".wh.r", "") + directory("r") + file("r/new", "8")
      + file(".wh.f", "") + directory("f") + end_mark());
  layout.finish();
  const auto report = import(layout);
  const auto seen = merged(report.layers);
  EXPECT_TRUE(seen.contains("d/keep"));
  EXPECT_FALSE(seen.contains("d/gone"));
  EXPECT_FALSE(seen.contains("o/old"));
  EXPECT_TRUE(seen.contains("o/new"));
  EXPECT_FALSE(seen.contains("top"));
  EXPECT_FALSE(seen.contains("r/old"));
  EXPECT_TRUE(seen.contains("r/new"));
  EXPECT_TRUE(seen.at("f").starts_with("40755"));
  const auto own = tree(report.layers[1]);
  EXPECT_TRUE(contains(own.at("d/gone"), "device 0")) << own.at("d/gone");
  EXPECT_TRUE(contains(own.at("o"), "user.overlay.opaque=y")) << own.at("o");
}

TEST_F(OciImport, DamageIsFound) {
  LayoutMaker layout(*this / "layout");
  layout.layer(file("a", "text") + end_mark());
  layout.finish();
  const auto path = layout.blob_path(layout.layers[0].digest);
  auto bytes = os::read_file(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_TRUE(contains(refusal(layout), "layer sha256:" + layout.layers[0].digest.substr(0, 12)));
  std::ofstream(path, std::ios::binary) << bytes.substr(0, bytes.size() - 1);
  EXPECT_TRUE(contains(refusal(layout), "bytes instead of"));
  std::filesystem::remove(path);
  EXPECT_TRUE(contains(refusal(layout), "lacks the blob"));
  std::filesystem::create_symlink("/etc/passwd", path);
  EXPECT_TRUE(contains(refusal(layout), "lacks the blob")) << "no link leads out of a layout";
}

TEST_F(OciImport, BothDigestsCount) {
  const auto tar = file("a", "text") + end_mark();
  LayoutMaker wrong_id(*this / "id");
  wrong_id.layer(tar);
  wrong_id.diff_ids[0] = sha256_of("another");
  wrong_id.finish();
  EXPECT_TRUE(contains(refusal(wrong_id), "the DiffID is sha256:" + sha256_of(tar).substr(0, 12)));
  LayoutMaker wrong_blob(*this / "blob");
  wrong_blob.layer(tar, os::Compression::none);
  const auto other = file("b", "text") + end_mark(); // of the same size
  std::ofstream(wrong_blob.blob_path(wrong_blob.layers[0].digest), std::ios::binary) << other;
  wrong_blob.finish();
  EXPECT_TRUE(contains(refusal(wrong_blob), "the blob is sha256:" + sha256_of(other).substr(0, 12)));
  LayoutMaker trailing(*this / "trailing"); // the digest covers what no reader of tar looks at
  trailing.layer(tar + std::string(5'000, 'x'));
  trailing.diff_ids[0] = sha256_of(tar);
  trailing.finish();
  EXPECT_TRUE(contains(refusal(trailing), "the DiffID is"));
}

TEST_F(OciImport, DocumentsAreCheckedAgainstTheirDigests) {
  LayoutMaker layout(*this / "layout");
  layout.layer(file("a", "1") + end_mark());
  const auto manifest = layout.manifest();
  layout.index({manifest});
  auto text = os::read_file(layout.blob_path(manifest.digest));
  std::replace(text.begin(), text.end(), '2', '3');
  std::ofstream(layout.blob_path(manifest.digest)) << text;
  EXPECT_TRUE(contains(refusal(layout), "the manifest in"));
}

TEST_F(OciImport, HostileMembersAreRefused) {
  const std::vector<std::pair<std::string, std::string>> members{
      {file("../out", "x"), "unsafe"},
      {file("/../out", "x"), "unsafe"},
      {file("a/../../out", "x"), "unsafe"},
      {tar_member({.name = "l", .type = '2', .link = "/tmp"}) + file("l/out", "x"), "symlinked path"},
      {link("h", "../../etc/passwd"), "unsafe"},
      {link("h", "missing"), "which is not there"},
      {file(".wh...", ""), "whiteout of nothing"},
      {file(".wh.x/y", ""), "below a whiteout"},
      {file("a", "1") + directory("a"), "a file is where"}};
  for (std::size_t index = 0; index < members.size(); ++index) {
    LayoutMaker layout(*this / std::to_string(index));
    layout.layer(members[index].first + end_mark());
    layout.finish();
    EXPECT_TRUE(contains(refusal(layout), members[index].second)) << index << ": " << refusal(layout);
  }
}

TEST_F(OciImport, AbsoluteNamesAreBelowTheRoot) {
  LayoutMaker layout(*this / "layout");
  layout.layer(
      directory("/", 0711) + directory("//d") + file("/d/file", "x") + link("/second", "/d/file")
      + file("/d/.wh.gone", "") + end_mark());
  layout.finish();
  const auto own = tree(import(layout).layers[0]);
  EXPECT_TRUE(own.at("").starts_with("40711"));
  EXPECT_TRUE(contains(own.at("second"), "x like d/file")) << own.at("second");
  EXPECT_TRUE(own.contains("d/gone"));
}

TEST_F(OciImport, SpecialFilesAndForeignAttributesAreLeftOut) {
  LayoutMaker layout(*this / "layout");
  layout.layer(
      directory("dev") + tar_member({.name = "dev/null", .type = '3'})
      + tar_member({.name = "pipe", .type = '6'})
      + pax_header(
          pax_record("SCHILY.xattr.user.note", "kept")
          + pax_record("SCHILY.xattr.trusted.overlay.opaque", "y")
          + pax_record("SCHILY.xattr.user.overlay.opaque", "y"))
      + directory("marked") + end_mark());
  layout.finish();
  const auto report = import(layout);
  EXPECT_EQ(report.left_out, 2U);
  EXPECT_EQ(report.dropped_xattrs, 2U);
  const auto own = tree(report.layers[0]);
  EXPECT_FALSE(own.contains("dev/null"));
  EXPECT_FALSE(own.contains("pipe"));
  EXPECT_TRUE(contains(own.at("marked"), "user.note=kept"));
  EXPECT_FALSE(contains(own.at("marked"), "opaque"));
}

TEST_F(OciImport, DirectoriesThatALayerLeavesOutStayAsTheyAre) {
  LayoutMaker one(*this / "one");
  one.layer(directory("tmp", 01777) + end_mark());
  one.layer(file("tmp/new", "x") + end_mark());
  one.finish();
  const auto first = import(one);
  EXPECT_EQ(merged(first.layers).at("tmp"), "41777 0:0");
  LayoutMaker two(*this / "two"); // the very same layer over another one
  two.layer(directory("tmp", 0700) + end_mark());
  two.layer(file("tmp/new", "x") + end_mark());
  two.finish();
  const auto second = import(two);
  EXPECT_EQ(merged(second.layers).at("tmp"), "40700 0:0");
  EXPECT_NE(second.layers[1], first.layers[1]);
  EXPECT_EQ(import(one).layers, first.layers);
  EXPECT_EQ(import(two).imported, 0U);
}

TEST_F(OciImport, RootStaysAsItIsUnlessALayerSaysOtherwise) {
  const auto plain = file("x", "x") + end_mark();
  LayoutMaker one(*this / "one");
  one.layer(directory("./", 0711) + end_mark());
  one.layer(plain);
  one.finish();
  const auto report = import(one);
  EXPECT_EQ(tree(report.layers[1]).at(""), "40711 0:0");
  LayoutMaker two(*this / "two");
  two.layer(plain);
  two.finish();
  EXPECT_EQ(tree(import(two).layers[0]).at(""), "40755 0:0");
}

TEST_F(OciImport, HardLinksToLayersBelowBringTheFileUp) {
  LayoutMaker layout(*this / "layout");
  layout.layer(directory("d", 0750) + file("d/file", "content", 0640) + end_mark());
  layout.layer(link("second", "d/file") + end_mark());
  layout.finish();
  const auto report = import(layout);
  const auto own = tree(report.layers[1]);
  EXPECT_TRUE(own.at("second").starts_with("100640 0:0 content like d/file")) << own.at("second");
  EXPECT_TRUE(own.at("d").starts_with("40750"));
}

TEST_F(OciImport, LinkBelowInPlaceOfADirectoryIsSaid) {
  LayoutMaker layout(*this / "layout");
  layout.layer(
      directory("usr") + directory("usr/lib") + tar_member({.name = "lib", .type = '2', .link = "usr/lib"})
      + end_mark());
  layout.layer(file("lib/x", "1") + end_mark());
  layout.finish();
  EXPECT_TRUE(contains(
      [&] {
        try {
          import(layout);
        } catch (const Error& error) {
          return std::string(error.what());
        }
        return std::string();
      }(),
      "below it lies a symbolic link"));
}

TEST_F(OciImport, BombsAreStopped) {
  const auto bomb = packed(std::string(100 << 20, '\0'), os::Compression::zstd); // no tar, just zeros
  LayoutMaker layout(*this / "layout");
  layout.layers.push_back(layout.blob(bomb, "x+zstd"));
  layout.diff_ids.push_back(sha256_of(""));
  layout.finish();
  EXPECT_TRUE(contains(refusal(layout), "exceeds the limit of 1100 unpacked bytes")) << refusal(layout);
  LayoutMaker twice(*this / "twice");
  const auto tar = file("a", "b") + end_mark();
  twice.layers.push_back(twice.blob(packed(packed(tar, os::Compression::gzip), os::Compression::gzip), "x"));
  twice.diff_ids.push_back(sha256_of(tar));
  twice.finish();
  EXPECT_TRUE(contains(refusal(twice), "compressed more than once"));
}

/// But for the end of a member: whose digest is right is whole, and `umoci insert` writes no end mark.
TEST_F(OciImport, TruncationIsFoundWithinMembers) {
  const auto tar = directory("a") + file("a/b", std::string(700, 'x')) + end_mark();
  for (std::size_t size = 0; size < tar.size() - 1024; size += 512) {
    LayoutMaker layout(*this / std::to_string(size));
    layout.layer(tar.substr(0, size));
    layout.finish();
    if (size > 512) {
      EXPECT_NE(refusal(layout), "nothing was refused") << size;
    }
  }
}

class OciLayouts : public OciTest {};

TEST_F(OciLayouts, OfManyPlatformsOursIsTaken) {
  LayoutMaker layout(*this / "layout");
  layout.layer(file("a", "1") + end_mark());
  auto other = layout.manifest({{"User", "other"}}, "s390x");
  other.platform = OciPlatform{"linux", "s390x", ""};
  auto ours = layout.manifest({{"User", "ours"}});
  ours.platform = host_platform();
  auto inner = layout.blob(to_text(OciIndex{{other, ours}}), std::string(k_oci_index_type));
  inner.ref_name = "multi";
  layout.index({inner});
  EXPECT_EQ(OciLayout(layout.path()).image("multi").config.user, "ours");
  EXPECT_EQ(OciLayout(layout.path()).image("").config.user, "ours");
  layout.index({other});
  EXPECT_THROW(OciLayout(layout.path()).image(""), Error);
  other.platform.reset(); // only the configuration tells
  layout.index({other});
  EXPECT_THROW(OciLayout(layout.path()).image(""), Error);
}

TEST_F(OciLayouts, TagsAreChosenByName) {
  LayoutMaker layout(*this / "layout");
  layout.layer(file("a", "1") + end_mark());
  auto one = layout.manifest({{"User", "one"}});
  one.ref_name = "1";
  auto two = layout.manifest({{"User", "two"}});
  two.ref_name = "2";
  layout.index({one, two});
  const OciLayout opened(layout.path());
  EXPECT_EQ(opened.image("2").config.user, "two");
  for (const auto* tag : {"3", ""}) {
    try {
      opened.image(tag);
      ADD_FAILURE() << "tag '" << tag << "'";
    } catch (const Error& error) {
      EXPECT_TRUE(contains(error.hint(), "1, 2")) << error.hint();
    }
  }
}

TEST_F(OciLayouts, WhatIsNoneIsSaid) {
  EXPECT_THROW(OciLayout(*this / "missing"), Error);
  std::filesystem::create_directories(*this / "empty");
  try {
    OciLayout{*this / "empty"};
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_missing);
  }
  LayoutMaker layout(*this / "layout");
  layout.index({});
  EXPECT_THROW(OciLayout(layout.path()).image(""), Error);
  std::ofstream(layout.path() + "/oci-layout") << R"({"imageLayoutVersion": "2.0.0"})";
  EXPECT_THROW(OciLayout{layout.path()}, Error);
  auto self = layout.blob("{}", std::string(k_oci_index_type));
  layout.index({self});
  EXPECT_THROW(OciLayout(layout.path()).image(""), Error);
}

/// Four documents that refer to each other 10^12 times.
TEST_F(OciLayouts, IndexesThatMultiplyAreRefused) {
  LayoutMaker layout(*this / "layout");
  auto other = layout.manifest(Json::object(), "s390x");
  other.platform = OciPlatform{"linux", "s390x", ""};
  auto inner = other;
  for (int level = 0; level < 3; ++level) {
    const std::vector<OciDescriptor> many(1000, inner);
    inner = layout.blob(to_text(OciIndex{many}), std::string(k_oci_index_type));
  }
  layout.index(std::vector<OciDescriptor>(1000, inner));
  try {
    OciLayout(layout.path()).image("");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_TRUE(contains(error.message(), "indexes")) << error.what();
  }
}

/// An index cannot hold its own digest; where the file says it does, the digest is wrong.
TEST_F(OciLayouts, AnIndexOfItselfIsRefused) {
  LayoutMaker layout(*this / "layout");
  auto self = layout.blob("{}", std::string(k_oci_index_type));
  const auto path = layout.blob_path(self.digest);
  auto text = to_text(OciIndex{{self}});
  self.size = text.size();
  text = to_text(OciIndex{{self}});
  self.size = text.size();
  std::ofstream(path) << to_text(OciIndex{{self}});
  layout.index({self});
  EXPECT_TRUE(contains(refusal(layout), "damaged")) << refusal(layout);
}

/// FIFOs, devices, directories, links where documents are expected: refused, and nobody waits.
TEST_F(OciLayouts, DocumentsAreRegularFiles) {
  int index = 0;
  for (const auto* name : {"oci-layout", "index.json"}) {
    for (const auto* kind : {"fifo", "directory", "link", "deep"}) {
      LayoutMaker layout(*this / std::to_string(index++));
      layout.layer(file("a", "1") + end_mark());
      layout.finish();
      const auto path = layout.path() + "/" + name;
      std::filesystem::remove(path);
      if (kind == std::string("fifo")) {
        ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
      } else if (kind == std::string("directory")) {
        std::filesystem::create_directory(path);
      } else if (kind == std::string("link")) {
        std::filesystem::create_symlink("/proc/self/environ", path);
      } else {
        std::ofstream(path) << std::string(1'000'000, '[') << std::string(1'000'000, ']');
      }
      EXPECT_THROW(OciLayout{layout.path()}, Error) << name << " as " << kind;
    }
  }
}

TEST_F(OciLayouts, LayersAndDiffIdsMustMatch) {
  LayoutMaker layout(*this / "layout");
  layout.layer(file("a", "1") + end_mark());
  layout.diff_ids.push_back(sha256_of("x"));
  layout.finish();
  EXPECT_TRUE(contains(refusal(layout), "1 layers but 2 DiffIDs"));
}

} // namespace pyro::oci::test

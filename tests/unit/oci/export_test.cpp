#include "oci_fixture.hpp"

#include <pyro/os/tree_copy.hpp>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <filesystem>
#include <random>
#include <unistd.h>

namespace pyro::oci::test {

namespace {

namespace fs = std::filesystem;

void write_with_mode(const std::string& path, const std::string& text, mode_t mode = 0644) {
  std::ofstream(path, std::ios::binary) << text;
  ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

/// Everything that a layer can hold and that is hard to carry.
void fill_oddly(const std::string& tree) {
  fs::create_directories(tree + "/dir/empty");
  write_with_mode(tree + "/dir/suid", "s", 04711);
  ::chmod((tree + "/dir").c_str(), 01770);
  write_with_mode(tree + "/new\nline", "n");
  write_with_mode(tree + "/not \xff utf-8", "u");
  write_with_mode(tree + "/" + std::string(255, 'n'), "long name");
  std::string deep = tree;
  for (int level = 0; level < 12; ++level) {
    deep += "/" + std::string(60, static_cast<char>('a' + level));
  }
  fs::create_directories(deep);
  write_with_mode(deep + "/bottom", "deep");
  write_with_mode(tree + "/first", "shared", 0600);
  fs::create_hard_link(tree + "/first", tree + "/zz-second");
  fs::create_symlink(std::string(300, 't'), tree + "/dangling");
  ASSERT_EQ(::mknod((tree + "/deleted").c_str(), S_IFCHR, ::makedev(0, 0)), 0);
  fs::create_directories(tree + "/opaque");
  write_with_mode(tree + "/opaque/in", "i");
  ASSERT_EQ(::setxattr((tree + "/opaque").c_str(), "user.overlay.opaque", "y", 1, 0), 0);
  ASSERT_EQ(::setxattr((tree + "/first").c_str(), "user.odd", "a\0b\n", 4, 0), 0);
  const timespec times[2] = {{-5, 0}, {1'600'000'000, 123'456'789}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (tree + "/first").c_str(), times, 0), 0);
  if (os::IdSpace::current().kind() != os::IdSpace::Kind::single) {
    ASSERT_EQ(::chown((tree + "/dir/empty").c_str(), 1234, 567), 0);
  }
  ASSERT_EQ(::chmod(tree.c_str(), 0751), 0);
}

std::vector<std::string> blobs(const std::string& layout) {
  return os::list_directory(layout + "/blobs/sha256");
}

/// "" or what is not the same, shortly.
std::string
difference(const std::map<std::string, std::string>& one, const std::map<std::string, std::string>& other) {
  std::string text;
  for (const auto& [path, what] : one) {
    const auto found = other.find(path);
    if (found == other.end() || found->second != what) {
      text += fmt::format(
          "{}: {} / {}\n", path, what.substr(0, 200),
          found == other.end() ? "missing" : found->second.substr(0, 200));
    }
  }
  return text + (one.size() == other.size() ? "" : "another number of entries");
}

} // namespace

class OciExported : public OciTest {
protected:
  /// Into a store that knows none of the layers.
  std::vector<HexDigest> import_elsewhere(const std::string& name) {
    const store::LayerStore other(store::Base(m_root + "/other"));
    other.base().prepare();
    const OciLayout layout(m_root + "/" + name);
    auto report = import_oci_layers(other, layout, layout.image("test"), {});
    EXPECT_EQ(report.imported, report.layers.size());
    for (const auto& layer : report.layers) {
      m_elsewhere.push_back(tree_of(other.tree(layer)));
    }
    return report.layers;
  }

  std::vector<std::map<std::string, std::string>> m_elsewhere;
};

TEST_F(OciExported, OddTreesComeBackTheSame) {
  const auto bottom = make_layer([](const std::string& tree) {
    write_with_mode(tree + "/deleted", "x");
    fs::create_directories(tree + "/opaque/hidden");
  });
  const auto top = make_layer(fill_oddly);
  for (const auto compression : {os::Compression::gzip, os::Compression::zstd, os::Compression::none}) {
    const auto name = std::string(os::name_of(compression));
    m_elsewhere.clear();
    export_to({bottom, top}, name, compression);
    os::IdSpace::current().run([&] {
      os::remove_tree(m_root + "/other");
      return Json();
    });
    EXPECT_EQ(import_elsewhere(name), (std::vector<HexDigest>{bottom, top})) << name;
    EXPECT_EQ(difference(m_elsewhere.at(1), tree(top)), "") << name;
  }
}

TEST_F(OciExported, EqualTreesHaveEqualDigests) {
  const auto layer = make_layer(fill_oddly);
  const auto first = export_to({layer}, "one");
  const auto second = export_to({layer}, "two");
  EXPECT_EQ(first.manifest, second.manifest);
  EXPECT_EQ(blobs(*this / "one"), blobs(*this / "two"));
  os::IdSpace::current().run([&] {
    m_layers.remove(layer);
    return Json();
  });
  const auto made_again = make_layer([&](const std::string& tree) {
    fill_oddly(tree);
    for (const auto* name :
         {"deleted", "dir", "opaque", "dangling"}) { // as old as before, whenever it is made
      const timespec times[2] = {{7, 0}, {7, 0}};
      ::utimensat(AT_FDCWD, (tree + "/" + name).c_str(), times, AT_SYMLINK_NOFOLLOW);
    }
  });
  EXPECT_EQ(made_again, layer) << "times are not part of a layer's identity";
}

TEST_F(OciExported, ImportOfOurOwnUnpacksNothing) {
  const auto layer = make_layer(fill_oddly);
  export_to({layer}, "image");
  const OciLayout layout(*this / "image");
  const auto report = import_oci_layers(m_layers, layout, layout.image("test"), {});
  EXPECT_EQ(report.layers, std::vector<HexDigest>{layer});
  EXPECT_EQ(report.imported, 0U);
}

TEST_F(OciExported, NamesThatMeanWhiteoutsAreRefused) {
  for (const auto* name : {".wh.x", ".wh..wh..opq"}) {
    const auto layer = make_layer([&](const std::string& tree) {
      fs::create_directories(tree + "/d");
      write_with_mode(tree + "/d/" + name, "a real file");
    });
    try {
      export_to({layer}, name + std::string("-image"));
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_NE(std::string(error.what()).find(std::string("d/") + name), std::string::npos) << error.what();
    }
  }
}

TEST_F(OciExported, RandomTreesComeBackTheSame) {
  std::mt19937 random(20'26);
  for (int round = 0; round < 8; ++round) {
    const auto layer = make_layer([&](const std::string& tree) {
      std::vector<std::string> directories{tree};
      for (int entry = 0; entry < 60; ++entry) {
        const auto& parent = directories[random() % directories.size()];
        auto name = fmt::format("{}/{}{}", parent, static_cast<char>('a' + random() % 26), entry);
        switch (random() % 6) {
        case 0:
          fs::create_directory(name);
          directories.push_back(name);
          break;
        case 1:
          fs::create_symlink(std::string(1 + random() % 200, 'l'), name);
          break;
        case 2:
          ::mknod(name.c_str(), S_IFCHR, 0);
          break;
        default:
          write_with_mode(
              name, std::string(random() % 3000, static_cast<char>(random() % 256)), 0400 + random() % 0400);
        }
      }
    });
    m_elsewhere.clear();
    os::IdSpace::current().run([&] {
      os::remove_tree(m_root + "/other");
      return Json();
    });
    const auto name = "round" + std::to_string(round);
    export_to({layer}, name);
    EXPECT_EQ(import_elsewhere(name), std::vector<HexDigest>{layer});
    EXPECT_EQ(difference(m_elsewhere.at(0), tree(layer)), "");
  }
}

} // namespace pyro::oci::test

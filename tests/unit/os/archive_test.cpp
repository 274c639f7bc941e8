#include "archive_fixture.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/archive_reader.hpp>
#include <pyro/os/archive_writer.hpp>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <unistd.h>

namespace pyro::os {

namespace {

using namespace testing;

class Archive : public ::testing::Test {
protected:
  Archive() : m_scratch(std::filesystem::temp_directory_path().string(), "pyro-archive-test") {
    m_target = m_scratch.path() + "/target";
    make_directories(m_target);
    std::ofstream(m_scratch.path() + "/canary") << "unharmed";
    ::chmod((m_scratch.path() + "/canary").c_str(), 0644);
  }

  ArchiveSummary
  extract(const std::string& bytes, const ArchivePolicy& policy = {}, const char* name = "a.tar") {
    std::string path = m_scratch.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    remove_tree(m_target);
    make_directories(m_target);
    Fd directory = open_file(m_target, O_RDONLY | O_DIRECTORY);
    return extract_archive(path, directory.get(), policy);
  }

  /// The message of the refusal; the canary beside the target must survive it.
  std::string refusal(const std::string& bytes, const ArchivePolicy& policy = {}) {
    std::string message = "nothing was refused";
    try {
      extract(bytes, policy);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_file) << error.what();
      message = error.message();
    }

    struct stat status {};

    EXPECT_EQ(::lstat((m_scratch.path() + "/canary").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0644U);
    EXPECT_EQ(status.st_nlink, 1U);
    EXPECT_EQ(read_file(m_scratch.path() + "/canary"), "unharmed");
    return message;
  }

  void expect_unsafe(const std::string& bytes, const ArchivePolicy& policy = {}) {
    EXPECT_NE(refusal(bytes + end_mark(), policy).find("unsafe archive member path: '"), std::string::npos)
        << refusal(bytes + end_mark(), policy);
  }

  void expect_refusal(const std::string& bytes, std::string_view fragment, const ArchivePolicy& policy = {}) {
    EXPECT_NE(refusal(bytes, policy).find(fragment), std::string::npos) << refusal(bytes, policy);
  }

  std::string content(const std::string& path) { return read_file(m_target + "/" + path); }

  TempDir m_scratch;
  std::string m_target;
};

TEST_F(Archive, OrdinaryArchive) {
  auto summary = extract(
      tar_member({.name = "./", .type = '5', .mode = 0755})
      + tar_member({.name = "./d/", .type = '5', .mode = 0500})
      + tar_member({.name = "d/f", .data = "hello", .mode = 04755})
      + tar_member({.name = "x/y//z", .data = "1"})
      + tar_member({.name = "l", .type = '2', .link = "/etc/passwd"})
      + tar_member({.name = "h", .type = '1', .link = "./d/f"}) + end_mark());
  EXPECT_EQ(summary.entries, 6U);
  EXPECT_EQ(summary.bytes, 6U);
  EXPECT_EQ(content("d/f"), "hello");
  EXPECT_EQ(content("x/y/z"), "1");

  struct stat status {};

  ASSERT_EQ(::lstat((m_target + "/h").c_str(), &status), 0);
  EXPECT_EQ(status.st_nlink, 2U);
  EXPECT_EQ(status.st_mode & 07777, 0755U); // set-id bits are gone
  EXPECT_EQ(status.st_mtim.tv_sec, 1000);
  ASSERT_EQ(::lstat((m_target + "/d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0500U);
  EXPECT_EQ(status.st_mtim.tv_sec, 1000);
}

TEST_F(Archive, PathsThatClimbOut) {
  expect_unsafe(tar_member({.name = "/canary", .data = "x"}));
  expect_unsafe(tar_member({.name = "../canary", .data = "x"}));
  expect_unsafe(tar_member({.name = "a/../../canary", .data = "x"}));
  expect_unsafe(tar_member({.name = "a/..", .type = '5'}));
  expect_unsafe(tar_member({.name = "", .data = "x"}));
  expect_refusal(
      tar_member({.name = "./", .data = "x"}) + end_mark(), "archive"); // as a file or as a broken directory
  expect_unsafe(pax_header(pax_record("path", "../canary")) + tar_member({.name = "ok", .data = "x"}));
  expect_unsafe(
      tar_member({.name = "././@LongLink", .type = 'L', .data = std::string("../canary\0", 10)})
      + tar_member({.name = "ok", .data = "x"}));
}

TEST_F(Archive, OverlongPaths) {
  expect_unsafe(
      pax_header(pax_record("path", std::string(300, 'n'))) + tar_member({.name = "ok", .data = "x"}));
  std::string deep;
  for (int i = 0; i < 5000; ++i) {
    deep += "d/";
  }
  expect_unsafe(pax_header(pax_record("path", deep + "f")) + tar_member({.name = "ok", .data = "x"}));
  std::string wide;
  for (int i = 0; i < 50; ++i) {
    wide += fmt::format("{:w>200}/", "");
  }
  expect_unsafe(pax_header(pax_record("path", wide + "f")) + tar_member({.name = "ok", .data = "x"}));
}

TEST_F(Archive, ThroughSymlinks) {
  auto link = tar_member({.name = "s", .type = '2', .link = ".."});
  for (const auto& attack :
       {tar_member({.name = "s/canary", .data = "x"}), tar_member({.name = "s/new/deep", .data = "x"}),
        tar_member({.name = "s", .type = '5', .mode = 0777}), tar_member({.name = "s/d/", .type = '5'}),
        tar_member({.name = "s/l", .type = '2', .link = "x"}),
        tar_member({.name = "h", .type = '1', .link = "s/canary"})}) {
    expect_refusal(link + attack + end_mark(), "traverse through a symlinked path: '");
  }
  EXPECT_FALSE(exists(m_scratch.path() + "/new"));
  // A file of the link's own name takes its place.
  extract(
      tar_member({.name = "f", .type = '2', .link = "../canary"}) + tar_member({.name = "f", .data = "mine"})
      + end_mark());
  EXPECT_EQ(content("f"), "mine");
  EXPECT_EQ(read_file(m_scratch.path() + "/canary"), "unharmed");
}

TEST_F(Archive, HardLinks) {
  expect_unsafe(tar_member({.name = "h", .type = '1', .link = "../canary"}));
  expect_unsafe(tar_member({.name = "h", .type = '1', .link = "/etc/passwd"}));
  expect_unsafe(
      tar_member({.name = "h", .type = '1', .link = "later"}) + tar_member({.name = "later", .data = "x"}));
  expect_unsafe(tar_member({.name = "f", .data = "x"}) + tar_member({.name = "f", .type = '1', .link = "f"}));
  expect_unsafe(
      tar_member({.name = "f", .data = "x"}) + tar_member({.name = "./f", .type = '1', .link = ".//f"}));
  expect_unsafe(tar_member({.name = "d", .type = '5'}) + tar_member({.name = "h", .type = '1', .link = "d"}));
  // A link to a symlink is a second name of the symlink.
  extract(
      tar_member({.name = "s", .type = '2', .link = "../canary"})
      + tar_member({.name = "h", .type = '1', .link = "s"}) + tar_member({.name = "h", .data = "own"})
      + end_mark());
  EXPECT_EQ(content("h"), "own");
  EXPECT_EQ(read_file(m_scratch.path() + "/canary"), "unharmed");
}

TEST_F(Archive, HardLinkWithDataNeverWritesThrough) {
  auto bytes = tar_member({.name = "f", .data = "old"})
               + tar_member({.name = "h", .type = '1', .data = "new", .link = "f"}) + end_mark();
  auto message = refusal(bytes);
  EXPECT_EQ(content("f"), "old") << message;
}

TEST_F(Archive, DirectoriesAreNotReplaced) {
  auto directory = tar_member({.name = "d", .type = '5'});
  expect_unsafe(directory + tar_member({.name = "d", .type = '2', .link = ".."}));
  expect_unsafe(directory + tar_member({.name = "d", .data = "x"}));
  expect_unsafe(tar_member({.name = "f", .data = "x"}) + tar_member({.name = "f/g", .data = "x"}));
}

TEST_F(Archive, DevicesAndFifos) {
  for (char type : {'3', '4', '6'}) {
    expect_unsafe(tar_member({.name = "node", .type = type}));
  }
}

TEST_F(Archive, DuplicatesAndCase) {
  extract(
      tar_member({.name = "f", .data = "first"}) + tar_member({.name = "F", .data = "other"})
      + tar_member({.name = "f", .data = "last"}) + end_mark());
  EXPECT_EQ(content("f"), "last");
  EXPECT_EQ(content("F"), "other");
}

TEST_F(Archive, OddNamesAndTimes) {
  extract(
      tar_member({.name = "new\nline", .data = "1"}) + tar_member({.name = "\xff\xfe", .data = "2"})
      + pax_header(pax_record("path", "\xc3\xa4\xe6\x97\xa5")) + tar_member({.name = "x", .data = "3"})
      + pax_header(pax_record("mtime", "-5.25")) + tar_member({.name = "old", .data = "4"}) + end_mark());
  EXPECT_EQ(content("new\nline"), "1");
  EXPECT_EQ(content("\xff\xfe"), "2");
  EXPECT_EQ(content("\xc3\xa4\xe6\x97\xa5"), "3");
  EXPECT_EQ(content("old"), "4");
  // What is printed of a hostile name cannot control a terminal.
  EXPECT_EQ(
      refusal(tar_member({.name = "../\x1b[2J", .data = "x"}) + end_mark()).find('\x1b'), std::string::npos);
}

TEST_F(Archive, AttributesOfTheSystemAreDropped) {
  auto summary = extract(
      pax_header(
          pax_record("SCHILY.xattr.user.note", "v") + pax_record("SCHILY.xattr.user.overlay.opaque", "y")
          + pax_record("SCHILY.xattr.security.capability", "\x01")
          + pax_record("SCHILY.xattr.trusted.overlay.redirect", "/"))
      + tar_member({.name = "f", .data = "x"}) + end_mark());
  char value[16];
  std::string path = m_target + "/f";
  EXPECT_EQ(::getxattr(path.c_str(), "user.note", value, sizeof value), 1);
  EXPECT_EQ(::listxattr(path.c_str(), nullptr, 0), static_cast<ssize_t>(sizeof "user.note"));
  EXPECT_EQ(summary.dropped_xattrs, 3U);
}

TEST_F(Archive, WhiteoutsOfOciLayers) {
  auto bytes = tar_member({.name = "d/.wh.gone"}) + tar_member({.name = "o/.wh..wh..opq"})
               + tar_member({.name = "o/f", .data = "x"}) + end_mark();
  extract(bytes);
  EXPECT_TRUE(exists(m_target + "/d/.wh.gone")); // an ordinary name in an ordinary archive
  ArchivePolicy policy;
  policy.whiteouts = Whiteouts::overlay;
  EXPECT_EQ(extract(bytes, policy).whiteouts, 2U);

  struct stat status {};

  ASSERT_EQ(::lstat((m_target + "/d/gone").c_str(), &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0));
  char value = 0;
  EXPECT_EQ(::getxattr((m_target + "/o").c_str(), "user.overlay.opaque", &value, 1), 1);
  EXPECT_EQ(value, 'y');
  expect_unsafe(tar_member({.name = ".wh..."}), policy);
  expect_unsafe(tar_member({.name = ".wh."}), policy);
  expect_unsafe(tar_member({.name = "a/.wh.b/c"}), policy);
  // Deleted and made anew in one layer: nothing old shines through.
  extract(tar_member({.name = ".wh.d"}) + tar_member({.name = "d/f", .data = "x"}) + end_mark(), policy);
  EXPECT_EQ(::getxattr((m_target + "/d").c_str(), "user.overlay.opaque", &value, 1), 1);
}

TEST_F(Archive, MalformedHeadersAreRejected) {
  auto good =
      tar_member({.name = "f", .data = std::string(2000, 'x')}) + tar_member({.name = "g", .data = "y"});
  auto broken = good;
  broken[2560] = 'G'; // the check sum of the second header is wrong now
  expect_refusal(broken + end_mark(), "is damaged");
  expect_refusal(pax_header("99999999999 path=x\n") + good + end_mark(), "is damaged");
  expect_refusal(pax_header("nonsense") + good + end_mark(), "is damaged");
  std::string negative = std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 12);
  expect_refusal(tar_member({.name = "f", .size_field = negative}) + end_mark(), "is damaged");
  expect_refusal("this is no archive at all", "is damaged");
  expect_refusal("", "is damaged");
}

TEST_F(Archive, TruncationIsNoticedEverywhere) {
  auto bytes =
      tar_member({.name = "d", .type = '5'}) + tar_member({.name = "d/f", .data = std::string(1500, 'x')})
      + pax_header(pax_record("path", "long/name")) + tar_member({.name = "g", .data = "y"}) + end_mark();
  extract(bytes);
  for (std::size_t size = 0; size + 1024 < bytes.size(); size += 256) {
    expect_refusal(bytes.substr(0, size), "is damaged");
  }
  expect_refusal(bytes.substr(0, bytes.size() - 1024), "end mark");
}

TEST_F(Archive, LimitsSayTheirName) {
  ArchivePolicy policy;
  policy.max_entries = 3;
  std::string many;
  for (int i = 0; i < 4; ++i) {
    many += tar_member({.name = std::to_string(i)});
  }
  expect_refusal(many + end_mark(), "max_entries of 3", policy);
  policy = {};
  policy.max_file_bytes = 100;
  expect_refusal(
      tar_member({.name = "f", .data = std::string(101, 'x')}) + end_mark(), "max_file_bytes", policy);
  policy = {};
  policy.max_total_bytes = 100;
  expect_refusal(
      tar_member({.name = "f", .data = std::string(60, 'x')})
          + tar_member({.name = "g", .data = std::string(60, 'x')}) + end_mark(),
      "max_total_bytes", policy);
  // A size in base 256 that no disk has.
  std::string huge = std::string("\x80\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00", 12);
  expect_refusal(tar_member({.name = "f", .size_field = huge}) + end_mark(), "max_file_bytes");
  expect_refusal(
      pax_header(pax_record("size", "99999999999999")) + tar_member({.name = "f", .data = "x"}) + end_mark(),
      "max_file_bytes");
  expect_refusal(
      pax_header(
          pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0")
          + pax_record("GNU.sparse.name", "f") + pax_record("GNU.sparse.realsize", "99999999999999"))
          + tar_member({.name = "f", .data = "1\n0\n1\n"}) + end_mark(),
      "archive ");
}

TEST_F(Archive, BombsByRatio) {
  // 64 MiB of zeros pack to a few KiB.
  std::string source = m_scratch.path() + "/zeros";
  make_directories(source);
  ASSERT_EQ(::truncate((std::ofstream(source + "/z").close(), (source + "/z").c_str()), 64 << 20), 0);
  std::string packed = m_scratch.path() + "/z.tar.zst";
  {
    Fd directory = open_file(source, O_RDONLY | O_DIRECTORY);
    Fd output = open_file(packed, O_WRONLY | O_CREAT);
    ArchiveOptions options;
    options.compression = Compression::zstd;
    write_archive(directory.get(), output.get(), options);
  }
  ArchivePolicy policy;
  policy.ratio_free_bytes = 1 << 20;
  expect_refusal(read_file(packed), "max_ratio of 1000 to 1", policy);
  EXPECT_EQ(extract(read_file(packed)).bytes, 64U << 20); // below the default's free amount
}

TEST_F(Archive, WriterIsDeterministicAndReadBack) {
  std::string source = m_scratch.path() + "/source";
  make_directories(source + "/b/c", 0755);
  std::ofstream(source + "/b/c/f") << "data";
  std::ofstream(
      source
      + "/\xff"
        "bytes")
      << "2";
  std::ofstream(source + "/" + fmt::format("{:n>180}", "")) << "3";
  std::filesystem::create_symlink("b/c/f", source + "/link");
  std::filesystem::create_hard_link(source + "/b/c/f", source + "/hard");
  ASSERT_EQ(::mknod((source + "/gone").c_str(), S_IFCHR, 0), 0);
  ASSERT_EQ(::setxattr((source + "/b").c_str(), "user.overlay.opaque", "y", 1, 0), 0);
  ASSERT_EQ(::setxattr((source + "/hard").c_str(), "user.k", "v", 1, 0), 0);
  auto pack = [&](Compression compression) {
    std::string path = m_scratch.path() + "/packed";
    std::filesystem::remove(path);
    Fd directory = open_file(source, O_RDONLY | O_DIRECTORY);
    Fd output = open_file(path, O_WRONLY | O_CREAT);
    ArchiveOptions options;
    options.compression = compression;
    options.whiteouts = Whiteouts::overlay;
    write_archive(directory.get(), output.get(), options);
    return read_file(path);
  };
  for (auto compression : {Compression::none, Compression::zstd}) {
    auto bytes = pack(compression);
    EXPECT_EQ(bytes, pack(compression));
    ArchivePolicy policy;
    policy.whiteouts = Whiteouts::overlay;
    auto summary = extract(bytes, policy);
    EXPECT_EQ(summary.hardlinks, 1U);
    EXPECT_EQ(summary.whiteouts, 2U);
    EXPECT_EQ(content("hard"), "data");
    EXPECT_EQ(
        content("\xff"
                "bytes"),
        "2");
    EXPECT_EQ(content(fmt::format("{:n>180}", "")), "3");
    char value = 0;
    EXPECT_EQ(::getxattr((m_target + "/b").c_str(), "user.overlay.opaque", &value, 1), 1);
    EXPECT_EQ(::getxattr((m_target + "/b/c/f").c_str(), "user.k", &value, 1), 1);

    struct stat status {};

    ASSERT_EQ(::lstat((m_target + "/gone").c_str(), &status), 0);
    EXPECT_TRUE(S_ISCHR(status.st_mode));
  }
}

TEST_F(Archive, ReadsWhatTarWrites) {
  std::string source = m_scratch.path() + "/source";
  make_directories(source);
  std::ofstream(source + "/f") << "data";
  const std::vector<std::pair<const char*, const char*>> forms{
      {"a.tar", "cf"}, {"a.tar.gz", "czf"}, {"a.tar.xz", "cJf"}, {"a.tar.bz2", "cjf"}};
  for (const auto& [name, flags] : forms) {
    std::string command =
        fmt::format("tar -C {0}/source -{2} {0}/{1} . 2>/dev/null", m_scratch.path(), name, flags);
    if (std::system(command.c_str()) != 0) {
      continue; // that compressor is not installed
    }
    EXPECT_TRUE(has_archive_name(name));
    extract(read_file(m_scratch.path() + "/" + name));
    EXPECT_EQ(content("f"), "data") << name;
  }
  EXPECT_FALSE(has_archive_name("a.zip"));
  EXPECT_FALSE(has_archive_name(".tar"));
}

} // namespace

} // namespace pyro::os

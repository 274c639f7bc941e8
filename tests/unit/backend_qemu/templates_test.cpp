#include "../../support/files.hpp"

#include <pyro/backend/qemu/templates.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <fstream>

namespace pyro::backend::qemu {
namespace {

const HexDigest k_key(64, 'a');
const HexDigest k_other(64, 'b');

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

class TemplatesTest : public ::testing::Test {
protected:
  os::TempDir m_directory{"/tmp", "pyro-templates"};
  int m_made = 0;

  Template ensure(const Templates& templates, const HexDigest& key, std::size_t size = 10) {
    std::string note;
    return templates.ensure(
        key,
        [&](const Template& made) {
          ++m_made;
          write(made.memory(), std::string(size, 'm'));
          write(made.state(), "state");
        },
        note);
  }
};

TEST_F(TemplatesTest, AreMadeOnce) {
  const Templates templates(m_directory.path(), 1 << 20);
  const auto first = ensure(templates, k_key);
  const auto second = ensure(templates, k_key);
  EXPECT_EQ(m_made, 1);
  EXPECT_EQ(first.directory, second.directory);
  std::string note;
  EXPECT_TRUE(templates.find(k_key, note));
  EXPECT_EQ(note, "");
}

TEST_F(TemplatesTest, ADamagedOneIsToldAndMadeAnew) {
  const Templates templates(m_directory.path(), 1 << 20);
  for (const auto* part : {"/memory", "/state", "/template.json"}) {
    const auto path = ensure(templates, k_key).directory + part;
    ::chmod(path.c_str(), 0600);
    write(path, "wrong");
    std::string note;
    EXPECT_FALSE(templates.find(k_key, note)) << part;
    EXPECT_NE(note.find("damaged"), std::string::npos) << part;
    EXPECT_FALSE(os::exists(m_directory.path() + "/" + k_key)) << part;
  }
}

TEST_F(TemplatesTest, AWriterThatPutsTheTimesBackIsFoundOut) {
  const Templates templates(m_directory.path(), 1 << 20);
  const auto memory = ensure(templates, k_key).memory();

  struct stat before {};

  ASSERT_EQ(::stat(memory.c_str(), &before), 0);
  write(memory, std::string(10, 'x')); // the same size
  const timespec times[]{before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, memory.c_str(), times, 0), 0);
  std::string note;
  EXPECT_FALSE(templates.find(k_key, note));
}

TEST_F(TemplatesTest, AFailureLeavesNothing) {
  const Templates templates(m_directory.path(), 1 << 20);
  std::string note;
  EXPECT_THROW(
      templates.ensure(
          k_key,
          [](const Template& made) {
            write(made.memory(), "half");
            throw Error(ErrorCode::timeout, "no guest");
          },
          note),
      Error);
  EXPECT_EQ(os::list_directory(m_directory.path()), (std::vector<std::string>{k_key + ".lock"}));
  ensure(templates, k_key);
  EXPECT_EQ(m_made, 1);
}

TEST_F(TemplatesTest, WhatAKilledMakerLeftIsRemovedByTheNext) {
  const Templates templates(m_directory.path(), 1 << 20);
  os::make_directories(m_directory.path() + "/making-" + k_key.substr(0, 12) + "-killed/x");
  os::make_directories(m_directory.path() + "/making-" + k_other.substr(0, 12) + "-somebody-else");
  ensure(templates, k_key);
  EXPECT_EQ(
      os::list_directory(m_directory.path()),
      (std::vector<std::string>{
          k_key, k_key + ".lock", "making-" + k_other.substr(0, 12) + "-somebody-else"}));
}

TEST_F(TemplatesTest, ThoseUsedLongestAgoGoWhenThereAreTooMany) {
  const Templates templates(m_directory.path(), 300 << 10);
  ensure(templates, k_key, 200 << 10);
  const timespec long_ago[]{{1000, 0}, {1000, 0}};
  ::utimensat(AT_FDCWD, (m_directory.path() + "/" + k_key).c_str(), long_ago, 0);
  ensure(templates, k_other, 200 << 10);
  std::string note;
  EXPECT_FALSE(templates.find(k_key, note));
  EXPECT_TRUE(templates.find(k_other, note));
}

} // namespace
} // namespace pyro::backend::qemu

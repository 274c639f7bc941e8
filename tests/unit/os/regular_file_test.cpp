#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/regular_file.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>

namespace pyro::os {
namespace {

class RegularFile : public ::testing::Test {
protected:
  std::string at(const std::string& name) const { return m_directory.path() + "/" + name; }

  void expect_refused(const std::string& name, const std::string& what) {
    const auto place = open_file(m_directory.path(), O_RDONLY | O_DIRECTORY);
    for (int way = 0; way < 3; ++way) {
      try {
        if (way == 0) {
          read_file(at(name));
        } else if (way == 1) {
          maybe_read_file(at(name));
        } else {
          maybe_open_regular_beneath(place.get(), name);
        }
        ADD_FAILURE() << name << " was opened";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << error.what();
        EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
      }
    }
  }

  TempDir m_directory{std::filesystem::temp_directory_path().string(), "pyro-regular"};
};

TEST_F(RegularFile, NothingElseIsOpened) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  expect_refused("fifo", "is a FIFO, not a regular file");
  std::filesystem::create_directory(at("directory"));
  expect_refused("directory", "is a directory");
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  at("socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  expect_refused("socket", "is a socket");
}

TEST_F(RegularFile, ADeviceBehindASymlinkIsNotOpened) {
  std::filesystem::create_symlink("/dev/zero", at("zero"));
  try {
    read_file(at("zero"));
    ADD_FAILURE() << "it was opened";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("is a device"), std::string::npos) << error.what();
  }
}

TEST_F(RegularFile, RegularFilesAreReadWhole) {
  std::ofstream(at("file")) << "content";
  std::filesystem::create_symlink("file", at("link"));
  EXPECT_EQ(read_file(at("file")), "content");
  EXPECT_EQ(read_file(at("link")), "content");
  EXPECT_EQ(maybe_read_file(at("none")), std::nullopt);
  EXPECT_THROW(read_file(at("none")), Error);
  EXPECT_THROW(read_file(at("file"), 3), Error);
  EXPECT_FALSE(read_file("/proc/self/stat").empty());
  const auto place = open_file(m_directory.path(), O_RDONLY | O_DIRECTORY);
  EXPECT_TRUE(maybe_open_regular_beneath(place.get(), "file").has_value());
  EXPECT_FALSE(maybe_open_regular_beneath(place.get(), "link").has_value());
  EXPECT_FALSE(maybe_open_regular_beneath(place.get(), "none").has_value());
  EXPECT_FALSE(maybe_open_regular_beneath(place.get(), "../" + m_directory.path()).has_value());
}

} // namespace
} // namespace pyro::os

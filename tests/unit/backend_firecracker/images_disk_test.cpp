#include <pyro/backend/firecracker/images_disk.hpp>
#include <pyro/backend/shared/guest_description.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace pyro::backend::firecracker {
namespace {

class ImagesDisk : public ::testing::Test {
protected:
  std::string image(const std::string& name, std::size_t size, char letter) const {
    std::ofstream(path(name)) << std::string(size, letter);
    return path(name);
  }

  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }

private:
  os::TempDir m_directory{"/dev/shm", "pyro-images"};
};

TEST_F(ImagesDisk, HoldsTheImagesOneAfterTheOther) {
  const auto first = image("a", 8192, 'a');
  const auto second = image("b", 4096, 'b');
  EXPECT_EQ(sectors_of(first), 16u);
  make_images_disk({first, second}, path("disk"));
  EXPECT_EQ(os::read_file(path("disk")), std::string(8192, 'a') + std::string(4096, 'b'));

  struct stat status {};

  ASSERT_EQ(::stat(path("disk").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0444u);
  make_images_disk({second}, path("disk")); // anew
  EXPECT_EQ(os::read_file(path("disk")), std::string(4096, 'b'));
}

TEST_F(ImagesDisk, OddSizesAreRefusedAndNothingIsLeft) {
  const auto odd = image("odd", 5000, 'x');
  EXPECT_THROW(sectors_of(odd), Error);
  EXPECT_THROW(sectors_of(image("empty", 0, 'x')), Error);
  EXPECT_THROW(make_images_disk({image("a", 4096, 'a'), odd}, path("disk")), Error);
  EXPECT_FALSE(os::exists(path("disk")));
}

} // namespace
} // namespace pyro::backend::firecracker

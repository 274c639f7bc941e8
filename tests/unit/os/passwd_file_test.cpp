// Users by the text of a passwd file.
#include <pyro/os/passwd_file.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace pyro::os {
namespace {

TEST(PasswdFile, AUserIsFoundByItsNumberAlone) {
  std::string path = (std::filesystem::temp_directory_path() / "pyro-test-XXXXXX").string();
  ::close(::mkstemp(path.data()));
  std::ofstream(path)
      << "root:x:0:0:root:/root:/bin/sh\nbroken:1000\nann:x:1000:7:Ann, of 7:/home/ann:/bin/sh\n"
         "again:x:1000:1000::/elsewhere:\n";
  const auto ann = find_in_passwd(1000, path);
  ASSERT_TRUE(ann);
  EXPECT_EQ(ann->name, "ann");
  EXPECT_EQ(ann->home, "/home/ann");
  EXPECT_FALSE(find_in_passwd(7, path)) << "a group";
  EXPECT_FALSE(find_in_passwd(1000, path + "-missing"));
  std::filesystem::remove(path);
}

} // namespace
} // namespace pyro::os

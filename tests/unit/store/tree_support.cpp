#include "tree_support.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace pyro::store::test {

namespace fs = std::filesystem;

void write(const std::string& path, const std::string& text, mode_t mode) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  if (chmod(path.c_str(), mode) != 0) {
    throw std::runtime_error("chmod " + path);
  }
}

void make_directory(const std::string& path) {
  fs::create_directories(path);
}

void make_symlink(const std::string& target, const std::string& path) {
  fs::create_directories(fs::path(path).parent_path());
  fs::create_symlink(target, path);
}

void make_whiteout(const std::string& path) {
  fs::create_directories(fs::path(path).parent_path());
  if (mknod(path.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
    throw std::runtime_error("mknod " + path);
  }
}

void make_opaque(const std::string& directory) {
  fs::create_directories(directory);
  if (setxattr(directory.c_str(), "user.overlay.opaque", "y", 1, 0) != 0) {
    throw std::runtime_error("setxattr " + directory);
  }
}

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Tree full_walk(const std::string& root) {
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    struct stat status {};

    if (lstat(entry.path().c_str(), &status) != 0) {
      throw std::runtime_error("lstat " + entry.path().string());
    }
    Node node{status.st_mode, status.st_uid, status.st_gid, ""};
    if (S_ISREG(status.st_mode)) {
      node.content = read(entry.path());
    } else if (S_ISLNK(status.st_mode)) {
      node.content = fs::read_symlink(entry.path());
    }
    tree[fs::relative(entry.path(), root)] = node;
  }
  return tree;
}

namespace {

std::string random_text(std::mt19937& random) {
  std::string text;
  const auto lines = random() % 6;
  for (unsigned i = 0; i < lines; ++i) {
    text += fmt::format("line {}\n", random() % 4);
  }
  if (random() % 4 == 0) {
    text += "no newline";
  }
  return text;
}

/// Few names, so that the same place is changed again and again.
fs::path random_place(const std::string& root, std::mt19937& random) {
  fs::path place = root;
  const auto depth = 1 + random() % 3;
  for (unsigned i = 0; i < depth; ++i) {
    place /= std::string(1, static_cast<char>('a' + random() % 4));
  }
  return place;
}

} // namespace

void mutate(const std::string& root, std::mt19937& random, int changes) {
  for (int i = 0; i < changes; ++i) {
    const fs::path place = random_place(root, random);
    const fs::path other = random_place(root, random);
    std::error_code ignored; // an impossible change (a parent that is a file) is simply none
    switch (random() % 9) {
    case 0:
    case 1:
    case 2:
      fs::create_directories(place.parent_path(), ignored);
      if (fs::is_directory(fs::symlink_status(place.parent_path(), ignored))
          && !fs::exists(fs::symlink_status(place, ignored))) {
        write(place, random_text(random), random() % 3 == 0 ? 0755 : 0644);
      }
      break;
    case 3:
      fs::remove_all(place, ignored);
      break;
    case 4:
      fs::rename(place, other, ignored);
      break;
    case 5:
      fs::rename(place, place.string() + "~", ignored); // renamed and renamed back: no change
      fs::rename(place.string() + "~", place, ignored);
      break;
    case 6:
      fs::create_directories(place, ignored);
      break;
    case 7:
      fs::create_symlink(fmt::format("target{}", random() % 3), place, ignored);
      break;
    default:
      if (fs::is_regular_file(fs::symlink_status(place, ignored))) {
        if (random() % 2 == 0) {
          std::ofstream(place, std::ios::app) << "more\n";
        } else {
          fs::permissions(place, fs::perms(random() % 2 == 0 ? 0600 : 0755), ignored);
        }
      }
    }
  }
}

} // namespace pyro::store::test

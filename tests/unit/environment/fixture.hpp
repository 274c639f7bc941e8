// A state directory and a cache of their own for each test, removed with the ids of the inside.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/environment/environment.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/random.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::environment {

class EnvironmentTest : public ::testing::Test {
protected:
  EnvironmentTest() { os::make_directories(m_root); }

  ~EnvironmentTest() override {
    os::IdSpace::current().run([this] {
      os::remove_tree(m_root);
      return Json();
    });
  }

  Environments environments() {
    return Environments(
        m_base, m_layers, [this](std::string_view, const std::string& text) { m_lines.push_back(text); },
        m_root + "/cache");
  }

  std::string path(const std::string& relative) const { return m_root + "/" + relative; }

  void write(const std::string& relative, std::string_view content, mode_t mode = 0644) const {
    const auto whole = path(relative);
    os::make_directories(std::filesystem::path(whole).parent_path().string(), 0755);
    const auto fd = os::open_file(whole, O_WRONLY | O_CREAT | O_TRUNC, mode);
    os::write_all(fd.get(), content);
    ASSERT_EQ(::fchmod(fd.get(), mode), 0);
  }

  /// The bottom layer's file as the inside sees it.
  static struct stat status_inside(const std::string& whole) {
    const auto found = os::IdSpace::current().run([&]() -> Json {
      struct stat status {};
      if (::lstat(whole.c_str(), &status) < 0) {
        return Json();
      }
      return Json{status.st_mode, status.st_uid, status.st_gid, status.st_rdev};
    });

    struct stat status {};

    if (found.is_array()) {
      status.st_mode = found[0].get<mode_t>();
      status.st_uid = found[1].get<uid_t>();
      status.st_gid = found[2].get<gid_t>();
      status.st_rdev = found[3].get<dev_t>();
    }
    return status;
  }

  static std::string read_inside(const std::string& whole) {
    return os::IdSpace::current().run([&]() -> Json { return os::read_file(whole); }).get<std::string>();
  }

  std::string layer_path(const Environment& environment, const std::string& relative) const {
    return m_layers.tree(environment.layers.at(0)) + "/" + relative;
  }

  std::string m_root = "/tmp/pyro-environment-test-" + os::random_hex(6);
  store::Base m_base{m_root + "/state"};
  store::LayerStore m_layers{m_base};
  std::vector<std::string> m_lines;
};

} // namespace pyro::environment

// A scratch directory with helpers to make files and git checkouts in it.
#pragma once

#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace pyro::seed::testing {

class Scratch : public ::testing::Test {
protected:
  Scratch() : m_directory(std::filesystem::temp_directory_path().string(), "pyro-seed-test") {
    m_root = m_directory.path() + "/tree";
    std::filesystem::create_directories(m_root);
  }

  void write(const std::string& path, const std::string& text) {
    auto full = std::filesystem::path(m_root) / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary) << text;
  }

  std::string
  git(std::vector<std::string> arguments, std::string_view input = {}, const std::string& at = "") {
    std::vector<std::string> argv{
        "git",
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "protocol.file.allow=always",
        "-c",
        "core.excludesFile=/dev/null",
        "-C",
        at.empty() ? m_root : at};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    os::Command command;
    command.argv = argv;
    return os::run(std::move(command), input).out;
  }

  os::TempDir m_directory;
  std::string m_root;
};

} // namespace pyro::seed::testing

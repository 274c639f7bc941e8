#include "files.hpp"

#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace pyro::testing {

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw std::runtime_error("cannot read " + path.string());
  }
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

namespace {

void write(const fs::path& path, const std::string& text, std::ios::openmode mode) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | mode);
  out << text;
  if (!out.flush()) {
    throw std::runtime_error("cannot write " + path.string());
  }
}

} // namespace

void write_file(const fs::path& path, const std::string& text) {
  write(path, text, std::ios::trunc);
}

void append_file(const fs::path& path, const std::string& text) {
  write(path, text, std::ios::app);
}

void replace_in_file(const fs::path& path, const std::string& from, const std::string& to) {
  auto text = read_file(path);
  auto at = text.find(from);
  if (at == std::string::npos) {
    throw std::runtime_error(path.string() + " does not contain " + from);
  }
  for (; at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  write_file(path, text);
}

void copy_example(const std::string& name, const fs::path& to) {
  fs::create_directories(to);
  fs::copy(
      source_dir() / "examples" / name, to,
      fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

std::map<std::string, std::string> tree_of(const fs::path& root) {
  std::map<std::string, std::string> result;
  const auto options = fs::directory_options::skip_permission_denied;
  for (const auto& entry : fs::recursive_directory_iterator(root, options)) {
    const auto name = entry.path().lexically_relative(root).string();
    const auto mode = std::to_string(static_cast<int>(entry.symlink_status().permissions()));
    if (entry.is_symlink()) {
      result[name] = "link " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_directory()) {
      result[name] = "directory " + mode;
    } else if (entry.is_regular_file()) {
      result[name] = "file " + mode + " " + read_file(entry.path());
    } else {
      result[name] = "other " + mode;
    }
  }
  return result;
}

bool eventually(const std::function<bool()>& question, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  do {
    if (question()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  } while (std::chrono::steady_clock::now() < end);
  return question();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

fs::path source_dir() {
  return PYRO_SOURCE_DIR;
}

fs::path binary_dir() {
  return PYRO_BINARY_DIR;
}

} // namespace pyro::testing

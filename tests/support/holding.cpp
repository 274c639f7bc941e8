#include "holding.hpp"

#include <fstream>
#include <sstream>

namespace pyro::testing {

std::vector<std::string> files_holding(const std::filesystem::path& root, const std::string& text) {
  constexpr std::uintmax_t k_most = 1'000'000;
  std::vector<std::string> found;
  std::vector<std::filesystem::path> directories{root};
  while (!directories.empty()) {
    const auto directory = std::move(directories.back());
    directories.pop_back();
    std::error_code error;
    std::filesystem::directory_iterator entry(directory, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      std::error_code gone;
      const auto status = entry->symlink_status(gone);
      if (std::filesystem::is_directory(status)) {
        directories.push_back(entry->path());
      } else if (std::filesystem::is_regular_file(status) && entry->file_size(gone) < k_most) {
        std::ostringstream content;
        content << std::ifstream(entry->path(), std::ios::binary).rdbuf();
        if (content.str().find(text) != std::string::npos) {
          found.push_back(entry->path().string());
        }
      }
    }
  }
  return found;
}

} // namespace pyro::testing

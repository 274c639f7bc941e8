#include "holding.hpp"

#include <pyro/os/fd.hpp>

#include <fcntl.h>
#include <unistd.h>

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
      } else if (const auto size = entry->file_size(gone);
                 !gone && std::filesystem::is_regular_file(status) && size < k_most) {
        // Whoever swaps it meanwhile neither leads us elsewhere nor makes us wait.
        const os::Fd file(
            ::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
        std::string content(size, '\0');
        const auto count = file ? ::read(file.get(), content.data(), content.size()) : 0;
        content.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        if (content.find(text) != std::string::npos) {
          found.push_back(entry->path().string());
        }
      }
    }
  }
  return found;
}

} // namespace pyro::testing

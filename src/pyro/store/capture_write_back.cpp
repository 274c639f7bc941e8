// The half of a capture that runs before everything stands still.
#include "capture.hpp"
#include "capture_memory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/write_back.hpp>

#include <algorithm>
#include <deque>
#include <fcntl.h>

namespace pyro::store {

namespace {

/// Many files at once on their way to the disk, with a bound on what is open.
class WriteBack {
public:
  void add(const os::TreeEntry& entry) {
    os::Fd file(openat(entry.directory, entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) {
      return; // gone, or no file any more
    }
    os::start_write_back(file.get());
    m_open.push_back(std::move(file));
    constexpr std::size_t k_most = 64;
    if (m_open.size() > k_most) {
      finish_one();
    }
  }

  void finish() {
    while (!m_open.empty()) {
      finish_one();
    }
  }

private:
  void finish_one() {
    std::ignore = os::finish_write_back(m_open.front().get());
    m_open.pop_front();
  }

  std::deque<os::Fd> m_open;
};

} // namespace

void write_back_changes(const std::vector<UpperPart>& parts, const CaptureOptions& options) {
  const CaptureMemory memory(options.memory);
  WriteBack files;
  for (const UpperPart& part : parts) {
    try {
      const os::Fd upper = os::open_directory(part.upper);
      if (!os::marks_mapped_stores(upper.get())) {
        continue; // bytes are compared there
      }
      const auto enter = [&](const os::TreeEntry& entry) {
        const auto path = part.at.empty() ? entry.path : part.at + "/" + entry.path;
        const bool is_dropped =
            std::find(options.drop.begin(), options.drop.end(), path) != options.drop.end();
        if (entry.is_file() && !is_dropped && !memory.is_known(path, entry.status)) {
          files.add(entry);
        }
        return is_dropped ? os::Visit::skip : os::Visit::go_on;
      };
      os::walk_tree(upper.get(), os::TreeVisitor{enter, {}});
    } catch (const Error&) {
      // It is changing. The capture finds what is dirty still; only its pause would have been shorter.
    }
  }
  files.finish();
}

} // namespace pyro::store

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
  WriteBack() { clock_gettime(CLOCK_REALTIME, &m_began); }

  void add(const std::string& path, const os::TreeEntry& entry) {
    os::Fd file(openat(entry.directory, entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) {
      return; // gone, or no file any more
    }
    os::start_write_back(file.get());
    m_open.push_back({std::move(file), path, mark_of(entry.status)});
    constexpr std::size_t k_most = 64;
    if (m_open.size() > k_most) {
      finish_one();
    }
  }

  std::shared_ptr<const WrittenBack> finish() {
    while (!m_open.empty()) {
      finish_one();
    }
    return m_done;
  }

private:
  void finish_one() {
    auto& [file, path, mark] = m_open.front();
    if (os::finish_write_back(file.get()) && is_settled(mark.changed, m_began)) {
      m_done->files.emplace(std::move(path), mark);
    }
    m_open.pop_front();
  }

  struct File {
    os::Fd file;
    std::string path;
    FileMark mark;
  };

  timespec m_began{};
  std::deque<File> m_open;
  std::shared_ptr<WrittenBack> m_done = std::make_shared<WrittenBack>();
};

} // namespace

std::shared_ptr<const WrittenBack>
write_back_changes(const std::vector<UpperPart>& parts, const CaptureOptions& options) {
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
          files.add(path, entry);
        }
        return is_dropped ? os::Visit::skip : os::Visit::go_on;
      };
      os::walk_tree(upper.get(), os::TreeVisitor{enter, {}});
    } catch (const Error&) {
      // It is changing. The capture finds what is dirty still; only its pause would have been shorter.
    }
  }
  return files.finish();
}

} // namespace pyro::store

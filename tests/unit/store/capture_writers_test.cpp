// Whatever way bytes come into a writable layer, each capture has what a full copy of the same moment has.
#include "tree_support.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/write_back.hpp>
#include <pyro/store/capture.hpp>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <chrono>
#include <deque>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <thread>
#include <unistd.h>

namespace pyro::store::test {

namespace {

constexpr std::size_t k_page = 4096;

/// A writable mapping that is kept: what is stored through it is never synced.
class Mapping {
public:
  explicit Mapping(const std::string& path) {
    const os::Fd file = os::open_file(path, O_RDWR);
    m_at = static_cast<char*>(mmap(nullptr, k_page, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
    EXPECT_NE(m_at, MAP_FAILED);
  }

  ~Mapping() { munmap(m_at, k_page); }

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  void store(std::size_t offset, char byte) { m_at[offset % k_page] = byte; }

private:
  char* m_at = nullptr;
};

/// "/tmp" is on a disk or not, "/dev/shm" is a tmpfs.
class CaptureWriters : public testing::TestWithParam<std::string> {
protected:
  CaptureWriters() : m_directory(GetParam(), "pyro-writers"), m_base(m_directory.path() + "/base") {
    m_base.prepare();
    make_directory(upper());
  }

  std::string upper() const { return m_directory.path() + "/gen/root/upper"; }

  /// The tree of the next capture, made as a snapshot makes it.
  std::string capture() {
    const auto parts = parts_of_generation(m_directory.path() + "/gen", {});
    CaptureOptions options;
    options.memory = m_directory.path() + "/gen/capture";
    options.written_back = write_back_changes(parts, options);
    if (m_late) {
      m_late(); // the last that runs before everything stands still
    }
    Staging staging(m_base);
    report = capture_generation(parts, staging, options);
    const auto layer = m_store.publish(std::move(staging), {"snapshot", ""}, os::Durable::no);
    remember_capture(options.memory, m_store.tree(layer.digest));
    return m_store.tree(layer.digest);
  }

  static void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(80)); }

  os::TempDir m_directory;
  Base m_base;
  LayerStore m_store{m_base};
  CaptureReport report;
  std::function<void()> m_late;
};

} // namespace

TEST_P(CaptureWriters, BytesOfAMappingThatStaysWritableAreThere) {
  const std::string path = upper() + "/file";
  write(path, std::string(k_page, '-'));
  Mapping mapping(path);
  mapping.store(0, 'a');
  settle();
  EXPECT_EQ(read(capture() + "/file")[0], 'a');
  mapping.store(0, 'b');
  settle();
  EXPECT_EQ(read(capture() + "/file")[0], 'b');
  mapping.store(1, 'c');
  settle();
  EXPECT_EQ(read(capture() + "/file").substr(0, 2), "bc");
}

TEST_P(CaptureWriters, BytesOfAMappingThatIsGoneAreThere) {
  const std::string path = upper() + "/file";
  write(path, std::string(k_page, '-'));
  std::optional<Mapping> mapping(path);
  mapping->store(0, 'a');
  settle();
  EXPECT_EQ(read(capture() + "/file")[0], 'a');
  mapping->store(0, 'b');
  mapping.reset();
  settle();
  EXPECT_EQ(read(capture() + "/file")[0], 'b');
}

TEST_P(CaptureWriters, UnchangedFilesAreStillLinked) {
  write(upper() + "/file", std::string(k_page, '-'));
  write(upper() + "/other", std::string(k_page, '-'));
  settle();
  const auto first = capture();
  EXPECT_EQ(report.linked, 0U);
  write(upper() + "/other", std::string(k_page, '+'));
  const auto second = capture();
  EXPECT_EQ(report.linked, 1U);
  EXPECT_EQ(report.copied, 1U);
  EXPECT_NE(first, second);
}

TEST_P(CaptureWriters, EachCaptureIsAFullCopy) {
  std::mt19937 random(20261128);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  std::deque<std::unique_ptr<Mapping>> mappings;
  const auto name = [&] {
    return upper() + "/f" + std::to_string(below(12));
  };
  const auto change = [&] {
    const auto path = name();
    const bool is_there = os::exists(path);
    const std::string text(k_page + below(3 * k_page), static_cast<char>('a' + below(26)));
    switch (below(9)) {
    case 0:
      write(path, text);
      break;
    case 1:
      if (is_there) {
        const os::Fd file = os::open_file(path, O_WRONLY);
        EXPECT_EQ(pwrite(file.get(), "xy", 2, static_cast<off_t>(below(2 * k_page))), 2);
      }
      break;
    case 2:
      if (is_there) { // never below the page that is mapped
        EXPECT_EQ(truncate(path.c_str(), static_cast<off_t>(k_page + below(k_page))), 0);
      }
      break;
    case 3:
      if (is_there) {
        EXPECT_EQ(rename(path.c_str(), name().c_str()), 0);
      }
      break;
    case 4: {
      const auto other = name();
      if (is_there && !os::exists(other)) {
        EXPECT_EQ(link(path.c_str(), other.c_str()), 0);
      }
      break;
    }
    case 5:
      if (is_there) {
        mappings.push_back(std::make_unique<Mapping>(path));
      }
      break;
    case 6:
      if (mappings.size() > 4) {
        mappings.pop_front();
      }
      break;
    default:
      if (!mappings.empty()) {
        mappings[below(mappings.size())]->store(below(k_page), static_cast<char>('A' + below(26)));
      }
    }
  };
  m_late = change;
  for (int round = 0; round < 40; ++round) {
    for (std::size_t i = below(20); i > 0; --i) {
      change();
    }
    if (below(2) == 0) {
      settle();
      for (const auto& mapping : mappings) {
        mapping->store(below(k_page), static_cast<char>('A' + below(26))); // long after its first store
      }
    }
    const auto tree = capture();
    ASSERT_EQ(full_walk(tree), full_walk(upper())) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(On, CaptureWriters, testing::Values("/tmp", "/dev/shm"), [](const auto& info) {
  return info.param == "/tmp" ? "Disk" : "Memory";
});

} // namespace pyro::store::test

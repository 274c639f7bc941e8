#include <pyro/backend/qemu/process_memory.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::qemu {
namespace {

constexpr std::size_t k_page = 4096;
constexpr std::size_t k_pages = 3000;

/// A child that maps `path` privately, changes some pages, reads others and then stands still.
os::Child child_with_changes(const std::string& path) {
  auto ready = os::make_pipe();
  const auto pid = ::fork();
  if (pid == 0) {
    const int fd = ::open(path.c_str(), O_RDWR);
    auto* memory =
        static_cast<char*>(::mmap(nullptr, k_pages * k_page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    if (memory == MAP_FAILED) {
      ::_exit(1);
    }
    for (const std::size_t page : {0UL, 5UL, 6UL, 7UL, k_pages - 1}) {
      std::memset(memory + page * k_page, 'n', k_page);
    }
    for (std::size_t page = 1000; page < 2000; ++page) {
      std::memset(memory + page * k_page, 'm', 10); // more than is copied at once
    }
    volatile char seen = memory[9 * k_page];
    std::ignore = seen;
    std::ignore = ::write(ready.write_end.get(), "r", 1);
    ::pause();
    ::_exit(0);
  }
  std::array<char, 1> byte{};
  EXPECT_EQ(os::read_some(ready.read_end.get(), byte), 1U);
  return os::Child(pid);
}

class ProcessMemory : public ::testing::Test {
protected:
  ProcessMemory() {
    std::string content(k_pages * k_page, 'o');
    os::write_file_atomically(m_base, content, 0600, os::Durable::no);
    os::write_file_atomically(m_copy, content, 0600, os::Durable::no);
  }

  os::TempDir m_directory{"/tmp", "memory"};
  std::string m_base = m_directory.path() + "/base";
  std::string m_copy = m_directory.path() + "/copy";
};

TEST_F(ProcessMemory, JustTheChangedPagesAreCopied) {
  auto child = child_with_changes(m_base);
  const auto copied = copy_changed_pages(child.pid(), m_base, os::open_file(m_copy, O_RDWR).get());
  child.signal(SIGKILL);
  child.wait();
  EXPECT_EQ(copied, 1005 * k_page);
  std::string expected(k_pages * k_page, 'o');
  for (const std::size_t page : {0UL, 5UL, 6UL, 7UL, k_pages - 1}) {
    expected.replace(page * k_page, k_page, k_page, 'n');
  }
  for (std::size_t page = 1000; page < 2000; ++page) {
    expected.replace(page * k_page, 10, 10, 'm');
  }
  EXPECT_TRUE(os::read_file(m_copy) == expected);
  EXPECT_TRUE(os::read_file(m_base) == std::string(k_pages * k_page, 'o'));
}

TEST_F(ProcessMemory, AFileThatWasRemovedMeanwhileIsFoundAllTheSame) {
  auto child = child_with_changes(m_base);
  ::unlink(m_base.c_str());
  EXPECT_GT(copy_changed_pages(child.pid(), m_base, os::open_file(m_copy, O_RDWR).get()), 0U);
  child.signal(SIGKILL);
  child.wait();
}

TEST_F(ProcessMemory, AnotherFileIsRefused) {
  auto child = child_with_changes(m_base);
  const auto target = os::open_file(m_copy, O_RDWR);
  EXPECT_THROW(copy_changed_pages(child.pid(), m_base + "x", target.get()), Error);
  child.signal(SIGKILL);
  child.wait();
}

} // namespace
} // namespace pyro::backend::qemu

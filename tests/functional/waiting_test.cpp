// Who waits for a lock is told in words what is being done meanwhile.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/os/file_lock.hpp>

#include <csignal>

namespace pyro::testing {
namespace {

class Waiting : public Functional {
protected:
  fs::path project_of_busybox(const std::string& name) {
    const auto directory = another_project(name);
    make_busybox_root(directory / "image");
    write_file(
        directory / "pyro.yaml", "version: 1\nname: " + name + "\nenvironment: {image: 'dir:./image'}\n");
    return directory;
  }

  /// Held, and who holds it has written what for.
  static bool is_told(const std::string& lock) {
    const auto holder = os::lock_holder(lock);
    return holder && !holder->operation.empty();
  }

  /// `pyro start` of a stopped workspace, halted while it counts those that are active.
  os::Child halted_while_it_counts(const fs::path& directory) {
    const auto lock = (state() / "locks/active").string();
    for (int attempt = 0; attempt < 200; ++attempt) {
      EXPECT_EQ(pyro({"stop"}, {.cwd = directory}).status, 0);
      auto counting = start({"start"}, {.cwd = directory});
      while (!counting.try_wait()) {
        if (is_told(lock)) {
          counting.signal(SIGSTOP);
          if (is_told(lock)) {
            return counting;
          }
          counting.signal(SIGCONT);
        }
      }
    }
    ADD_FAILURE() << "nobody was ever seen counting";
    return {};
  }
};

TEST_F(Waiting, ForTheCountOfActiveWorkspacesIsToldInWords) {
  const auto first = project_of_busybox("first");
  const auto second = project_of_busybox("second");
  expect(0, {"apply", "--yes"}, {.cwd = first});
  auto counting = halted_while_it_counts(first);
  ASSERT_GT(counting.pid(), 0);
  const auto waited = expect(5, {"apply", "--yes", "--lock-timeout", "300ms"}, {.cwd = second});
  EXPECT_TRUE(contains(waited.err, "the count of active workspaces")) << waited;
  EXPECT_FALSE(contains(waited.err, "count active")) << waited;
  counting.signal(SIGCONT);
  EXPECT_EQ(counting.wait().shell_status(), 0);
  expect(0, {"apply", "--yes"}, {.cwd = second});
}

} // namespace
} // namespace pyro::testing

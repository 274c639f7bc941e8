#include <pyro/os/process.hpp>
#include <pyro/supervisor/user_limits.hpp>

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <sched.h>
#include <string>
#include <tuple>
#include <unistd.h>

namespace pyro::supervisor {
namespace {

/// A process in a user namespace of its own that holds what `take` takes, until it goes out of scope.
class Holder {
public:
  explicit Holder(const std::function<void()>& take) {
    auto ready = os::make_pipe();
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::unshare(CLONE_NEWUSER) == 0) {
        take();
        std::ignore = ::write(ready.write_end.get(), "r", 1);
      }
      ::pause();
      ::_exit(0);
    }
    m_child = os::Child(child);
    ready.write_end.reset();
    char byte = 0;
    EXPECT_EQ(::read(ready.read_end.get(), &byte, 1), 1) << "no user namespace";
  }

  UserLimitUse use() const {
    return use_of_processes(
        os::open_file("/proc/" + std::to_string(m_child.pid()) + "/ns/user", O_RDONLY).get());
  }

private:
  os::Child m_child;
};

void watch_from(int instance, int most) {
  for (int i = 0; i < most; ++i) {
    epoll_event event{};
    ::epoll_ctl(instance, EPOLL_CTL_ADD, ::eventfd(0, 0), &event);
  }
}

TEST(UserLimits, WatchesOfAllInstancesAreCounted) {
  const Holder holder([] {
    watch_from(::epoll_create1(0), 3);
    watch_from(::epoll_create1(0), 4);
  });
  EXPECT_EQ(holder.use().epoll_watches, 7U);
  EXPECT_EQ(holder.use().inotify_instances, 0U);
}

TEST(UserLimits, WhatSeveralHaveOpenCountsOnce) {
  const Holder holder([] {
    const int instance = ::epoll_create1(0);
    watch_from(instance, 5);
    ::dup(instance);
    auto begun = os::make_pipe();
    for (int i = 0; i < 3; ++i) {
      if (::fork() == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        std::ignore = ::write(begun.write_end.get(), "b", 1);
        ::pause();
        ::_exit(0);
      }
      char byte = 0;
      std::ignore = ::read(begun.read_end.get(), &byte, 1); // from now on it ends with its parent
    }
  });
  EXPECT_EQ(holder.use().epoll_watches, 5U);
}

TEST(UserLimits, InotifyByInstancesAndWatches) {
  const Holder holder([] {
    ::inotify_init1(0);
    const int instance = ::inotify_init1(0);
    ::inotify_add_watch(instance, "/", IN_DELETE_SELF);
    ::inotify_add_watch(instance, "/proc", IN_DELETE_SELF);
  });
  const auto use = holder.use();
  EXPECT_EQ(use.inotify_instances, 2U);
  EXPECT_EQ(use.inotify_watches, 2U);
  EXPECT_EQ(use.of(UserLimit::inotify_watches), 2U);
}

TEST(UserLimits, WhatIsOnItsWayThroughASocketCountsAsMuchAsItCanBe) {
  const Holder holder([] {
    int pair[2]{};
    ::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    const int instance = ::inotify_init1(0);
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    auto* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &instance, sizeof(int));
    ::sendmsg(pair[0], &message, 0);
    ::close(instance);
  });
  EXPECT_EQ(holder.use().inotify_instances, 1U);
  EXPECT_GT(holder.use().epoll_watches, 10'000U);
}

TEST(UserLimits, TheKernelSaysHowManyThereAre) {
  for (const auto limit :
       {UserLimit::epoll_watches, UserLimit::inotify_instances, UserLimit::inotify_watches}) {
    const auto most = most_of(limit);
    ASSERT_TRUE(most) << setting_of(limit);
    EXPECT_GT(share_of(limit, *most), 0U);
    EXPECT_LT(share_of(limit, *most), *most);
  }
}

TEST(UserLimits, AProbeFindsAUserWhoHasSome) {
  UserLimitProbe probe;
  EXPECT_EQ(probe.exhausted(), std::nullopt);
  probe.give_reserve();
  EXPECT_EQ(probe.exhausted(), std::nullopt);
}

} // namespace
} // namespace pyro::supervisor

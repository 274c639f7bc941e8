#include "user_limit_watch.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/clock.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace pyro::supervisor {

namespace {

constexpr std::chrono::milliseconds k_pause{1000};

Json count(int user_namespace, UserLimit limit) {
  try {
    if (::setns(user_namespace, CLONE_NEWUSER) < 0) {
      throw Error::from_errno(errno, "enter the sandbox's user namespace");
    }
    return {{"held", use_of_processes(user_namespace).of(limit)}};
  } catch (const std::exception& error) {
    return {{"trouble", error.what()}};
  }
}

} // namespace

UserLimitWatch::UserLimitWatch(os::EventLoop& loop, pid_t first_process, StopProcesses stop)
    : m_loop(loop), m_user_namespace(os::open_file(fmt::format("/proc/{}/ns/user", first_process), O_RDONLY)),
      m_stop(std::move(stop)), m_answer(loop) {
}

UserLimitWatch::~UserLimitWatch() {
  m_loop.cancel(m_timer);
}

void UserLimitWatch::rest() {
  m_timer = m_loop.after(k_pause, [this] {
    m_timer = 0;
    look();
  });
}

void UserLimitWatch::look() {
  const auto limit = m_probe.exhausted();
  if (!limit) {
    m_probe.take_reserve();
    rest();
    return;
  }
  m_probe.give_reserve();
  try {
    m_answer.begin(
        {m_user_namespace.get()}, [this, limit] { return count(m_user_namespace.get(), *limit); },
        [this, limit](const std::string& answer) { judge(*limit, answer); });
  } catch (const Error&) {
    rest(); // no process to be had now
  }
}

/// An answer that does not come is no reason to end anything: the next look is a second away.
void UserLimitWatch::judge(UserLimit limit, const std::string& answer) {
  std::uint64_t held = 0;
  try {
    held =
        static_cast<std::uint64_t>(int_or(parse_json(answer, "the count of the sandbox's files"), "held", 0));
  } catch (const Error&) {
    held = 0;
  }
  const auto most = most_of(limit);
  if (!most || held <= share_of(limit, *most)) {
    rest();
    return;
  }
  const LimitStop what{
      "user_limit", fmt::format(
                        "its processes held {} of the {} {} that you may have ({}), and you had no more",
                        held, *most, name_of(limit), setting_of(limit))};
  m_stopped = {{"at", os::now_epoch()}, {"code", what.code}, {"reason", what.reason}};
  m_stop(what, [this] { rest(); });
}

} // namespace pyro::supervisor

// What a program does wrong, and what happens around it: bad arguments, closing at work, killed helpers,
// fork().
#include "library.hpp"

#include <sys/wait.h>

#include <csignal>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace pyro::testing {
namespace {

class CApiHostile : public CApi {};

/// The code of the error, whatever the arguments are.
std::string code_of(
    pyro_library* library, const char* operation, const char* parameters,
    const pyro_call_options* options = nullptr) {
  char* result = nullptr;
  const int status = pyro_call(library, operation, parameters, options, &result);
  const auto document = Json::parse(result, nullptr, false);
  pyro_free(result);
  return status == PYRO_OK ? "" : document.value("code", "") + (status == PYRO_INVALID ? " INVALID" : "");
}

/// What `run` returns as its exit status in a forked child, without the test's own end.
template <typename Run>
int in_a_child(const Run& run) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::_exit(run());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool is_running(pid_t pid) {
  const auto id = os::process_id_of(pid);
  return id && os::is_alive(*id);
}

std::size_t open_descriptors() {
  const fs::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_F(CApiHostile, NullIsAnErrorOrNothing) {
  EXPECT_EQ(code_of(nullptr, "version", "{}"), "invalid_argument INVALID");
  const auto library = open();
  EXPECT_EQ(code_of(library.get(), nullptr, "{}"), "invalid_argument INVALID");
  EXPECT_EQ(code_of(library.get(), "version", nullptr), "");
  EXPECT_EQ(pyro_call(library.get(), "version", nullptr, nullptr, nullptr), PYRO_OK);
  EXPECT_EQ(pyro_call(library.get(), "nothing", nullptr, nullptr, nullptr), PYRO_INVALID);
  EXPECT_EQ(pyro_open("nonsense", nullptr), nullptr);
  pyro_cancel_request(nullptr);
  pyro_cancel_free(nullptr);
  pyro_free(nullptr);
  pyro_close(nullptr);
}

TEST_F(CApiHostile, WhatIsNoObjectIsRefused) {
  const auto library = open();
  for (const auto& text :
       {std::string(""), std::string("["), std::string("[]"), std::string("1"), std::string("null"),
        std::string("\"\xff\""), std::string("{\"a\": NaN}"), std::string("{} {}"), std::string(100'000, '['),
        "{\"argv\": " + std::string(1000, '[') + std::string(1000, ']') + "}"}) {
    EXPECT_EQ(code_of(library.get(), "exec", text.c_str()), "invalid_argument INVALID") << text.substr(0, 40);
  }
  EXPECT_EQ(code_of(library.get(), "version", "{\"more\": 1}"), "invalid_argument INVALID");
  EXPECT_EQ(code_of(library.get(), "\xff", "{}"), "invalid_argument INVALID");
  EXPECT_EQ(code_of(library.get(), std::string(1 << 20, 'x').c_str(), "{}"), "invalid_argument INVALID");
}

TEST_F(CApiHostile, OptionsOfAnotherVersionAreTakenWhereTheySayNoMore) {
  struct Newer {
    pyro_call_options known;
    void* more;
  };

  const auto library = open();
  Newer options{};
  EXPECT_EQ(code_of(library.get(), "version", "{}", &options.known), "invalid_argument INVALID");
  options.known.size = sizeof(pyro_call_options) - 1;
  EXPECT_EQ(code_of(library.get(), "version", "{}", &options.known), "invalid_argument INVALID");
  options.known.size = sizeof(Newer);
  EXPECT_EQ(code_of(library.get(), "version", "{}", &options.known), "");
  options.more = &options;
  EXPECT_EQ(code_of(library.get(), "version", "{}", &options.known), "invalid_argument INVALID");
  options.known.size = ~std::size_t(0);
  EXPECT_EQ(code_of(library.get(), "version", "{}", &options.known), "invalid_argument INVALID");
}

TEST_F(CApiHostile, LongParametersAreTakenOrRefused) {
  const auto library = open();
  ok(library.get(), "apply");
  auto count = shell("wc -c");
  count["stdin"] = std::string(8 << 20, 'x');
  EXPECT_EQ(ok(library.get(), "exec", count)["stdout"], "8388608\n");
  count["stdin"] = std::string(65 << 20, 'x');
  EXPECT_EQ(call(library.get(), "exec", count).status, PYRO_INVALID);
}

TEST_F(CApiHostile, ClosingCancelsWhatRunsAndWaits) {
  auto library = open();
  ok(library.get(), "apply");
  constexpr int k_calls = 8;
  std::atomic<int> begun = 0;
  std::vector<Answer> answers(k_calls);
  std::vector<std::thread> threads;
  for (auto& answer : answers) {
    threads.emplace_back([&] {
      answer = call(library.get(), "exec", shell("echo begun; sleep 1000"), [&](const Json& event) {
        begun += event["kind"] == "stdout" ? 1 : 0;
      });
    });
  }
  EXPECT_TRUE(eventually([&] { return begun == k_calls; }, 120));
  auto* closed = library.get();
  pyro_close(closed);
  for (auto& thread : threads) {
    thread.join();
  }
  std::ignore = library.release();
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.code(), "interrupted") << answer;
  }
  EXPECT_EQ(children_of(::getpid()).size(), 0U) << "the launcher is left";
  EXPECT_EQ(inside("pgrep -f 'sleep 100[0]'").out, "");
}

TEST_F(CApiHostile, ACallThatBeginsWhileTheLibraryIsClosedFails) {
  auto library = open();
  ok(library.get(), "apply");
  std::thread closing;
  std::string code;
  std::ignore = call(library.get(), "exec", shell("echo begun; sleep 1000"), [&](const Json& event) {
    if (event["kind"] == "stdout" && !closing.joinable()) {
      closing = std::thread([&] { pyro_close(library.get()); });
      EXPECT_TRUE(eventually([&] { return (code = code_of(library.get(), "version", "{}")) != ""; }));
    }
  });
  closing.join();
  std::ignore = library.release();
  EXPECT_EQ(code, "bad_state");
}

TEST_F(CApiHostile, AKilledLauncherEndsNoCallAndIsStartedAgain) {
  const auto library = open();
  ok(library.get(), "apply");
  const auto launchers = children_of(::getpid());
  ASSERT_EQ(launchers.size(), 1U);
  bool is_killed = false;
  const auto result =
      ok(library.get(), "exec", shell("echo begun; until [ -e /tmp/go ]; do sleep 0.05; done; echo done"),
         [&](const Json& event) {
           if (event["kind"] == "stdout" && !is_killed) {
             is_killed = true;
             ::kill(launchers[0], SIGKILL);
             EXPECT_TRUE(eventually([&] { return !is_running(launchers[0]); }));
             ok(library.get(), "exec", shell("touch /tmp/go"));
           }
         });
  EXPECT_EQ(result["stdout"], "begun\ndone\n");
  EXPECT_NE(children_of(::getpid()), launchers);
}

TEST_F(CApiHostile, AKilledProcessOfACallFailsThatCallAlone) {
  const auto library = open();
  ok(library.get(), "apply");
  const auto launcher = children_of(::getpid()).at(0);
  const auto killed = call(library.get(), "exec", shell("echo begun; sleep 1000"), [&](const Json& event) {
    if (event["kind"] == "stdout") {
      for (const auto process : children_of(launcher)) {
        ::kill(process, SIGKILL);
      }
    }
  });
  EXPECT_EQ(killed.status, PYRO_FAILED) << killed;
  EXPECT_EQ(killed.code(), "internal") << killed;
  EXPECT_EQ(ok(library.get(), "exec", shell("echo works"))["stdout"], "works\n");
  EXPECT_TRUE(eventually([&] { return inside("pgrep -f 'sleep 100[0]'").out.empty(); }));
}

TEST_F(CApiHostile, AForkedChildOpensALibraryOfItsOwn) {
  auto library = open();
  ok(library.get(), "version");
  const int status = in_a_child([&] {
    if (code_of(library.get(), "version", "{}") != "bad_state") {
      return 1;
    }
    pyro_close(library.get());
    const auto own = open();
    return own && code_of(own.get(), "version", "{}").empty() ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
  ok(library.get(), "version"); // as if there had been no child
}

TEST_F(CApiHostile, AChildThatHoldsTheSocketsHoldsUpNobody) {
  auto library = open();
  ok(library.get(), "version");
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
  }
  library.reset();
  EXPECT_EQ(children_of(::getpid()), std::vector{child}) << "the launcher is left";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(CApiHostile, TheLauncherEndsWithItsProgramWhoeverHoldsTheSockets) {
  auto from = os::make_pipe();
  const pid_t program = ::fork();
  if (program == 0) {
    const auto library = open();
    std::ignore = code_of(library.get(), "version", "{}");
    const auto launcher = children_of(::getpid()).at(0);
    const pid_t holder = ::fork();
    if (holder == 0) {
      ::pause();
    }
    const std::array<pid_t, 2> pids{launcher, holder};
    std::ignore = ::write(from.write_end.get(), pids.data(), sizeof(pids));
    ::pause();
  }
  std::array<pid_t, 2> pids{};
  ASSERT_EQ(::read(from.read_end.get(), pids.data(), sizeof(pids)), static_cast<ssize_t>(sizeof(pids)));
  ::kill(program, SIGKILL);
  ::waitpid(program, nullptr, 0);
  EXPECT_TRUE(eventually([&] { return !is_running(pids[0]); })) << "the launcher goes on";
  EXPECT_TRUE(is_running(pids[1]));
  ::kill(pids[1], SIGKILL);
}

TEST_F(CApiHostile, ProgramsWithoutStandardStreamsOrWithIgnoredChildrenWork) {
  const auto works = [&] {
    auto library = open();
    const bool is_well = library && code_of(library.get(), "version", "{}").empty();
    library.reset();
    return is_well ? 0 : 1;
  };
  EXPECT_EQ(
      in_a_child([&] {
        for (const int stream : {0, 1, 2}) {
          ::close(stream);
        }
        return works();
      }),
      0);
  EXPECT_EQ(
      in_a_child([&] {
        std::signal(SIGCHLD, SIG_IGN);
        return works();
      }),
      0);
}

TEST_F(CApiHostile, NothingIsLeftOfAClosedLibrary) {
  const auto before = open_descriptors();
  for (int round = 0; round < 3; ++round) {
    auto library = open();
    ok(library.get(), "version");
    EXPECT_NE(call(library.get(), "nothing").status, PYRO_OK);
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(children_of(::getpid()).size(), 0U);
}

TEST_F(CApiHostile, AListenerThatThrowsEndsTheCallAlone) {
  const auto library = open();
  ok(library.get(), "apply");
  for (const bool is_an_error : {true, false}) {
    const auto answer = call(library.get(), "exec", shell("echo begun; sleep 1000"), [&](const Json& event) {
      if (event["kind"] == "stdout" && is_an_error) {
        throw std::runtime_error("of the listener");
      }
      if (event["kind"] == "stdout") {
        throw 1;
      }
    });
    EXPECT_EQ(answer.code(), "internal") << answer;
  }
  EXPECT_TRUE(eventually([&] { return inside("pgrep -f 'sleep 100[0]'").out.empty(); }));
}

} // namespace
} // namespace pyro::testing

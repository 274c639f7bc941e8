// A program with many threads that all use one library on a few workspaces: stress LAUNCHER BASE ENVIRONMENT
// THREADS WORKSPACES SECONDS. Every answer is checked; what was counted is printed, and the status is 1 where
// one was wrong. Nothing of pyro's own code is in it, so that a sanitizer sees what a user's program would.
#include <pyro/pyro.h>

#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using Json = nlohmann::json;

struct Close {
  void operator()(pyro* library) const { pyro_close(library); }
};

struct Answer {
  int status = -1;
  Json document;
};

struct Listener {
  std::string out;
  pyro_cancel* cancel_at_output = nullptr;
};

extern "C" void listen(void* user, const char* text) {
  auto& listener = *static_cast<Listener*>(user);
  const auto event = Json::parse(text);
  if (event.at("kind") == "stdout") {
    listener.out += event.at("text").get<std::string>();
    pyro_cancel_request(listener.cancel_at_output);
  }
}

class Stress {
public:
  Stress(pyro* library, int workspaces) : m_library(library), m_workspaces(workspaces) {}

  Answer call(const char* operation, const Json& parameters, Listener* listener = nullptr) {
    pyro_call_options options{};
    options.size = sizeof(options);
    options.on_event = listener != nullptr ? listen : nullptr;
    options.user = listener;
    options.cancel = listener != nullptr ? listener->cancel_at_output : nullptr;
    char* result = nullptr;
    Answer answer;
    answer.status = pyro_call(m_library, operation, parameters.dump().c_str(), &options, &result);
    answer.document = Json::parse(result == nullptr ? "null" : result);
    pyro_free(result);
    count(std::string(operation) + (answer.status == PYRO_OK ? "" : ": " + code_of(answer)));
    return answer;
  }

  /// One thread's work, until the time is over.
  void work(unsigned thread, std::chrono::steady_clock::time_point end) {
    std::mt19937 random(thread);
    for (int round = 0; std::chrono::steady_clock::now() < end; ++round) {
      const auto name = "stress-" + std::to_string(random() % static_cast<unsigned>(m_workspaces));
      const auto token = std::to_string(thread) + "." + std::to_string(round);
      switch (random() % 8) {
      case 0:
        cancelled_exec(name);
        break;
      case 1:
        expect_or_busy(call("workspace_reset", {{"workspace_id", name}}));
        break;
      case 2:
        expect_or_busy(call("workspace_diff", {{"workspace_id", name}}));
        break;
      case 3:
        expect(call("workspace_list", Json::object()).document.at("count") == m_workspaces, "a list");
        break;
      case 4:
        expect_or_busy(call(
            "workspace_file_write", {{"workspace_id", name}, {"path", "file-" + token}, {"content", token}}));
        break;
      case 5:
        expect(call("nothing", Json::object()).status == PYRO_INVALID, "an unknown operation");
        break;
      default:
        exec(name, token);
      }
    }
  }

  void expect(bool is_so, const std::string& what) {
    if (!is_so) {
      const std::lock_guard guard(m_mutex);
      m_wrong.insert(what);
    }
  }

  bool report() const {
    for (const auto& [what, number] : m_counts) {
      std::printf("%6d %s\n", number, what.c_str());
    }
    for (const auto& what : m_wrong) {
      std::printf("WRONG: %s\n", what.c_str());
    }
    return m_wrong.empty();
  }

private:
  static std::string code_of(const Answer& answer) { return answer.document.value("code", "none"); }

  void count(const std::string& what) {
    const std::lock_guard guard(m_mutex);
    ++m_counts[what];
  }

  /// Others reset the workspace meanwhile: what was cut short by that says so.
  void expect_or_busy(const Answer& answer) {
    static const std::set<std::string> allowed{"bad_state", "failed", "locked", "stale", "unavailable"};
    expect(answer.status == PYRO_OK || allowed.count(code_of(answer)) == 1, answer.document.dump());
  }

  /// What was written comes back, as events and as the result, and nobody else's.
  void exec(const std::string& name, const std::string& token) {
    Listener listener;
    const auto answer =
        call("workspace_exec", {{"workspace_id", name}, {"command", "echo " + token}}, &listener);
    expect_or_busy(answer);
    if (answer.status == PYRO_OK) {
      const auto out = answer.document.at("stdout").get<std::string>();
      expect(out == listener.out, "events and result differ: " + listener.out + " and " + out);
      expect(
          out == token + "\n" || (out.empty() && answer.document.at("exit_code") != 0),
          token + " became " + answer.document.dump());
    }
  }

  void cancelled_exec(const std::string& name) {
    const std::unique_ptr<pyro_cancel, void (*)(pyro_cancel*)> cancel(pyro_cancel_new(), pyro_cancel_free);
    Listener listener;
    listener.cancel_at_output = cancel.get();
    const auto answer = call(
        "workspace_exec",
        {{"workspace_id", name}, {"command", "echo begun; exec sleep 1000"}, {"timeout_seconds", 600}},
        &listener);
    if (answer.status == PYRO_OK) { // a reset ended it first
      expect(answer.document.at("exit_code") != 0, "a sleep that ended: " + answer.document.dump());
    } else if (code_of(answer) != "interrupted") {
      expect_or_busy(answer);
    }
  }

  pyro* m_library;
  int m_workspaces;
  std::mutex m_mutex; // for all below
  std::map<std::string, int> m_counts;
  std::set<std::string> m_wrong;
};

} // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("stress LAUNCHER BASE ENVIRONMENT THREADS WORKSPACES SECONDS\n", stderr);
    return 64;
  }
  const int workspaces = std::stoi(argv[5]);
  const Json options{{"launcher", argv[1]}, {"base", argv[2]}};
  char* error = nullptr;
  const std::unique_ptr<pyro, Close> library(pyro_open(options.dump().c_str(), &error));
  if (!library) {
    std::printf("WRONG: %s\n", error);
    pyro_free(error);
    return 1;
  }
  Stress stress(library.get(), workspaces);
  const auto all_at_once = [count = std::stoi(argv[4])](const std::function<void(unsigned)>& work) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < count; ++thread) {
      threads.emplace_back(work, static_cast<unsigned>(thread));
    }
    for (auto& thread : threads) {
      thread.join();
    }
  };
  all_at_once([&](unsigned) { // the first call starts the launcher, whoever makes it
    stress.expect(stress.call("version", Json::object()).status == PYRO_OK, "a version");
  });
  for (int number = 0; number < workspaces; ++number) {
    const auto made = stress.call(
        "workspace_create", {{"environment", argv[3]}, {"name", "stress-" + std::to_string(number)}});
    stress.expect(made.status == PYRO_OK, made.document.dump());
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::stoi(argv[6]));
  all_at_once([&](unsigned thread) { stress.work(thread, end); });
  for (int number = 0; number < workspaces; ++number) {
    const auto gone = stress.call("workspace_delete", {{"workspace_id", "stress-" + std::to_string(number)}});
    stress.expect(gone.status == PYRO_OK, gone.document.dump());
  }
  return stress.report() ? 0 : 1;
}

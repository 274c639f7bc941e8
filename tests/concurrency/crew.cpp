#include "crew.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>

#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace pyro::concurrency {

namespace {

/// At once: a killed process leaves whole lines.
void append_line(const fs::path& path, const Json& line) {
  const auto text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  const auto file = os::open_file(path.string(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("cannot write " + path.string());
  }
}

ErrorCode code_named(const std::string& name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    if (name_of(static_cast<ErrorCode>(code)) == name) {
      return static_cast<ErrorCode>(code);
    }
  }
  return ErrorCode::internal;
}

} // namespace

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string Step::text() const {
  return fmt::format(
      "worker {} {} {}: {}", worker, operation, parameters.dump(),
      ok() ? "done" : fmt::format("{} {}", name_of(code), message));
}

Worker::Worker(int number, fs::path log, operations::Settings settings, unsigned seed)
    : m_number(number), m_log(std::move(log)), m_engine(operations::make_engine(std::move(settings), {})),
      m_dice(seed + static_cast<unsigned>(number)) {
}

Json Worker::call(const std::string& operation, const Json& parameters) {
  Step step{.worker = m_number, .operation = operation, .parameters = parameters, .began = now()};
  append_line(m_log, {{"operation", operation}, {"parameters", parameters}, {"began", step.began}});
  try {
    step.answer = m_engine->call(operation, parameters);
  } catch (const Error& error) {
    step.code = error.code();
    step.message = error.what();
  } catch (const std::exception& error) {
    step.message = std::string("no pyro::Error: ") + error.what();
  }
  step.ended = now();
  append_line(
      m_log, {{"ended", step.ended},
              {"answer", step.answer},
              {"code", name_of(step.code)},
              {"message", step.message}});
  m_last = step;
  return step.answer;
}

Crew::Crew(fs::path directory, operations::Settings settings, unsigned seed)
    : m_directory(std::move(directory)), m_settings(std::move(settings)), m_seed(seed) {
  fs::create_directories(m_directory);
}

Crew::~Crew() {
  for (const auto& [pid, number] : m_at_work) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
}

pid_t Crew::send(const std::function<void(Worker&)>& work) {
  const int number = m_sent++;
  std::cout.flush();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw std::runtime_error("fork");
  }
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      Worker worker(number, m_directory / std::to_string(number), m_settings, m_seed);
      work(worker);
    } catch (const std::exception& error) {
      std::cerr << "worker " << number << ": " << error.what() << std::endl;
      ::_exit(1);
    }
    ::_exit(0);
  }
  m_at_work.emplace(pid, number);
  return pid;
}

void Crew::note_end(pid_t pid, int status) {
  const bool killed = m_killed.contains(pid) && WIFSIGNALED(status);
  EXPECT_TRUE(killed || status == 0) << "worker " << m_at_work[pid] << " ended with status " << status;
  m_at_work.erase(pid);
}

void Crew::wait() {
  while (!m_at_work.empty()) {
    const pid_t pid = m_at_work.begin()->first;
    int status = 0;
    if (::waitpid(pid, &status, 0) == pid) {
      note_end(pid, status);
    }
  }
}

void Crew::look() {
  for (auto it = m_at_work.begin(); it != m_at_work.end();) {
    const pid_t pid = (it++)->first;
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) {
      note_end(pid, status);
    }
  }
}

bool Crew::kill(pid_t pid) {
  look();
  if (!m_at_work.contains(pid)) {
    return false;
  }
  m_killed.insert(pid);
  ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  note_end(pid, status);
  return true;
}

std::vector<Step> Crew::steps() const {
  std::vector<Step> all;
  for (int number = 0; number < m_sent; ++number) {
    const auto path = m_directory / std::to_string(number);
    if (!fs::exists(path)) {
      continue; // killed before its first call
    }
    std::istringstream lines(testing::read_file(path));
    for (std::string text; std::getline(lines, text);) {
      const auto line = Json::parse(text);
      if (line.contains("operation")) {
        all.push_back(
            {.worker = number,
             .operation = line["operation"],
             .parameters = line["parameters"],
             .began = line["began"]});
      } else {
        auto& step = all.back();
        step.ended = line["ended"];
        step.answer = line["answer"];
        step.code = code_named(line["code"]);
        step.message = line["message"];
      }
    }
  }
  std::stable_sort(
      all.begin(), all.end(), [](const Step& one, const Step& other) { return one.began < other.began; });
  return all;
}

std::string why_unexpected(const Step& step) {
  struct Known {
    ErrorCode code;
    const char* fragment;
  };

  static const std::vector<Known> s_known{
      {ErrorCode::bad_state, "must be in 'started' state"},
      {ErrorCode::bad_state, "the workspace was "},
      {ErrorCode::invalid_argument, "does not exist"},
      {ErrorCode::not_found, "does not exist"},
      {ErrorCode::already_exists, "exists already"},
      {ErrorCode::bad_state, "is already running"},
      {ErrorCode::locked, "the lock is held by"}};
  if (!step.failed()) {
    return {};
  }
  const bool known = std::any_of(s_known.begin(), s_known.end(), [&](const Known& one) {
    return one.code == step.code && step.message.find(one.fragment) != std::string::npos;
  });
  return known ? std::string() : step.text();
}

} // namespace pyro::concurrency

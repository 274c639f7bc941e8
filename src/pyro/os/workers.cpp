#include "workers.hpp"

#include "fd.hpp"
#include "process.hpp"

#include <pyro/base/interruption.hpp>
#include <pyro/base/json_access.hpp>

#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <unistd.h>

namespace pyro::os {

namespace {

using Work = std::function<Json(std::size_t)>;

/// Of a child: our parent wants no more pieces begun.
volatile std::sig_atomic_t g_told_to_stop = 0;

void note_stop(int) {
  g_told_to_stop = 1;
}

Error not_done(const std::string& why) {
  return Error(ErrorCode::failed, "{}", why);
}

WorkDone do_one(const Work& work, std::size_t index) {
  try {
    if (g_told_to_stop != 0 || interruption_wanted()) {
      throw interruption_error();
    }
    return {work(index), std::nullopt};
  } catch (const Error& error) {
    return {nullptr, error};
  } catch (const std::exception& error) {
    return {nullptr, Error(ErrorCode::internal, "{}", error.what())};
  }
}

/// Indices come through one pipe that all children read; each answers on its own, a line of JSON for each
/// piece.
[[noreturn]] void be_a_worker(const Work& work, pid_t parent, int indices, int answers) {
  struct sigaction action {};

  action.sa_handler = note_stop;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(1); // it died in between
  }
  try {
    std::uint32_t index = 0;
    while (read_some(indices, std::span(reinterpret_cast<char*>(&index), sizeof(index))).value_or(0) > 0) {
      const auto done = do_one(work, index);
      Json line{{"index", index}, {"result", done.result}};
      if (done.error) {
        line["error"] = to_json(*done.error);
      }
      write_all(answers, line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    }
  } catch (const std::exception&) {
    ::_exit(1);
  }
  ::_exit(0);
}

struct Worker {
  Child child;
  Fd answers;
  std::string rest;
};

void take_lines(std::string& text, std::vector<WorkDone>& all) {
  std::size_t end = 0;
  while ((end = text.find('\n')) != std::string::npos) {
    const auto line = parse_json(text.substr(0, end), "the answer of a worker");
    text.erase(0, end + 1);
    auto& done = all.at(static_cast<std::size_t>(get_int(line, "index")));
    done.result = line.value("result", Json());
    done.error.reset();
    if (line.contains("error")) {
      done.error = error_from_json(line["error"]);
    }
  }
}

/// Reads what there is. False: the worker has ended.
bool take_answers(Worker& worker, std::vector<WorkDone>& all) {
  std::array<char, 16 << 10> buffer{};
  const auto count = read_some(worker.answers.get(), buffer).value_or(0);
  worker.rest.append(buffer.data(), count);
  take_lines(worker.rest, all);
  return count > 0;
}

void collect(std::vector<Worker>& workers, std::vector<WorkDone>& all) {
  bool told = false;
  while (!workers.empty()) {
    std::vector<pollfd> waiting;
    for (const auto& worker : workers) {
      waiting.push_back({worker.answers.get(), POLLIN, 0});
    }
    if (::poll(waiting.data(), waiting.size(), 100) < 0 && errno != EINTR) {
      throw Error::from_errno(errno, "wait for workers");
    }
    if (!told && interruption_wanted()) {
      told = true;
      for (const auto& worker : workers) {
        worker.child.signal(SIGTERM); // its own wish to stop, checked between pieces
      }
    }
    for (std::size_t index = workers.size(); index-- > 0;) {
      const bool has_news = (waiting[index].revents & (POLLIN | POLLHUP)) != 0;
      if (has_news && !take_answers(workers[index], all)) {
        workers[index].child.wait();
        workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(index));
      }
    }
  }
}

} // namespace

std::vector<WorkDone> work_in_children(std::size_t count, std::size_t width, const Work& work) {
  std::vector<WorkDone> all;
  if (width <= 1 || count <= 1) {
    for (std::size_t index = 0; index < count; ++index) {
      all.push_back(do_one(work, index));
    }
    return all;
  }
  all.assign(count, {nullptr, not_done("the process that worked on it died")});
  auto indices = make_pipe();
  std::vector<Worker> workers;
  const pid_t parent = ::getpid();
  for (std::size_t number = 0; number < std::min(width, count); ++number) {
    auto answers = make_pipe();
    const pid_t pid = ::fork();
    if (pid < 0) {
      throw Error::from_errno(errno, "fork");
    }
    if (pid == 0) {
      indices.write_end.reset();
      be_a_worker(work, parent, indices.read_end.get(), answers.write_end.get());
    }
    workers.push_back({Child(pid), std::move(answers.read_end), {}});
  }
  indices.read_end.reset();
  for (std::uint32_t index = 0; index < count; ++index) {
    write_all(
        indices.write_end.get(), std::string_view(reinterpret_cast<const char*>(&index), sizeof(index)));
  }
  indices.write_end.reset();
  collect(workers, all);
  return all;
}

} // namespace pyro::os

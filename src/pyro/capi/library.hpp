// What pyro_open() returns: calls that run, and the end of all of them.
#pragma once

#include <pyro/launcher/launcher.hpp>

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

namespace pyro::capi {

struct LibraryOptions {
  std::string launcher; // path of the program
  operations::CallSettings settings;
};

/// Throws Error(invalid_argument) for what is no options document of pyro_open().
LibraryOptions library_options(std::string_view json);

struct CallWishes {
  std::function<void(const operations::Event&)> on_event; // empty: nobody wants to know
  std::function<bool()> cancelled;                        // polled
};

class Library {
public:
  explicit Library(LibraryOptions options);

  /// Throws Error(bad_state) in a forked child and once close() has begun.
  Json call(const char* operation, const Json& parameters, const CallWishes& wishes);

  /// Cancels calls and waits for their ends. False: this is a forked child, to which nothing here belongs.
  bool close();

private:
  class Running;

  const LibraryOptions m_options;
  const pid_t m_process;
  launcher::Launcher m_launcher;
  std::atomic<bool> m_is_closing = false;
  std::mutex m_mutex; // for all below
  std::condition_variable m_fewer;
  int m_running = 0;
};

} // namespace pyro::capi

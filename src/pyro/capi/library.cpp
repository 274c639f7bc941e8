#include "library.hpp"

#include "launcher_place.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>

#include <system_error>

#include <filesystem>
#include <unistd.h>

namespace pyro::capi {

namespace {

/// Empty where it is no longer there: then paths have to be absolute.
std::string working_directory() {
  std::error_code gone;
  return std::filesystem::current_path(gone).string();
}

std::string absolute_or_empty(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

} // namespace

LibraryOptions library_options(std::string_view json) {
  try {
    const auto document = parse_json(json, "the text of options");
    if (!document.is_object()) {
      throw Error(ErrorCode::invalid_argument, "the options of pyro_open are no object");
    }
    for (const auto& [key, value] : document.items()) {
      if (key != "base" && key != "trust" && key != "lock_timeout" && key != "launcher") {
        throw Error(ErrorCode::invalid_argument, "pyro_open has no option '{}'", key)
            .with_hint("there are base, trust, lock_timeout and launcher");
      }
    }
    LibraryOptions options;
    options.settings.base = absolute_or_empty(string_or(document, "base", ""));
    options.settings.trust_once = bool_or(document, "trust", false);
    if (const auto text = maybe_string(document, "lock_timeout")) {
      options.settings.lock_timeout = parse_duration(*text);
    }
    options.launcher = absolute_or_empty(string_or(document, "launcher", ""));
    if (options.launcher.empty()) {
      options.launcher = launcher_place();
    } else if (::access(options.launcher.c_str(), X_OK) != 0) {
      throw Error(ErrorCode::invalid_argument, "launcher: {} is no program", options.launcher);
    }
    return options;
  } catch (Error& error) {
    throw error.code() == ErrorCode::protocol ? error.with_code(ErrorCode::invalid_argument) : error;
  }
}

/// One more call, as long as it lives.
class Library::Running {
public:
  explicit Running(Library& library) : m_library(library) {
    const std::lock_guard guard(m_library.m_mutex);
    if (m_library.m_is_closing) {
      throw Error(ErrorCode::bad_state, "the library is being closed");
    }
    ++m_library.m_running;
  }

  ~Running() {
    const std::lock_guard guard(m_library.m_mutex);
    --m_library.m_running;
    m_library.m_fewer.notify_all();
  }

  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

private:
  Library& m_library;
};

Library::Library(LibraryOptions options)
    : m_options(std::move(options)), m_process(::getpid()), m_launcher(m_options.launcher) {
}

Json Library::call(const char* operation, const Json& parameters, const CallWishes& wishes) {
  if (::getpid() != m_process) { // before any lock: another thread may have held it when we were forked
    throw Error(ErrorCode::bad_state, "this library was opened by process {}, not by this one", m_process)
        .with_hint("open another one after fork()");
  }
  const Running running(*this);
  operations::Callbacks callbacks;
  callbacks.events = wishes.on_event;
  callbacks.interrupted = [&] {
    return m_is_closing || wishes.cancelled();
  };
  if (callbacks.interrupted()) {
    throw Error(ErrorCode::interrupted, "the call was cancelled before it began");
  }
  auto settings = m_options.settings;
  settings.directory = working_directory();
  settings.stream_output = static_cast<bool>(wishes.on_event);
  return m_launcher.call(operation, parameters, settings, callbacks);
}

bool Library::close() {
  if (::getpid() != m_process) {
    return false;
  }
  m_is_closing = true;
  std::unique_lock lock(m_mutex);
  m_fewer.wait(lock, [this] { return m_running == 0; });
  return true;
}

} // namespace pyro::capi

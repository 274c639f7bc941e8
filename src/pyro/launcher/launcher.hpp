// The process that runs operations for a front with threads (the MCP server, programs with libpyro): forking
// is safe in a process of one thread only, so such a front never does it. `pyro-launcher` is that process; it
// forks once for each call, and what goes wrong there takes down nothing else.
#pragma once

#include <pyro/operations/caller.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/helper_process.hpp>

#include <mutex>
#include <string>

namespace pyro::launcher {

/// Calls operations through a launcher that is started with the first of them, and again where it has ended:
/// always with the variables that there were when the object was made. Any thread may call. A launcher that
/// does not begin a call is given up after a while: that call fails, the next one has another launcher. When
/// the object goes, so does its launcher; no call may be in flight then.
class Launcher : public operations::Caller {
public:
  /// `program` is the path of pyro-launcher.
  explicit Launcher(std::string program);
  ~Launcher() override;

  Json call(
      std::string_view operation, const Json& parameters, const operations::CallSettings& settings,
      const operations::Callbacks& callbacks) override;

private:
  /// The way to the process of one call, and of which launcher that is.
  struct Way {
    os::Fd socket;
    int launcher = 0;
  };

  Way connect();
  void start();
  /// It does not answer: no call is given to it any more.
  void give_up(int launcher);
  void wait_for_begin(const Way& way, const operations::Callbacks& callbacks);

  const std::string m_program;
  const os::Variables m_variables;
  std::mutex m_mutex; // for all below
  int m_launcher = 0; // counts them
  os::Fd m_control;
  os::HelperProcess m_process;
};

} // namespace pyro::launcher

// An engine over answers in memory: the front is exercised whole, without workspaces behind it.
#pragma once

#include <pyro/cli/main.hpp>
#include <pyro/operations/engine.hpp>

#include <deque>
#include <string>
#include <vector>

namespace pyro::cli {

/// What the engine answers and what it saw; lives in the test.
struct World {
  using Answer = std::function<Json(const Json& parameters, const operations::Callbacks& callbacks)>;

  std::map<std::string, Answer> answers; // by operation
  Answer otherwise;                      // to those that are not in there
  std::function<operations::ExecResult(const operations::ExecRequest&, const operations::ExecStreams&)> exec;
  std::function<Json(const operations::ShellAttachRequest&, const operations::ExecStreams&)> shell;
  std::vector<std::pair<std::string, std::string>> log_lines; // service, line
  std::function<void(const std::vector<std::string>&, const operations::ForwardSinks&)> forward;

  std::vector<std::pair<std::string, Json>> calls;
  operations::ExecRequest exec_request;
  operations::ExecStreams exec_streams;
  operations::LogRequest log_request;
  operations::Settings settings;
};

class MemoryEngine : public operations::Engine {
public:
  MemoryEngine(World& world, operations::Callbacks callbacks)
      : m_world(world), m_callbacks(std::move(callbacks)) {}

  Json call(std::string_view operation, const Json& parameters) override {
    m_world.calls.emplace_back(operation, parameters);
    const auto found = m_world.answers.find(std::string(operation));
    return (found != m_world.answers.end() ? found->second : m_world.otherwise)(parameters, m_callbacks);
  }

  operations::ExecResult stream_exec(
      const Json& where, const operations::ExecRequest& request,
      const operations::ExecStreams& streams) override {
    m_world.calls.emplace_back("stream_exec", where);
    m_world.exec_request = request;
    m_world.exec_streams = streams;
    return m_world.exec(request, streams);
  }

  operations::ExecResult stream_vm_exec(
      const Json& vm, const operations::ExecRequest& request,
      const operations::ExecStreams& streams) override {
    m_world.calls.emplace_back("stream_vm_exec", vm);
    m_world.exec_request = request;
    m_world.exec_streams = streams;
    return m_world.exec(request, streams);
  }

  Json attach_shell(
      const Json& where, const operations::ShellAttachRequest& request,
      const operations::ExecStreams& streams) override {
    m_world.calls.emplace_back("attach_shell", where);
    return m_world.shell(request, streams);
  }

  void stream_logs(
      const Json& where, const operations::LogRequest& request, const operations::LineSink& line) override {
    m_world.calls.emplace_back("stream_logs", where);
    m_world.log_request = request;
    for (const auto& [service, text] : m_world.log_lines) {
      line(service, text);
    }
  }

  void forward_ports(
      const Json& where, const std::vector<std::string>& wanted, operations::ForwardSinks sinks) override {
    m_world.calls.emplace_back("forward_ports", where);
    m_world.forward(wanted, sinks);
  }

private:
  World& m_world;
  operations::Callbacks m_callbacks;
};

/// A console of strings and the run of a command line on it.
struct Terminal {
  World world;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> variables;
  std::deque<std::string> typed;
  bool is_terminal = false;
  std::string out;
  std::string err;

  int run(const std::vector<std::string>& words) {
    Console console;
    console.out = [this](std::string_view text) {
      out += text;
    };
    console.err = [this](std::string_view text) {
      err += text;
    };
    console.read_line = [this]() -> std::optional<std::string> {
      if (typed.empty()) {
        return std::nullopt;
      }
      auto line = typed.front();
      typed.pop_front();
      return line;
    };
    console.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
    console.variables = variables;
    console.in_terminal = console.out_terminal = console.err_terminal = is_terminal;
    console.columns = [] {
      return 80;
    };
    console.rows = [] {
      return 5;
    };
    out.clear();
    err.clear();
    world.calls.clear();
    return cli::run(words, console, [this](operations::Settings settings, operations::Callbacks callbacks) {
      world.settings = std::move(settings);
      return std::make_unique<MemoryEngine>(world, std::move(callbacks));
    });
  }
};

} // namespace pyro::cli

// The real agent program, an ordinary process here, at the other end of a socket pair.
#pragma once

#include "../../support/files.hpp"

#include <pyro/os/byte_pump.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/unix_socket.hpp>
#include <pyro/protocol/call.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/protocol/service_requests.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <unistd.h>

namespace pyro::agent {

using protocol::Call;
using protocol::CallEvents;
using protocol::FrameType;
using protocol::ServiceState;
using std::chrono::milliseconds;

/// Everything that came back on one call.
struct Reply {
  std::shared_ptr<Call> call;
  std::string out;
  std::string err;
  std::vector<Json> messages;
  std::optional<Json> result;
  std::optional<Error> error;
  bool reads = true; // false: takes data, but does not give leave for more

  bool is_over() const { return result || error; }

  protocol::ExecResult exec() const { return protocol::exec_result_from_json(result.value()); }
};

class AgentTest : public ::testing::Test {
protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    m_directory = "/dev/shm/pyro-agent-test-" + std::to_string(::getpid());
    std::filesystem::create_directories(m_directory);
    auto [ours, theirs] = os::socket_pair();
    os::Command command;
    command.argv = {
        pyro::testing::binary_dir().string() + "/bin/pyro-agent", "--channel-fd", "3", "--secrets-dir",
        m_directory + "/secrets"};
    command.fds.push_back({3, theirs.get()});
    m_agent = os::spawn(command);
    m_pump.emplace(
        m_loop, std::move(ours),
        os::BytePump::Callbacks{
            [this](std::string_view bytes) { m_session.feed(bytes); },
            [this] { return m_session.take_output(); },
            [this](const Error*) {
              m_session.transport_lost();
            }});
    m_session.on_output([this] { m_pump->wake(); });
  }

  void TearDown() override {
    if (m_pump) { // else SetUp failed, and has said so
      m_pump->close();
      auto outcome = m_agent.wait();
      EXPECT_TRUE(outcome.ok()) << "the agent: " << os::to_string(outcome);
    }
    std::filesystem::remove_all(m_directory);
  }

  std::shared_ptr<Reply> call(std::string_view path, const Json& request) {
    auto reply = std::make_shared<Reply>();
    CallEvents events;
    auto* raw = reply.get();
    events.on_data = [raw](FrameType type, std::string_view bytes) {
      (type == FrameType::data_err ? raw->err : raw->out).append(bytes);
      if (raw->reads) {
        raw->call->consume(bytes.size());
      }
    };
    events.on_message = [raw](const Json& message) {
      raw->messages.push_back(message);
    };
    events.on_result = [raw](const Json& value) {
      raw->result = value;
    };
    events.on_failure = [raw](const Error& value) {
      raw->error = value;
    };
    reply->call = protocol::open_call(m_session, std::string(path), request, std::move(events));
    m_replies.push_back(reply);
    return reply;
  }

  template <typename Predicate>
  bool run_until(Predicate predicate, milliseconds limit = milliseconds(10000)) {
    auto end = os::now_monotonic() + limit;
    while (!predicate()) {
      if (os::now_monotonic() > end) {
        return false;
      }
      m_loop.turn(milliseconds(20));
    }
    return true;
  }

  void run_for(milliseconds time) {
    run_until([] { return false; }, time);
  }

  Json ask(std::string_view path, const Json& request) {
    auto reply = call(path, request);
    EXPECT_TRUE(run_until([&] { return reply->is_over(); })) << path << " was not answered";
    if (reply->error) {
      throw *reply->error;
    }
    return reply->result.value_or(Json::object());
  }

  static Json shell(const std::string& script, Json more = Json::object()) {
    more["argv"] = {"/bin/sh", "-c", script};
    return more;
  }

  std::shared_ptr<Reply> start_exec(const Json& request) { return call(protocol::path::k_exec, request); }

  std::shared_ptr<Reply> exec(const Json& request, milliseconds limit = milliseconds(10000)) {
    auto reply = start_exec(request);
    EXPECT_TRUE(run_until([&] { return reply->is_over(); }, limit)) << request.dump();
    EXPECT_FALSE(reply->error) << (reply->error ? reply->error->what() : "");
    return reply;
  }

  // Services

  protocol::ServicesResult apply_and_wait(const Json& services) {
    ask(protocol::path::k_services_apply, {{"services", services}});
    return protocol::services_result_from_json(ask(protocol::path::k_services_wait, Json::object()));
  }

  protocol::ServiceStatus status(const std::string& name) {
    auto all = protocol::services_result_from_json(ask(protocol::path::k_services_status, Json::object()));
    for (auto& service : all.services) {
      if (service.name == name) {
        return service;
      }
    }
    throw Error(ErrorCode::not_found, "no service {}", name);
  }

  static bool is_running(std::int64_t pid) { return ::kill(static_cast<pid_t>(pid), 0) == 0; }

  std::string m_directory;
  os::EventLoop m_loop;
  os::Child m_agent;
  protocol::Session m_session{protocol::Role::client};
  std::optional<os::BytePump> m_pump;
  std::vector<std::shared_ptr<Reply>> m_replies;
};

} // namespace pyro::agent

// fake-agent --channel-fd N ...: the first process of a sandbox that is in the hands of somebody else.
// Answers as an agent with nothing to tell would, but for the operations of which /workspace/lie says how it
// lies: lines "PATH LIE".
#include <pyro/base/error.hpp>
#include <pyro/os/byte_pump.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/protocol/call.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/protocol/resources.hpp>

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace {

using namespace pyro;
using protocol::Call;
using protocol::FrameType;
using CallPointer = std::shared_ptr<Call>;

int g_channel = 3;

/// An HTTP/2 frame, whatever it says.
std::string frame(unsigned type, unsigned flags, std::uint32_t stream, const std::string& payload) {
  std::string bytes;
  for (const int shift : {16, 8, 0}) {
    bytes += static_cast<char>(payload.size() >> shift & 0xff);
  }
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) {
    bytes += static_cast<char>(stream >> shift & 0xff);
  }
  return bytes + payload;
}

/// Past the session, right into the channel. False: nobody reads any more.
bool write_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(g_channel, bytes.data(), bytes.size());
    if (count < 0 && errno == EAGAIN) {
      pollfd waiting{g_channel, POLLOUT, 0};
      ::poll(&waiting, 1, 1000);
    } else if (count < 0) {
      return false;
    } else {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  return true;
}

void flood(const std::string& bytes) {
  std::string many;
  while (many.size() < (64 << 10)) {
    many += bytes;
  }
  while (write_raw(many)) {
  }
  ::_exit(0);
}

/// Sends `next` whenever there is room, and never an answer.
void send_for_ever(const CallPointer& call, const std::function<bool(Call& call)>& next) {
  protocol::CallEvents events;
  const auto go_on = [call, next] {
    while (next(*call)) {
    }
  };
  events.on_writable = go_on;
  call->set_events(std::move(events));
  go_on();
}

Json service(const std::string& name) {
  return {{"name", name},      {"state", "running"},
          {"pid", 7},          {"started_at", 1.0},
          {"ready_at", 1.0},   {"exit_code", nullptr},
          {"signal", 0},       {"restarts", 0},
          {"stop_reason", ""}, {"reason", ""},
          {"last_probe", ""},  {"definition_digest", ""},
          {"by_hand", false},  {"log_tail", Json::array()}};
}

Json honest_answer(const std::string& path) {
  if (path == protocol::path::k_hello) {
    return protocol::to_json(protocol::Hello{{"exec", "services", "tcp", "freeze"}, "fake", "epoch", 1});
  }
  if (path == protocol::path::k_exec) {
    return protocol::to_json(protocol::ExecResult{});
  }
  if (path == protocol::path::k_resources) {
    protocol::Resources resources;
    resources.whole.memory = MemoryUse{CountedBy::processes, 7, {}, {}, {}};
    return protocol::to_json(resources);
  }
  if (path == protocol::path::k_memory_kills) {
    return {{"count", 0}, {"last", nullptr}};
  }
  if (path.starts_with("/services")) {
    return {{"ok", true}, {"services", Json::array()}};
  }
  return Json::object();
}

constexpr const char* k_sequences = "\x1b]0;owned\x07\x1b[31mred\xc2\x9b"
                                    "31m\xe2\x80\xae";

const std::map<std::string, std::function<void(const CallPointer& call)>>& lies() {
  static const std::map<std::string, std::function<void(const CallPointer& call)>> s_lies{
      {"silent",
       [](const CallPointer& call) {
         static std::vector<CallPointer> s_kept;
         s_kept.push_back(call);
       }},
      {"die",
       [](const CallPointer&) {
         ::_exit(0);
       }},
      {"no_object",
       [](const CallPointer& call) {
         call->finish(Json::array({1, 2}));
       }},
      {"wrong_types",
       [](const CallPointer& call) {
         call->finish(
             {{"protocol_features", 1},
              {"pid", "x"},
              {"services", "none"},
              {"exit_code", "0"},
              {"count", {}},
              {"last", 1},
              {"ok", 1}});
       }},
      {"deep",
       [](const CallPointer& call) {
         Json deep;
         for (int level = 0; level < 5000; ++level) {
           deep = Json::array({std::move(deep)});
         }
         call->finish({{"exit_code", 0}, {"deep", std::move(deep)}});
       }},
      {"sequences",
       [](const CallPointer& call) {
         Error error(ErrorCode::failed, "{}", k_sequences);
         error.add_context(k_sequences);
         error.with_hint(k_sequences).with_output({k_sequences}).at({k_sequences, 1, 1});
         call->fail(error);
       }},
      {"note",
       [](const CallPointer& call) {
         auto result = honest_answer(std::string(protocol::path::k_exec));
         result["exit_code"] = 126;
         result["stderr_note"] = k_sequences + std::string(100'000, 'x');
         call->finish(result);
       }},
      {"huge_code",
       [](const CallPointer& call) {
         auto result = honest_answer(std::string(protocol::path::k_exec));
         result["exit_code"] = std::int64_t{1} << 40;
         result["signal"] = -5;
         result["duration_ms"] = INT64_MIN;
         call->finish(result);
       }},
      {"endless_data",
       [](const CallPointer& call) {
         send_for_ever(
             call, [](Call& to) { return to.send(FrameType::data_out, std::string(32 << 10, '\n')); });
       }},
      {"endless_messages",
       [](const CallPointer& call) {
         send_for_ever(call, [](Call& to) { return to.send(Json{{"service", service("x")}}); });
       }},
      {"services_elsewhere",
       [](const CallPointer& call) {
         call->finish(
             {{"ok", true}, {"services", {service("../../../../../../tmp/pyro-fake-agent-was-here")}}});
       }},
      {"services_many",
       [](const CallPointer& call) {
         Json many = Json::array();
         for (int index = 0; index < 100; ++index) {
           many.push_back(service("s" + std::to_string(index)));
         }
         call->finish({{"ok", true}, {"services", std::move(many)}});
       }},
      {"services_odd",
       [](const CallPointer& call) {
         auto odd = honest_answer(std::string(protocol::path::k_resources));
         odd["services"] = {{k_sequences, pyro::to_json(ResourceUse{})}};
         odd["memory"]["bytes"] = -1;
         call->finish(odd);
       }},
      {"killed_nobody",
       [](const CallPointer& call) {
         call->finish({{"count", 3}, {"last", nullptr}});
       }},
      {"go_away",
       [](const CallPointer& call) {
         static auto s_kept = call;
         // All streams that there are may go on; no more are taken.
         write_raw(frame(7, 0, 0, std::string("\x7f\xff\xff\xff\0\0\0\0", 8)));
       }},
      {"pings",
       [](const CallPointer&) {
         flood(frame(6, 0, 0, "12345678"));
       }},
      {"settings",
       [](const CallPointer&) {
         flood(frame(4, 0, 0, ""));
       }},
      {"rubbish",
       [](const CallPointer&) {
         flood("GET / HTTP/1.1\r\n\r\n");
       }},
      {"half",
       [](const CallPointer& call) {
         static auto s_kept = call;
         write_raw(frame(0, 0, 1, std::string(1000, 'x')).substr(0, 500));
       }},
  };
  return s_lies;
}

std::map<std::string, std::string> told() {
  std::map<std::string, std::string> told;
  std::ifstream file("/workspace/lie");
  for (std::string path, lie; file >> path >> lie;) {
    told[path] = lie;
  }
  return told;
}

void serve() {
  os::EventLoop loop;
  protocol::Session session(protocol::Role::server);
  protocol::Router router;
  const auto lie_for = told();
  std::vector<std::string> paths{
      "/hello",          "/exec",           "/services/apply",   "/services/status", "/services/wait",
      "/services/stop",  "/services/start", "/services/restart", "/services/logs",   "/services/define",
      "/services/ended", "/secrets/put",    "/tcp/connect",      "/freeze",          "/thaw",
      "/sync",           "/clock/set",      "/identity",         "/memory/kills",    "/files/change",
      "/shells/open",    "/shells/list",    "/shells/read",      "/shells/write",    "/shutdown",
      "/resources"};
  for (const auto& path : paths) {
    router.add(path, [&lie_for, path](const CallPointer& call, const Json&) {
      if (const auto found = lie_for.find(path); found != lie_for.end()) {
        lies().at(found->second)(call);
        return;
      }
      call->finish(honest_answer(path));
    });
  }
  router.attach(session);
  os::BytePump pump(
      loop, os::duplicate(g_channel),
      {[&](std::string_view bytes) { session.feed(bytes); }, [&] { return session.take_output(); },
       [&](const Error*) {
         loop.stop();
       }});
  session.on_output([&] { pump.wake(); });
  loop.run();
}

} // namespace

int main(int argc, char** argv) {
  for (int index = 1; index + 1 < argc; ++index) {
    if (std::string_view(argv[index]) == "--channel-fd") {
      g_channel = std::atoi(argv[index + 1]);
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_IGN);
  try {
    serve();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake-agent: %s\n", error.what());
    return 1;
  }
  return 0;
}

// Any bytes as frames, as a connection (either side), as a stream of a good connection, and as requests:
// never a crash, never another exception than Error, never more kept than the limits say. The first byte
// chooses.
#include "../support/require.hpp"

#include <pyro/base/error.hpp>
#include <pyro/protocol/call.hpp>
#include <pyro/protocol/file_change.hpp>
#include <pyro/protocol/proxy.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/protocol/resources.hpp>
#include <pyro/protocol/service_requests.hpp>
#include <pyro/protocol/shell_requests.hpp>

namespace {

using namespace pyro;
using namespace pyro::protocol;

using Frames = std::vector<std::pair<FrameType, std::string>>;

/// Data pieces joined, so that the cut of the input must not matter. False at the end: an error.
std::pair<Frames, bool> decode(std::string_view bytes, std::size_t step) {
  Frames frames;
  FrameDecoder decoder([&](FrameType type, std::string_view payload) {
    require(payload.size() <= (is_data(type) ? k_max_data : k_max_json), "a payload within its limit");
    if (is_data(type) && !frames.empty() && frames.back().first == type) {
      frames.back().second.append(payload);
    } else {
      frames.emplace_back(type, std::string(payload));
    }
  });
  try {
    for (std::size_t i = 0; i < bytes.size(); i += step) {
      decoder.feed(bytes.substr(i, step));
    }
    return {frames, true};
  } catch (const Error& error) {
    require(error.code() == ErrorCode::protocol, "rubbish is a protocol error");
    return {frames, false};
  }
}

/// A router with a call that echoes, one that answers, one that waits.
void fill(Router& router) {
  router.add("/echo", [](auto& call, const Json&) {
    CallEvents events;
    events.on_data = [call](FrameType, std::string_view bytes) {
      call->send(FrameType::data_out, bytes);
      call->consume(bytes.size());
    };
    events.on_message = [call](const Json& message) {
      call->send(message);
    };
    events.on_end_in = [call] {
      call->finish(Json::object());
    };
    call->set_events(std::move(events));
  });
  router.add("/answer", [](auto& call, const Json& request) {
    call->finish(to_json(exec_request_from_json(request)));
  });
  router.add("/wait", [](auto&, const Json&) {});
}

void feed_raw(Session& session, std::string_view bytes) {
  try {
    for (std::size_t i = 0; i < bytes.size() && !session.is_dead(); i += 100) {
      session.feed(bytes.substr(i, 100));
      require(session.take_output(1 << 20).size() < (4U << 20), "bounded output");
      require(session.open_streams() <= k_max_streams, "bounded streams");
    }
  } catch (const Error&) {
    require(session.is_dead(), "a session that complained is dead");
    require(session.open_streams() == 0, "and has no streams");
  }
  session.transport_lost();
  require(session.open_streams() == 0, "a lost connection ends every call");
}

void feed_stream(std::string_view bytes) {
  Router router;
  fill(router);
  Session agent(Role::server);
  router.attach(agent);
  Session upstream(Role::client);
  Router front;
  front.add_prefix("/agent/", [&](Stream stream, const std::string& path) {
    return proxy_stream(stream, upstream, path.substr(6));
  });
  Session server(Role::server);
  front.attach(server);
  Session client(Role::client);
  int closed = 0;
  StreamEvents events;
  events.on_close = [&](CloseReason) {
    ++closed;
  };
  auto stream = client.open(bytes.size() % 2 ? "/agent/echo" : "/agent/answer", events);
  stream.send(bytes);
  stream.finish();
  bool talking = true;
  for (int i = 0; i < 1000 && talking; ++i) {
    talking = false;
    for (auto [one, other] :
         {std::pair(&client, &server), std::pair(&server, &client), std::pair(&upstream, &agent),
          std::pair(&agent, &upstream)}) {
      auto output = one->take_output();
      talking = talking || !output.empty();
      other->feed(output);
    }
  }
  require(!talking, "peace in the end");
  require(closed == 1, "whatever was sent is answered");
  require(agent.open_streams() == 0 && server.open_streams() == 0, "nothing is left");
}

template <typename Function>
void attempt(Function function) {
  try {
    function();
  } catch (const Error&) {
  }
}

void parse_shell_messages(const Json& value) {
  attempt([&] {
    const auto open = shell_open_from_json(value);
    require(to_json(shell_open_from_json(to_json(open))) == to_json(open), "a shell's request round trips");
  });
  attempt([&] { shell_status_from_json(value); });
  attempt([&] { shell_list_from_json(value); });
  attempt([&] { shell_read_from_json(value); });
  attempt([&] { shell_read_result_from_json(value); });
  attempt([&] {
    const auto write = shell_write_from_json(value);
    require(shell_write_from_json(to_json(write)).data == write.data, "what is typed arrives");
  });
  attempt([&] { shell_attach_from_json(value); });
}

void parse_file_messages(const Json& value) {
  attempt([&] { file_change_request_from_json(value); });
  attempt([&] { file_change_result_from_json(value); });
  attempt([&] {
    const auto record = record_from_json(value);
    const auto bytes = encode_record(record);
    require(record_length(bytes.substr(0, 4)) == bytes.size() - 4, "a header says how long it is");
    const auto again = record_from_json(parse_json(bytes.substr(4), "fuzz"));
    require(again.path == record.path && again.target == record.target, "names are bytes");
    require(again.kind == record.kind && again.size == record.size, "a record round trips");
  });
}

void parse_requests(std::string_view text) {
  Json value;
  try {
    value = parse_json(text, "fuzz");
  } catch (const Error&) {
    return;
  }
  attempt([&] { exec_request_from_json(value); });
  attempt([&] { exec_result_from_json(value); });
  attempt([&] { hello_from_json(value); });
  attempt([&] { secret_put_from_json(value); });
  attempt([&] { tcp_connect_from_json(value); });
  attempt([&] { identity_from_json(value); });
  attempt([&] { clock_set_from_json(value); });
  attempt([&] { shutdown_from_json(value); });
  attempt([&] {
    auto apply = services_apply_from_json(value);
    require(to_json(services_apply_from_json(to_json(apply))) == to_json(apply), "definitions round trip");
  });
  attempt([&] { services_result_from_json(value); });
  attempt([&] { services_wait_from_json(value); });
  attempt([&] { services_select_from_json(value); });
  attempt([&] { services_logs_from_json(value); });
  attempt([&] { services_define_from_json(value); });
  attempt([&] { services_ended_from_json(value); });
  attempt([&] { service_status_from_json(value); });
  attempt([&] { terminal_size_from_json(value); });
  attempt([&] {
    const auto resources = resources_from_json(value);
    require(to_json(resources_from_json(to_json(resources))) == to_json(resources), "figures round trip");
  });
  parse_shell_messages(value);
  parse_file_messages(value);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
  case 0:
    attempt([&] { require(record_length(bytes.substr(0, 4)) <= k_max_record, "headers are bounded"); });
    require(decode(bytes, 1) == decode(bytes, 4096), "frames do not depend on how they are cut");
    break;
  case 1: {
    Router router;
    fill(router);
    Session server(Role::server);
    router.attach(server);
    feed_raw(server, bytes);
    break;
  }
  case 2: {
    Session client(Role::client);
    open_call(client, "/a", Json::object(), {})->send(FrameType::data_in, "x");
    client.open("/b", {});
    feed_raw(client, bytes);
    break;
  }
  case 3:
    feed_stream(bytes);
    break;
  default:
    parse_requests(bytes);
  }
  return 0;
}

#include "wire.hpp"

#include <pyro/protocol/proxy.hpp>

#include <gtest/gtest.h>

namespace pyro::protocol {
namespace {

struct Answer {
  std::optional<Json> result;
  std::optional<Error> error;
  std::string out;
  std::vector<Json> messages;

  CallEvents events() {
    CallEvents events;
    events.on_message = [this](const Json& message) {
      messages.push_back(message);
    };
    events.on_result = [this](const Json& value) {
      result = value;
    };
    events.on_failure = [this](const Error& value) {
      error = value;
    };
    return events;
  }
};

TEST(Call, AsksAndIsAnswered) {
  Wire wire;
  Router router;
  router.add("/double", [](auto& call, const Json& request) {
    call->send(Json{{"working", true}});
    call->finish({{"value", get_int(request, "value") * 2}});
  });
  router.attach(wire.server);
  Answer answer;
  auto call = open_call(wire.client, "/double", {{"value", 21}}, answer.events());
  EXPECT_TRUE(call->is_open());
  wire.run();
  ASSERT_TRUE(answer.result);
  EXPECT_EQ(get_int(*answer.result, "value"), 42);
  ASSERT_EQ(answer.messages.size(), 1U);
  EXPECT_FALSE(call->is_open());
  EXPECT_EQ(wire.client.open_streams(), 0U);
  EXPECT_EQ(wire.server.open_streams(), 0U);
}

TEST(Call, ManyInQuickSuccessionAreNoAttack) {
  Wire wire;
  Router router;
  router.add("/echo", [](auto& call, const Json& request) { call->finish(request); });
  router.attach(wire.server);
  for (int count = 0; count < 20'000; ++count) {
    Answer answer;
    auto call = open_call(wire.client, "/echo", {{"count", count}}, answer.events());
    wire.run();
    ASSERT_TRUE(answer.result) << "after " << count << " calls";
  }
}

TEST(Call, CarriesErrorsWhole) {
  Wire wire;
  Router router;
  router.add("/fail", [](auto&, const Json&) {
    throw Error(ErrorCode::not_found, "no such {}", "thing").with_hint("look elsewhere");
  });
  router.attach(wire.server);
  Answer answer;
  open_call(wire.client, "/fail", Json::object(), answer.events());
  wire.run();
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code(), ErrorCode::not_found);
  EXPECT_EQ(answer.error->message(), "no such thing");
  EXPECT_EQ(answer.error->hint(), "look elsewhere");
}

TEST(Call, UnknownOperationIsAnError) {
  Wire wire;
  Router router;
  router.attach(wire.server);
  Answer answer;
  open_call(wire.client, "/nothing", Json::object(), answer.events());
  wire.run();
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code(), ErrorCode::not_found);
}

TEST(Call, StreamsBothWaysWithBackpressure) {
  Wire wire;
  Router router;
  router.add("/echo", [](auto& call, const Json&) {
    CallEvents events;
    auto held = std::make_shared<std::size_t>(0);
    events.on_data = [call, held](FrameType, std::string_view bytes) {
      if (call->send(FrameType::data_out, bytes)) {
        call->consume(bytes.size());
      } else {
        *held += bytes.size();
      }
    };
    events.on_writable = [call, held] {
      call->consume(std::exchange(*held, 0));
    };
    events.on_end_in = [call] {
      call->finish({{"done", true}});
    };
    call->set_events(std::move(events));
  });
  router.attach(wire.server);

  constexpr std::size_t k_total = 3 << 20;
  std::size_t sent = 0;
  std::size_t most_queued = 0;
  Answer answer;
  std::shared_ptr<Call> call;
  auto push = [&] {
    while (sent < k_total) {
      sent += 10000;
      if (!call->send(FrameType::data_in, std::string(10000, 'e'))) {
        return;
      }
    }
    call->end_in();
  };
  auto events = answer.events();
  std::size_t received = 0;
  events.on_data = [&](FrameType type, std::string_view bytes) {
    EXPECT_EQ(type, FrameType::data_out);
    received += bytes.size();
    most_queued = std::max(most_queued, sent - received);
    call->consume(bytes.size());
  };
  events.on_writable = push;
  call = open_call(wire.client, "/echo", Json::object(), std::move(events));
  push();
  EXPECT_TRUE(wire.run());
  EXPECT_EQ(received, sent);
  EXPECT_GE(received, k_total);
  EXPECT_TRUE(answer.result);
  EXPECT_LT(most_queued, 4 * (k_stream_window + k_high_water));
}

TEST(Call, AnswerWaitsForUnreadData) {
  Wire wire;
  Router router;
  router.add("/big", [](auto& call, const Json&) {
    for (int i = 0; i < 10; ++i) {
      call->send(FrameType::data_out, std::string(k_max_data, 'b'));
    }
    call->finish({});
  });
  router.attach(wire.server);
  Answer answer;
  std::size_t received = 0;
  auto events = answer.events();
  events.on_data = [&](FrameType, std::string_view bytes) {
    received += bytes.size();
  };
  auto call = open_call(wire.client, "/big", Json::object(), std::move(events));
  wire.run();
  EXPECT_FALSE(answer.result);
  EXPECT_LE(received, k_stream_window);
  std::size_t given_back = 0;
  while (given_back < received) {
    call->consume(received - std::exchange(given_back, received));
    wire.run();
  }
  EXPECT_EQ(received, 10 * k_max_data);
  EXPECT_TRUE(answer.result);
}

TEST(Call, CancelTellsTheServerAndNobodyElse) {
  Wire wire;
  Router router;
  int gone = 0;
  router.add("/wait", [&](auto& call, const Json&) {
    CallEvents events;
    events.on_gone = [&gone, call] {
      ++gone;
    };
    call->set_events(std::move(events));
  });
  router.attach(wire.server);
  Answer answer;
  auto call = open_call(wire.client, "/wait", Json::object(), answer.events());
  wire.run();
  EXPECT_EQ(gone, 0);
  call->cancel();
  wire.run();
  EXPECT_EQ(gone, 1);
  EXPECT_FALSE(answer.result);
  EXPECT_FALSE(answer.error);
}

TEST(Call, LostConnectionIsAFailureOnceOnEachSide) {
  Wire wire;
  Router router;
  int gone = 0;
  router.add("/wait", [&](auto& call, const Json&) {
    CallEvents events;
    events.on_gone = [&gone] {
      ++gone;
    };
    call->set_events(std::move(events));
  });
  router.attach(wire.server);
  Answer answer;
  open_call(wire.client, "/wait", Json::object(), answer.events());
  wire.run();
  wire.client.transport_lost();
  wire.server.transport_lost();
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code(), ErrorCode::unavailable);
  EXPECT_EQ(gone, 1);
}

TEST(Call, BadRequestsFailJustTheirCall) {
  Wire wire;
  Router router;
  router.add("/ok", [](auto& call, const Json&) { call->finish({{"ok", true}}); });
  router.attach(wire.server);
  std::string got;
  StreamEvents events;
  events.on_data = [&](std::string_view bytes) {
    got.append(bytes);
  };
  for (auto& bytes :
       {encode_frame(FrameType::json, "{nonsense"), encode_frame(FrameType::data_in, "early"),
        std::string("\xff\xff\xff\xff\xff", 5), encode_frame(FrameType::json, std::string(100000, '['))}) {
    got.clear();
    auto stream = wire.client.open("/ok", events);
    stream.send(bytes);
    wire.run();
    EXPECT_NE(got.find("\"code\":\"protocol\""), std::string::npos) << got;
  }
  Answer answer;
  open_call(wire.client, "/ok", Json::object(), answer.events());
  wire.run();
  EXPECT_TRUE(answer.result);
}

struct ProxyWire {
  Wire front; // client to supervisor
  Wire back;  // supervisor (its client side) to agent
  Router supervisor;
  Router agent;

  ProxyWire() {
    supervisor.add_prefix("/agent/", [this](Stream stream, const std::string& path) {
      return proxy_stream(stream, back.client, path.substr(6));
    });
    supervisor.attach(front.server);
    agent.attach(back.server);
  }

  void run() {
    for (std::size_t before = 1; before != front.carried + back.carried;) {
      before = front.carried + back.carried;
      front.run();
      back.run();
    }
  }
};

TEST(Proxy, PassesCallsThrough) {
  ProxyWire wire;
  wire.agent.add("/add", [](auto& call, const Json& request) {
    CallEvents events;
    events.on_data = [call](FrameType, std::string_view bytes) {
      call->send(FrameType::data_err, bytes);
      call->consume(bytes.size());
    };
    events.on_end_in = [call, request] {
      call->finish({{"sum", get_int(request, "a") + get_int(request, "b")}});
    };
    call->set_events(std::move(events));
  });
  Answer answer;
  auto events = answer.events();
  std::shared_ptr<Call> call;
  events.on_data = [&](FrameType, std::string_view bytes) {
    answer.out.append(bytes);
    call->consume(bytes.size());
  };
  call = open_call(wire.front.client, "/agent/add", {{"a", 1}, {"b", 2}}, std::move(events));
  call->send(FrameType::data_in, std::string(500000, 'p'));
  call->end_in();
  wire.run();
  ASSERT_TRUE(answer.result);
  EXPECT_EQ(get_int(*answer.result, "sum"), 3);
  EXPECT_EQ(answer.out.size(), 500000U);
  EXPECT_EQ(wire.back.server.open_streams(), 0U);
  EXPECT_EQ(wire.back.client.open_streams(), 0U);
  EXPECT_EQ(wire.front.server.open_streams(), 0U);
}

TEST(Proxy, BoundsWhatItHoldsForASlowReader) {
  ProxyWire wire;
  std::shared_ptr<Call> agent_call;
  std::size_t produced = 0;
  wire.agent.add("/flood", [&](auto& call, const Json&) {
    agent_call = call;
    CallEvents events;
    auto flood = [&produced, call] {
      while (produced < (16 << 20)) {
        produced += k_max_data;
        if (!call->send(FrameType::data_out, std::string(k_max_data, 'f'))) {
          return;
        }
      }
      call->finish({});
    };
    events.on_writable = flood;
    call->set_events(std::move(events));
    flood();
  });
  Answer answer;
  auto events = answer.events();
  std::size_t received = 0;
  std::size_t unread = 0;
  events.on_data = [&](FrameType, std::string_view bytes) {
    received += bytes.size();
    unread += bytes.size();
  };
  auto call = open_call(wire.front.client, "/agent/flood", {}, std::move(events));
  wire.run();
  EXPECT_LT(produced, 8 * k_stream_window) << "nobody reads, yet the sender goes on";
  while (!answer.result && unread > 0) {
    call->consume(std::exchange(unread, 0));
    wire.run();
  }
  EXPECT_TRUE(answer.result);
  EXPECT_EQ(received, produced);
}

TEST(Proxy, PassesCancelAndLossOn) {
  ProxyWire wire;
  int gone = 0;
  wire.agent.add("/wait", [&](auto& call, const Json&) {
    CallEvents events;
    events.on_gone = [&gone] {
      ++gone;
    };
    call->set_events(std::move(events));
  });
  Answer first;
  auto call = open_call(wire.front.client, "/agent/wait", {}, first.events());
  wire.run();
  call->cancel();
  wire.run();
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(wire.back.client.open_streams(), 0U);

  Answer second;
  open_call(wire.front.client, "/agent/wait", {}, second.events());
  wire.run();
  wire.back.client.transport_lost();
  wire.front.run();
  ASSERT_TRUE(second.error);
  EXPECT_EQ(second.error->code(), ErrorCode::unavailable);
  EXPECT_NE(second.error->message().find("lost"), std::string::npos);

  Answer third;
  open_call(wire.front.client, "/agent/wait", {}, third.events());
  wire.front.run();
  ASSERT_TRUE(third.error);
  EXPECT_EQ(third.error->code(), ErrorCode::unavailable);
}

} // namespace
} // namespace pyro::protocol

#include "wire.hpp"

#include <pyro/protocol/session.hpp>

#include <gtest/gtest.h>

namespace pyro::protocol {
namespace {

TEST(Session, CarriesARequestAndItsAnswer) {
  Wire wire;
  std::string seen_path;
  std::string request;
  bool request_ended = false;
  wire.server.on_request([&](Stream stream, const std::string& path) {
    seen_path = path;
    StreamEvents events;
    events.on_data = [&, stream](std::string_view bytes) mutable {
      request.append(bytes);
      stream.consume(bytes.size());
    };
    events.on_end = [&, stream]() mutable {
      request_ended = true;
      stream.send("world");
      stream.finish();
    };
    return events;
  });
  std::string answer;
  CloseReason reason = CloseReason::lost;
  StreamEvents events;
  events.on_data = [&](std::string_view bytes) {
    answer.append(bytes);
  };
  events.on_close = [&](CloseReason why) {
    reason = why;
  };
  auto stream = wire.client.open("/x/y", std::move(events));
  stream.send("hello");
  stream.finish();
  EXPECT_TRUE(wire.run());
  EXPECT_EQ(seen_path, "/x/y");
  EXPECT_EQ(request, "hello");
  EXPECT_TRUE(request_ended);
  EXPECT_EQ(answer, "world");
  EXPECT_EQ(reason, CloseReason::finished);
  EXPECT_FALSE(stream.is_open());
  EXPECT_EQ(wire.server.open_streams(), 0U);
}

TEST(Session, SlowReaderHoldsBackJustItsOwnSender) {
  Wire wire;
  std::map<std::string, std::size_t> received;
  std::vector<Stream> streams;
  wire.server.on_request([&](Stream stream, const std::string& path) {
    StreamEvents events;
    events.on_data = [&received, path, stream](std::string_view bytes) mutable {
      received[path] += bytes.size();
      if (path == "/fast") {
        stream.consume(bytes.size());
      }
    };
    streams.push_back(stream);
    return events;
  });
  std::string megabyte(1 << 20, 'x');
  auto slow = wire.client.open("/slow", {});
  auto fast = wire.client.open("/fast", {});
  EXPECT_FALSE(slow.send(megabyte));
  EXPECT_FALSE(fast.send(megabyte));
  wire.run();
  EXPECT_EQ(received["/fast"], megabyte.size());
  EXPECT_LE(received["/slow"], k_stream_window);
  EXPECT_GT(received["/slow"], 0U);
  EXPECT_EQ(fast.queued(), 0U);
  EXPECT_EQ(slow.queued(), megabyte.size() - received["/slow"]);
  // Once it reads, the rest comes.
  for (int i = 0; i < 100 && received["/slow"] < megabyte.size(); ++i) {
    streams[0].consume(k_stream_window);
    wire.run();
  }
  EXPECT_EQ(received["/slow"], megabyte.size());
}

TEST(Session, ManySlowReadersDoNotUseUpTheConnection) {
  Wire wire;
  std::size_t received = 0;
  wire.server.on_request([&](Stream stream, const std::string& path) {
    StreamEvents events;
    events.on_data = [&received, path, stream](std::string_view bytes) mutable {
      if (path == "/fast") {
        received += bytes.size();
        stream.consume(bytes.size());
      }
    };
    return events;
  });
  std::vector<Stream> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(wire.client.open("/slow", {}));
    slow.back().send(std::string(k_stream_window, 's'));
  }
  wire.run();
  auto fast = wire.client.open("/fast", {});
  fast.send(std::string(1 << 20, 'f'));
  wire.run();
  EXPECT_EQ(received, std::size_t(1) << 20);
}

TEST(Session, TellsTheSenderWhenItMayGoOn) {
  Wire wire;
  wire.server.on_request([&](Stream stream, const std::string&) {
    StreamEvents events;
    events.on_data = [stream](std::string_view bytes) mutable {
      stream.consume(bytes.size());
    };
    return events;
  });
  int writable = 0;
  StreamEvents events;
  events.on_writable = [&] {
    ++writable;
  };
  auto stream = wire.client.open("/a", std::move(events));
  EXPECT_TRUE(stream.send("small"));
  wire.run();
  EXPECT_EQ(writable, 0);
  EXPECT_FALSE(stream.send(std::string(k_high_water, 'x')));
  wire.run();
  EXPECT_EQ(writable, 1);
}

TEST(Session, CancelReachesTheOtherSideOnceAndIsSilentHere) {
  Wire wire;
  std::vector<CloseReason> server_saw;
  int client_saw = 0;
  wire.server.on_request([&](Stream, const std::string&) {
    StreamEvents events;
    events.on_close = [&](CloseReason reason) {
      server_saw.push_back(reason);
    };
    return events;
  });
  StreamEvents events;
  events.on_close = [&](CloseReason) {
    ++client_saw;
  };
  auto stream = wire.client.open("/a", std::move(events));
  wire.run();
  stream.cancel();
  stream.cancel();
  EXPECT_TRUE(stream.send("ignored"));
  wire.run();
  ASSERT_EQ(server_saw.size(), 1U);
  EXPECT_EQ(server_saw[0], CloseReason::cancelled);
  EXPECT_EQ(client_saw, 0);
}

TEST(Session, CancelBeforeTheRequestWasSent) {
  Wire wire;
  int requests = 0;
  wire.server.on_request([&](Stream, const std::string&) {
    ++requests;
    return StreamEvents{};
  });
  auto stream = wire.client.open("/a", {});
  stream.cancel();
  EXPECT_TRUE(wire.run());
  EXPECT_EQ(requests, 0);
  EXPECT_EQ(wire.server.open_streams(), 0U);
  auto second = wire.client.open("/b", {});
  wire.run();
  EXPECT_EQ(requests, 1);
}

TEST(Session, LosesEveryStreamWithTheTransport) {
  Wire wire;
  wire.server.on_request([](Stream, const std::string&) { return StreamEvents{}; });
  int lost = 0;
  StreamEvents events;
  events.on_close = [&](CloseReason reason) {
    lost += reason == CloseReason::lost ? 1 : 0;
  };
  wire.client.open("/a", events);
  wire.client.open("/b", events);
  wire.run();
  wire.client.transport_lost();
  EXPECT_EQ(lost, 2);
  EXPECT_TRUE(wire.client.is_dead());
  EXPECT_THROW(wire.client.open("/c", {}), Error);
}

TEST(Session, RefusesMoreStreamsThanTheLimit) {
  Wire wire;
  wire.server.on_request([](Stream, const std::string&) { return StreamEvents{}; });
  for (std::size_t i = 0; i < k_max_streams; ++i) {
    wire.client.open("/a", {});
  }
  EXPECT_THROW(wire.client.open("/a", {}), Error);
  wire.run();
  EXPECT_EQ(wire.server.open_streams(), k_max_streams);
}

TEST(Session, DiesOfRubbish) {
  Wire wire;
  wire.run();
  int lost = 0;
  StreamEvents events;
  events.on_close = [&](CloseReason reason) {
    lost += reason == CloseReason::lost ? 1 : 0;
  };
  wire.client.open("/a", events);
  try {
    Session server(Role::server);
    server.feed("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n");
    server.take_output();
    FAIL() << "rubbish was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::protocol);
  }
  EXPECT_THROW((wire.client.feed("HTTP/1.1 200 OK\r\n\r\n"), wire.client.take_output()), Error);
  EXPECT_TRUE(wire.client.is_dead());
  EXPECT_FALSE(wire.client.want_write());
  EXPECT_EQ(lost, 1);
}

TEST(Session, DiesOfAFrameThatIsTooLarge) {
  Wire wire;
  wire.run();
  std::string frame{"\x7f\xff\xff\x00\x00\x00\x00\x00\x01", 9};
  EXPECT_THROW((wire.server.feed(frame), wire.server.take_output()), Error);
  EXPECT_TRUE(wire.server.is_dead());
}

TEST(Session, ACallbackThatThrowsEndsTheSessionNotTheProgram) {
  Wire wire;
  wire.server.on_request([&](Stream, const std::string&) {
    StreamEvents events;
    events.on_data = [](std::string_view) {
      throw Error(ErrorCode::failed, "not today");
    };
    return events;
  });
  auto stream = wire.client.open("/a", {});
  stream.send("x");
  EXPECT_THROW(wire.run(), Error);
  EXPECT_TRUE(wire.server.is_dead());
}

TEST(Session, AHandlerThatThrowsEndsJustItsStream) {
  Wire wire;
  wire.server.on_request([&](Stream, const std::string& path) {
    if (path == "/bad") {
      throw Error(ErrorCode::failed, "not this one");
    }
    return StreamEvents{};
  });
  int closed = 0;
  StreamEvents events;
  events.on_close = [&](CloseReason) {
    ++closed;
  };
  wire.client.open("/bad", events);
  auto good = wire.client.open("/good", {});
  wire.run();
  EXPECT_EQ(closed, 1);
  EXPECT_TRUE(good.is_open());
}

TEST(Session, HandlesOutliveTheSession) {
  Stream stream;
  {
    Session session(Role::client);
    stream = session.open("/a", {});
    EXPECT_TRUE(stream.is_open());
  }
  EXPECT_FALSE(stream.is_open());
  EXPECT_TRUE(stream.send("x"));
  stream.consume(3);
  stream.finish();
  stream.cancel();
}

} // namespace
} // namespace pyro::protocol

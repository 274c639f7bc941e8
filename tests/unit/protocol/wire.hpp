// Two sessions with nothing but memory between them.
#pragma once

#include <pyro/protocol/call.hpp>

#include <string>

namespace pyro::protocol {

/// Carries bytes between a client and a server until neither has more to say.
struct Wire {
  Session client{Role::client};
  Session server{Role::server};
  std::size_t carried = 0;

  /// At most `rounds` exchanges; false when they still talk.
  bool run(int rounds = 10000) { return carry(client, server, rounds); }

  bool carry(Session& one, Session& other, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      auto there = one.take_output();
      auto back = other.take_output();
      carried += there.size() + back.size();
      if (there.empty() && back.empty()) {
        return true;
      }
      other.feed(there);
      one.feed(back);
    }
    return false;
  }
};

} // namespace pyro::protocol

// Who is refused: told why in its own language, and let go.
#pragma once

#include "refusal.hpp"

#include <optional>
#include <string>

namespace pyro::gateway {

class RefusedClient {
public:
  enum class State {
    waiting, // for what it says, or until it has read what it is told
    ended,
    gone, // or there is nothing to tell it: it sees its connection break
  };

  /// `language`: where it is known already.
  RefusedClient(int socket, Language language, RefusalKind kind, std::string reason);

  /// As far as it goes now.
  State step();

private:
  bool learn_language();
  State drain();

  int m_socket;
  Language m_language;
  RefusalKind m_kind;
  std::string m_reason;
  std::string m_heard; // to learn what it speaks
  bool m_is_at_end = false;
  std::optional<std::string> m_answer; // what of it is not sent yet
};

} // namespace pyro::gateway

// The secrets that a sandbox was given in its life, in the memory of its supervisor and nowhere else; those
// of the sandboxes before it are noted by whoever started it (docs/decisions/0052).
#pragma once

#include <pyro/base/redactor.hpp>
#include <pyro/protocol/call.hpp>
#include <pyro/protocol/secret_notes.hpp>

#include <memory>
#include <set>
#include <vector>

namespace pyro::supervisor {

class SecretNotes {
public:
  /// /secrets/note and /secrets/follow.
  void add_operations(protocol::Router& router);

  /// Who follows is told at once.
  void note(const protocol::SecretNote& note);

  Redactor redactor() const;

private:
  using CallPointer = std::shared_ptr<protocol::Call>;

  void follow(const CallPointer& call, bool on_and_on);
  void forget_oldest();

  std::vector<protocol::SecretNote> m_notes; // oldest first, no two alike
  std::set<CallPointer> m_followers;
};

} // namespace pyro::supervisor

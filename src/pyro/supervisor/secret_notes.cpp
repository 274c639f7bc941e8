#include "secret_notes.hpp"

#include <algorithm>

namespace pyro::supervisor {

namespace {

constexpr std::size_t k_most_bytes = 64 << 20; // of a secret that is changed again and again

void send(const std::shared_ptr<protocol::Call>& call, const protocol::SecretNote& note) {
  for (const auto& frame : protocol::frames_of(note)) {
    call->send(frame);
  }
}

} // namespace

void SecretNotes::add_operations(protocol::Router& router) {
  router.add(std::string(protocol::path::k_secrets_note), [this](const auto& call, const Json& request) {
    note(protocol::secret_note_from_json(request));
    call->finish(Json::object());
  });
  router.add(std::string(protocol::path::k_secrets_follow), [this](const auto& call, const Json& request) {
    follow(call, bool_or(request, "follow", false));
  });
}

void SecretNotes::note(const protocol::SecretNote& note) {
  std::erase(m_notes, note); // back in use: the last one again
  m_notes.push_back(note);
  forget_oldest();
  for (const auto& call : m_followers) {
    send(call, note);
  }
}

Redactor SecretNotes::redactor() const {
  NamedValues values;
  for (const auto& note : m_notes) {
    values.emplace_back(note.name, note.value);
  }
  return Redactor(values);
}

void SecretNotes::forget_oldest() {
  std::size_t bytes = 0;
  auto kept = m_notes.rbegin();
  while (kept != m_notes.rend() && (bytes += kept->value.size()) <= k_most_bytes) {
    ++kept;
  }
  m_notes.erase(m_notes.begin(), kept.base());
}

void SecretNotes::follow(const CallPointer& call, bool on_and_on) {
  for (const auto& note : m_notes) {
    send(call, note);
  }
  call->send(Json{{"all", true}});
  if (!on_and_on) {
    call->finish(Json::object());
    return;
  }
  m_followers.insert(call);
  protocol::CallEvents events;
  events.on_gone = [this, weak = std::weak_ptr(call)] {
    m_followers.erase(weak.lock());
  };
  call->set_events(std::move(events));
}

} // namespace pyro::supervisor

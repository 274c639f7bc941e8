#include "delivered_secrets.hpp"

#include "ask_if_running.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/spec/applied_spec.hpp>

namespace pyro::workspace {

namespace {

constexpr std::chrono::seconds k_limit{5}; // it has them at hand

bool is_older_supervisor(const Error& error) {
  return error.code() == ErrorCode::not_found;
}

/// Declared ones by the recorded spec.
std::optional<std::string> recorded_secret(const store::WorkspaceRecord& record, const std::string& name) {
  const auto secrets = spec::applied_spec(record.spec).secrets;
  const auto found = secrets.find(name);
  if (found == secrets.end() || found->second.source == spec::SecretSource::command) {
    return std::nullopt; // a command is not run just to look for its output
  }
  try {
    return declared_secret(found->second, record.checkout);
  } catch (const Error&) {
    return std::nullopt; // what lies there now was never delivered
  }
}

/// Those given by hand are kept on disk as well, and may be about to be delivered.
NamedValues with_kept(const store::WorkspacePaths& paths) {
  const auto kept = kept_secrets(paths);
  return {kept.begin(), kept.end()};
}

} // namespace

KnownSecrets secrets_at_hand(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  auto values = kept_secrets(paths);
  bool complete = true;
  for (const auto& name : record.secrets) {
    if (values.contains(name)) {
      continue;
    }
    if (auto value = recorded_secret(record, name)) {
      values[name] = std::move(*value);
    } else {
      complete = false;
    }
  }
  return {Redactor(values), complete};
}

std::optional<SecretNotes> delivered_secrets(backend::ControlClient& client) {
  SecretNotes notes;
  protocol::SecretNoteReader reader;
  try {
    client.call(
        std::string(protocol::path::k_secrets_follow), {{"follow", false}}, k_limit, [&](const Json& frame) {
          auto note = frame.contains("all") ? std::nullopt : reader.add(frame);
          if (note) {
            notes.push_back(std::move(*note));
          }
        });
  } catch (const Error& error) {
    if (is_older_supervisor(error)) {
      return std::nullopt;
    }
    throw;
  }
  return notes;
}

std::optional<SecretNotes> delivered_secrets_if_any(const store::WorkspacePaths& paths) {
  return ask_if_running(paths.control_socket(), delivered_secrets);
}

void note_secrets(backend::ControlClient& client, const SecretNotes& notes) {
  for (const auto& note : notes) {
    client.call(std::string(protocol::path::k_secrets_note), protocol::to_json(note));
  }
}

SecretValues values_in_use(const SecretNotes& notes) {
  SecretValues values;
  for (const auto& note : notes) {
    values[note.name] = note.value;
  }
  return values;
}

ProjectSecrets secrets_of(const Context& context, const LoadedProject& project, const std::string& id) {
  std::optional<SecretNotes> notes;
  try {
    notes = id.empty() ? std::nullopt : delivered_secrets_if_any(store::WorkspacePaths(context.base, id));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::timeout) {
      throw;
    } // it hangs, and is ended by who wants to
  }
  return {context, project, notes ? std::optional(values_in_use(*notes)) : std::nullopt};
}

KnownSecrets known_secrets(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  const auto notes = delivered_secrets_if_any(paths);
  if (!notes) {
    return secrets_at_hand(paths, record);
  }
  auto values = with_kept(paths);
  for (const auto& note : *notes) {
    values.emplace_back(note.name, note.value);
  }
  return {Redactor(values), true};
}

Redactor redactor_of(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  return known_secrets(paths, record).redactor;
}

LiveRedactor::LiveRedactor(
    backend::ControlClient& client, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record)
    : m_client(client), m_at_hand([&paths, &record] { return secrets_at_hand(paths, record); }),
      m_values(with_kept(paths)) {
  protocol::CallEvents events;
  events.on_message = [this](const Json& frame) {
    learn(frame);
  };
  events.on_failure = [this](const Error& error) {
    m_failure = error;
  };
  m_call = client.open(std::string(protocol::path::k_secrets_follow), {{"follow", true}}, std::move(events));
}

void LiveRedactor::await() {
  const auto deadline = os::now_monotonic() + k_limit;
  while (!m_has_all && !m_failure) {
    m_client.loop().turn(std::chrono::milliseconds(100));
    if (os::now_monotonic() > deadline) {
      throw Error(ErrorCode::timeout, "the sandbox's supervisor does not answer");
    }
  }
  if (!m_has_all && !is_older_supervisor(*m_failure)) {
    throw *m_failure;
  }
  if (!m_has_all) {
    m_known = m_at_hand();
  }
}

LiveRedactor::~LiveRedactor() {
  m_call->cancel();
}

void LiveRedactor::learn(const Json& frame) {
  if (frame.contains("all")) {
    m_has_all = true;
  } else if (const auto note = m_reader.add(frame)) {
    m_values.emplace_back(note->name, note->value);
  }
  if (m_has_all) {
    m_known.redactor = Redactor(m_values);
  }
}

} // namespace pyro::workspace

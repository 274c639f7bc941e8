// The secrets that a running sandbox was given, as its supervisor knows them, and the redactor made of them:
// who shows what a sandbox says need not have the secrets at hand (docs/decisions/0052).
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/base/redactor.hpp>
#include <pyro/protocol/secret_notes.hpp>
#include <pyro/workspace/context/project_secrets.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace pyro::workspace {

/// Of this sandbox and those before it, oldest first.
using SecretNotes = std::vector<protocol::SecretNote>;

/// nullopt: the sandbox was started by an older pyro, whose supervisor does not know.
std::optional<SecretNotes> delivered_secrets(backend::ControlClient& client);
/// The same where a sandbox may run; nullopt also: none does, or it has just ended.
std::optional<SecretNotes> delivered_secrets_if_any(const store::WorkspacePaths& paths);

/// Hands on what earlier sandboxes of the workspace were given, or what its steps were.
void note_secrets(backend::ControlClient& client, const SecretNotes& notes);

/// The values in use.
SecretValues values_in_use(const SecretNotes& notes);

/// The project's, with those in use in the workspace of that id (empty: there is none yet).
ProjectSecrets secrets_of(const Context& context, const LoadedProject& project, const std::string& id);

struct KnownSecrets {
  Redactor redactor;
  bool complete = true; // false: what was given is not known in whole, so output must not be kept
};

/// Of a sandbox that nobody can ask: the kept ones, and the declared ones that this process can read.
KnownSecrets secrets_at_hand(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

/// Takes out what the sandbox was given. Where nobody can tell: the kept secrets, and the declared ones that
/// this process can read (no command is run for it).
KnownSecrets known_secrets(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);
/// The redactor alone, for what is only shown.
Redactor redactor_of(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

/// For whoever listens to a sandbox for a while: learns of secrets that are delivered meanwhile, on the
/// client's loop. What it is to be taken out of may be asked for right after, at the same time; await()
/// comes before that is used.
class LiveRedactor {
public:
  LiveRedactor(
      backend::ControlClient& client, const store::WorkspacePaths& paths,
      const store::WorkspaceRecord& record);
  ~LiveRedactor();
  LiveRedactor(const LiveRedactor&) = delete;
  LiveRedactor& operator=(const LiveRedactor&) = delete;

  /// Until all are known that were delivered before. Throws Error where they cannot be.
  void await();

  /// The same object for as long as this lives: a RedactedStream over it learns as well.
  const Redactor& now() const { return m_known.redactor; }

  bool complete() const { return m_known.complete; }

private:
  void learn(const Json& frame);

  backend::ControlClient& m_client;
  std::function<KnownSecrets()> m_at_hand;
  NamedValues m_values;
  KnownSecrets m_known;
  protocol::SecretNoteReader m_reader;
  bool m_has_all = false;
  std::optional<Error> m_failure;
  std::shared_ptr<protocol::Call> m_call;
};

} // namespace pyro::workspace

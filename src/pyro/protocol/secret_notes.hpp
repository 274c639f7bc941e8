// What a supervisor knows of the secrets that its sandbox was given, for those who take them out of what the
// sandbox says (docs/decisions/0052). Operations of the control socket; the agent knows nothing of them. A
// secret is given by the agent's /secrets/put (requests.hpp), which the supervisor notes as it passes.
#pragma once

#include <pyro/base/json_access.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::protocol {

namespace path {
inline constexpr std::string_view k_secrets_note = "/secrets/note";
inline constexpr std::string_view k_secrets_follow = "/secrets/follow";
inline constexpr std::string_view k_requests_secrets = "/requests/secrets"; // supervisor/supervisor.hpp
} // namespace path

/// One value of a secret. Of those with one name the last is the one that is in use.
struct SecretNote {
  std::string name;
  std::string value;

  bool operator==(const SecretNote&) const = default;
};

/// /secrets/note → {}: values that are to be taken out as well, though they are not delivered here.
Json to_json(const SecretNote& value); // {name, value in base64}
SecretNote secret_note_from_json(const Json& value);

/// /secrets/follow {follow: bool}: the frames of every note, oldest first, then {"all": true}; with `follow`
/// then those of each new one, before the sandbox has it, until the caller is gone; else the result {}.
std::vector<Json> frames_of(const SecretNote& note);

/// The other way: a long value comes in several frames.
class SecretNoteReader {
public:
  /// nullopt: not whole yet. Throws Error(protocol) for what is no frame of a note.
  std::optional<SecretNote> add(const Json& frame);

private:
  SecretNote m_note;
};

} // namespace pyro::protocol

// What a running sandbox says of itself, all asked at once over one connection: its agent by paths that begin
// with "/agent", its supervisor by others.
#pragma once

#include "delivered_secrets.hpp"

#include <pyro/backend/control_client.hpp>
#include <pyro/base/error.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

namespace inquiry {
inline constexpr std::string_view k_status = "/status";
inline constexpr std::string_view k_use = "/resources";
inline constexpr std::string_view k_hosts = "/network/hosts";
inline constexpr std::string_view k_services = "/agent/services/status";
inline constexpr std::string_view k_kills = "/agent/memory/kills";
inline constexpr std::string_view k_use_inside = "/agent/resources";
} // namespace inquiry

using Questions = std::vector<std::string_view>; // of those

class SandboxAnswers {
public:
  /// Of a workspace that is not started nobody is asked.
  SandboxAnswers(
      const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const Questions& questions);

  /// Was there somebody to ask?
  bool is_there() const { return !m_answers.empty(); }

  /// nullopt: nobody is there, it has ended meanwhile, or was not asked that. Throws the Error that was
  /// answered instead, and Error(timeout) of one that hangs.
  std::optional<Json> maybe(std::string_view question) const;

  /// Takes out what the sandbox was given, of what it has answered.
  const Redactor& redactor() const;

  /// On the monotonic clock.
  std::chrono::milliseconds at() const { return m_at; }

private:
  std::map<std::string, backend::ControlClient::Answer, std::less<>> m_answers;
  KnownSecrets m_secrets;
  std::optional<Error> m_without_secrets;
  std::chrono::milliseconds m_at{0};
};

} // namespace pyro::workspace

#include "sandbox_answers.hpp"

#include <pyro/os/clock.hpp>

namespace pyro::workspace {

namespace {

constexpr std::chrono::seconds k_answers_within{15}; // who runs answers at once, however busy its machine

} // namespace

SandboxAnswers::SandboxAnswers(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const Questions& questions) {
  const auto client = record.state == store::WorkspaceState::started
                          ? backend::ControlClient::connect(paths.control_socket())
                          : nullptr;
  if (client) {
    try {
      LiveRedactor secrets(*client, paths, record);
      auto answers = client->call_all({questions.begin(), questions.end()}, k_answers_within);
      for (std::size_t index = 0; index < questions.size(); ++index) {
        m_answers.emplace(questions[index], std::move(answers[index]));
      }
      secrets.await();
      m_secrets = {secrets.now(), secrets.complete()};
    } catch (const Error& error) {
      if (error.code() == ErrorCode::interrupted) {
        throw;
      }
      m_without_secrets = error;
    }
  }
  if (m_without_secrets && m_without_secrets->code() == ErrorCode::bad_state) { // it has just ended
    m_secrets = secrets_at_hand(paths, record);
    m_without_secrets.reset();
  }
  m_at = os::now_monotonic();
}

std::optional<Json> SandboxAnswers::maybe(std::string_view question) const {
  const auto found = m_answers.find(question);
  if (found == m_answers.end()) {
    return std::nullopt;
  }
  const auto& [result, failure] = found->second;
  if (failure && failure->code() != ErrorCode::bad_state) {
    throw *failure;
  }
  return result;
}

const Redactor& SandboxAnswers::redactor() const {
  if (m_without_secrets) {
    throw *m_without_secrets;
  }
  return m_secrets.redactor;
}

} // namespace pyro::workspace

#include "calls.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/utc.hpp>

#include <algorithm>
#include <random>
#include <thread>

namespace pyro::mcp {

namespace {

constexpr int k_most_running = 128;
constexpr std::chrono::hours k_kept_for{1};
constexpr std::chrono::milliseconds k_look{20};

/// Nobody guesses the id of another's call.
std::string random_id() {
  std::random_device device;
  std::string id = "call-";
  for (int part = 0; part < 4; ++part) {
    id += fmt::format("{:08x}", device());
  }
  return id;
}

using std::chrono::system_clock;

system_clock::time_point time_of(double epoch) {
  return system_clock::time_point(
      std::chrono::duration_cast<system_clock::duration>(std::chrono::duration<double>(epoch)));
}

double epoch_of(system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

} // namespace

Call::Call(std::string id, std::string operation)
    : m_id(std::move(id)), m_operation(std::move(operation)), m_began(system_clock::now()) {
}

Call::Call(std::string id, KeptCall ended)
    : m_id(std::move(id)), m_operation(std::move(ended.operation)), m_began(time_of(ended.began)),
      m_changed(time_of(ended.ended)), m_outcome(std::move(ended.outcome)) {
}

std::string Call::began_at() const {
  return format_utc(m_began);
}

std::string Call::changed_at() const {
  const std::lock_guard guard(m_mutex);
  return format_utc(m_changed);
}

std::chrono::milliseconds Call::kept_for() const {
  const std::lock_guard guard(m_mutex);
  const auto end = m_outcome ? m_changed : std::chrono::system_clock::now();
  return std::chrono::duration_cast<std::chrono::milliseconds>(end - m_began + k_kept_for);
}

std::string Call::last_line() const {
  const std::lock_guard guard(m_mutex);
  return m_last_line;
}

std::optional<CallOutcome>
Call::wait_for(std::chrono::milliseconds patience, const std::function<bool()>& enough) const {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(m_mutex);
  while (!m_outcome && std::chrono::steady_clock::now() < end && !(enough && enough())) {
    m_done.wait_until(lock, enough ? std::min(end, std::chrono::steady_clock::now() + k_look) : end);
  }
  return m_outcome;
}

bool Call::is_forgotten_at(std::chrono::system_clock::time_point time) const {
  const std::lock_guard guard(m_mutex);
  return m_outcome && m_changed + k_kept_for < time;
}

void Call::note(const std::string& line) {
  const std::lock_guard guard(m_mutex);
  m_last_line = line;
  m_changed = std::chrono::system_clock::now();
}

void Call::finish(CallOutcome outcome) {
  const std::lock_guard guard(m_mutex);
  m_outcome = std::move(outcome);
  m_changed = std::chrono::system_clock::now();
  m_done.notify_all();
}

Calls::Calls(
    operations::Caller& caller, operations::CallSettings settings, std::function<std::string()> directory)
    : m_caller(caller), m_settings(std::move(settings)), m_files(std::move(directory)) {
}

Calls::~Calls() {
  m_is_stopping = true;
  std::unique_lock lock(m_mutex);
  m_fewer.wait(lock, [this] { return m_running == 0; });
}

std::shared_ptr<Call> Calls::begin(std::string operation, Json parameters, ProgressSink progress) {
  const std::lock_guard guard(m_mutex);
  if (m_running >= k_most_running) {
    throw Error(ErrorCode::unavailable, "{} calls run already, as many as may", m_running)
        .with_hint("wait for one of them");
  }
  auto call = std::make_shared<Call>(random_id(), std::move(operation));
  std::thread([this, call, parameters = std::move(parameters), progress = std::move(progress)] {
    run(call, parameters, progress);
    const std::lock_guard inner(m_mutex);
    --m_running;
    m_fewer.notify_all();
  }).detach();
  ++m_running;
  return call;
}

void Calls::run(const std::shared_ptr<Call>& call, const Json& parameters, const ProgressSink& progress) {
  operations::Callbacks callbacks;
  callbacks.events = [&](const operations::Event& event) {
    call->note(event.text);
    if (progress) {
      progress(event);
    }
  };
  callbacks.interrupted = [&] {
    return call->is_cancelled() || m_is_stopping;
  };
  CallOutcome outcome;
  try {
    outcome = {true, m_caller.call(call->operation(), parameters, m_settings, callbacks), false};
  } catch (const Error& error) {
    outcome = {false, to_json(error), error.code() == ErrorCode::interrupted};
  } catch (const std::exception& error) {
    outcome = {false, to_json(Error(ErrorCode::internal, "{}", error.what())), false};
  }
  outcome.cancelled = outcome.cancelled || call->is_cancelled();
  call->finish(outcome);
  m_files.end(call->id(), outcome);
}

void Calls::forget_old() {
  const auto now = std::chrono::system_clock::now();
  std::erase_if(m_kept, [&](const auto& kept) { return kept.second->is_forgotten_at(now); });
}

void Calls::keep(const std::shared_ptr<Call>& call) {
  {
    const std::lock_guard guard(m_mutex);
    forget_old();
    m_kept.emplace(call->id(), call);
  }
  m_files.begin(call->id(), call->operation(), epoch_of(call->m_began));
  if (const auto outcome = call->wait_for({})) { // it ended before there was a file
    m_files.end(call->id(), *outcome);
  }
}

std::shared_ptr<Call> Calls::find(const std::string& id) const {
  {
    const std::lock_guard guard(m_mutex);
    if (const auto found = m_kept.find(id); found != m_kept.end()) {
      return found->second;
    }
  }
  auto ended = m_files.find(id);
  return ended ? std::make_shared<Call>(id, std::move(*ended)) : nullptr;
}

bool Calls::stop(std::chrono::milliseconds patience) {
  m_is_stopping = true;
  std::unique_lock lock(m_mutex);
  return m_fewer.wait_for(lock, patience, [this] { return m_running == 0; });
}

} // namespace pyro::mcp

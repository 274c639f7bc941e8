#include "subscriptions.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace pyro::mcp {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t k_most_of_one = 64;
constexpr std::size_t k_most_of_all = 256;
constexpr int k_most_readings = 4;
constexpr milliseconds k_interval{1'000};
constexpr int k_rest = 20; // times as long as a reading took
constexpr milliseconds k_poll{20};
constexpr milliseconds k_look_at_clients{200};

/// What could not be read for a reason that says nothing of the resource.
bool says_nothing(const CallOutcome& outcome) {
  if (outcome.ok) {
    return false;
  }
  switch (error_from_json(outcome.value).code()) {
  case ErrorCode::interrupted:
  case ErrorCode::unavailable:
  case ErrorCode::locked:
  case ErrorCode::timeout:
  case ErrorCode::internal:
  case ErrorCode::io:
    return true;
  default:
    return false;
  }
}

/// Without what is another at each reading although nothing has happened: when the disk was looked at, what
/// is taken of the machine just now, and what clocks make of a time by the microsecond.
Json lasting(const Json& value) {
  if (value.is_number_float()) {
    return std::llround(value.get<double>() * 10);
  }
  if (!value.is_structured()) {
    return value;
  }
  if (value.is_object() && value.contains("counted_by")) {
    return nullptr;
  }
  auto copy = value;
  if (copy.is_object()) {
    copy.erase("looked_at");
  }
  for (auto& inner : copy) {
    inner = lasting(inner);
  }
  return copy;
}

std::string digest_of(const CallOutcome& outcome) {
  return sha256_of(lasting(outcome.value).dump(-1, ' ', false, Json::error_handler_t::replace));
}

} // namespace

Subscriptions::Subscriptions(Calls& calls, std::string project_path)
    : m_calls(calls), m_project_path(std::move(project_path)) {
}

Subscriptions::~Subscriptions() {
  end({});
  if (m_watcher.joinable()) {
    m_watcher.join();
  }
}

void Subscriptions::add(Subscriber subscriber) {
  const std::lock_guard guard(m_mutex);
  std::size_t of_one = subscriber.uris.size();
  std::size_t of_all = of_one;
  for (const auto& other : m_listening) {
    of_all += other.who.uris.size();
    of_one += other.who.owner == subscriber.owner ? other.who.uris.size() : 0;
  }
  if (m_is_over || of_one > k_most_of_one || of_all > k_most_of_all) {
    throw Error(
        ErrorCode::unavailable, "there are too many subscriptions: {} of a client, {} of all are the most",
        k_most_of_one, k_most_of_all);
  }
  for (const auto& uri : subscriber.uris) {
    if (auto read = read_of_resource(uri, m_project_path)) {
      m_watched.try_emplace(uri, Watched{std::move(*read), {}, {}, {}, Clock::now()});
    }
  }
  m_listening.push_back({std::move(subscriber)});
  if (!m_watcher.joinable()) {
    m_is_running = true;
    m_watcher = std::thread([this] { run(); });
  }
  m_changed.notify_all();
}

void Subscriptions::remove(const void* owner, const std::string& uri) {
  const std::lock_guard guard(m_mutex);
  std::erase_if(m_listening, [&](const Listening& one) {
    return one.who.owner == owner && one.who.uris == std::set<std::string>{uri};
  });
  forget_unheard();
}

void Subscriptions::look_now() {
  const std::lock_guard guard(m_mutex);
  for (auto& [uri, watched] : m_watched) {
    watched.due = Clock::now();
    watched.again = true;
  }
  m_changed.notify_all();
}

bool Subscriptions::end(milliseconds patience) {
  std::unique_lock lock(m_mutex);
  m_is_over = true;
  m_changed.notify_all();
  return m_changed.wait_for(lock, patience, [this] { return !m_is_running; });
}

void Subscriptions::forget_unheard() {
  std::erase_if(m_watched, [&](const auto& watched) {
    return std::none_of(m_listening.begin(), m_listening.end(), [&](const Listening& one) {
      return one.who.uris.contains(watched.first);
    });
  });
}

void Subscriptions::drop_gone(Actions& actions) {
  std::erase_if(m_listening, [&](const Listening& one) {
    const bool is_gone = one.who.is_gone();
    if (is_gone) {
      actions.push_back(one.who.end);
    }
    return is_gone;
  });
  forget_unheard();
}

void Subscriptions::take(
    const std::string& uri, Watched& watched, const CallOutcome& outcome, Actions& actions) {
  const auto now = Clock::now();
  watched.due = now + std::max<Clock::duration>(k_interval, k_rest * (now - watched.began));
  if (std::exchange(watched.again, false)) {
    watched.due = now;
  }
  if (watched.digest && says_nothing(outcome)) {
    return;
  }
  auto digest = digest_of(outcome);
  const bool is_other = watched.digest && *watched.digest != digest;
  watched.digest = std::move(digest);
  for (const auto& one : m_listening) {
    if (is_other && one.has_begun && one.who.uris.contains(uri)) {
      actions.push_back([changed = one.who.changed, uri] { changed(uri); });
    }
  }
}

/// True: some are being read.
bool Subscriptions::read_all(Actions& actions) {
  int readings = 0;
  for (auto& [uri, watched] : m_watched) {
    if (!watched.reading) {
      continue;
    }
    if (const auto outcome = watched.reading->wait_for({})) {
      watched.reading.reset();
      take(uri, watched, *outcome, actions);
    } else {
      ++readings;
    }
  }
  for (auto& [uri, watched] : m_watched) {
    if (watched.reading || watched.due > Clock::now() || readings >= k_most_readings) {
      continue;
    }
    try {
      watched.again = false;
      watched.began = Clock::now();
      watched.reading = m_calls.begin(watched.read.operation, watched.read.parameters, {});
      ++readings;
    } catch (const Error&) { // as many calls run as may: later
      watched.due = Clock::now() + k_interval;
    }
  }
  return readings > 0;
}

void Subscriptions::begin_complete(Actions& actions) {
  for (auto& one : m_listening) {
    const auto is_known = [&](const std::string& uri) {
      const auto found = m_watched.find(uri);
      return found == m_watched.end() || found->second.digest;
    };
    if (!one.has_begun && std::all_of(one.who.uris.begin(), one.who.uris.end(), is_known)) {
      one.has_begun = true;
      actions.push_back(std::exchange(one.who.begin, {})); // what it holds goes with it
    }
  }
}

Subscriptions::Clock::time_point Subscriptions::next_look() const {
  auto next = Clock::now() + k_look_at_clients;
  for (const auto& [uri, watched] : m_watched) {
    next = std::min<Clock::time_point>(next, watched.due);
  }
  return next;
}

void Subscriptions::run() {
  std::unique_lock lock(m_mutex);
  while (!m_is_over) {
    Actions actions;
    drop_gone(actions);
    const bool reads = read_all(actions);
    begin_complete(actions);
    if (!actions.empty()) {
      lock.unlock();
      for (const auto& action : actions) {
        action();
      }
      lock.lock();
    } else if (m_listening.empty()) {
      m_changed.wait(lock, [this] { return m_is_over || !m_listening.empty(); });
    } else {
      m_changed.wait_until(lock, reads ? Clock::now() + k_poll : next_look());
    }
  }
  const auto all = std::exchange(m_listening, {});
  lock.unlock();
  for (const auto& one : all) {
    one.who.end();
  }
  lock.lock();
  m_is_running = false;
  m_changed.notify_all();
}

} // namespace pyro::mcp

#include "journal.hpp"

#include "layout.hpp"
#include "records.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace pyro::store {

namespace {

Json to_json(const JournalRecord& record) {
  Json steps = Json::array();
  for (const JournalStep& step : record.steps) {
    steps.push_back({{"name", step.name}, {"data", step.data}});
  }
  return {
      {"layout_version", k_layout_version},
      {"op_id", record.op_id},
      {"operation", record.operation},
      {"holder",
       {{"pid", record.holder.pid},
        {"start_time", record.holder.start_time},
        {"boot_id", record.holder.boot_id}}},
      {"started_at", record.started_at},
      {"intent", record.intent},
      {"steps", std::move(steps)}};
}

JournalRecord journal_from_json(const Json& value) {
  check_layout_version(value, "journal");
  JournalRecord record;
  record.op_id = get_string(value, "op_id");
  record.operation = get_string(value, "operation");
  const Json& holder = value_at(value, "holder");
  record.holder = {
      static_cast<pid_t>(get_int(holder, "pid")), static_cast<std::uint64_t>(get_int(holder, "start_time")),
      get_string(holder, "boot_id")};
  record.started_at = get_double(value, "started_at");
  const auto intent = value.find("intent");
  record.intent = intent == value.end() ? Json() : *intent;
  const Json& steps = value_at(value, "steps");
  if (!steps.is_array()) {
    throw Error(ErrorCode::protocol, "\"steps\" must be an array");
  }
  for (const Json& step : steps) {
    const auto data = step.find("data");
    record.steps.push_back({get_string(step, "name"), data == step.end() ? Json() : *data});
  }
  return record;
}

os::ProcessId ourselves() {
  return os::process_id_of(getpid()).value_or(os::ProcessId{getpid(), 0, ""});
}

} // namespace

bool JournalRecord::has(std::string_view step) const {
  return std::any_of(
      steps.begin(), steps.end(), [step](const JournalStep& done) { return done.name == step; });
}

Journal::Journal(std::string path, JournalRecord record, os::Durable durable)
    : m_path(std::move(path)), m_record(std::move(record)), m_durable(durable) {
}

Journal
Journal::begin(const std::string& path, const std::string& operation, Json intent, os::Durable durable) {
  if (os::exists(path)) {
    throw Error(ErrorCode::bad_state, "another operation is not finished yet: {}", path)
        .with_hint("run the command again: it first recovers what was interrupted");
  }
  Journal journal(
      path, JournalRecord{os::random_hex(8), operation, ourselves(), os::now_epoch(), std::move(intent), {}},
      durable);
  journal.write();
  return journal;
}

Journal Journal::resume(const std::string& path, JournalRecord record, os::Durable durable) {
  record.holder = ourselves();
  Journal journal(path, std::move(record), durable);
  journal.write();
  return journal;
}

std::optional<JournalRecord> Journal::pending(const std::string& path) {
  const auto text = os::maybe_read_file(path);
  if (!text) {
    return std::nullopt;
  }
  try {
    return journal_from_json(parse_json(*text, "journal"));
  } catch (Error& error) {
    throw error.add_context("while reading the journal " + path);
  }
}

void Journal::close(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw Error::from_errno(errno, "remove the journal " + path);
  }
  os::sync_directory(path.substr(0, path.rfind('/')));
}

void Journal::step(const std::string& name, Json data) {
  m_record.steps.push_back({name, std::move(data)});
  write();
}

void Journal::commit() {
  if (unlink(m_path.c_str()) != 0 && errno != ENOENT) {
    throw Error::from_errno(errno, "remove the journal " + m_path);
  }
  os::crash_point("journal.done");
  if (m_durable == os::Durable::yes) {
    os::sync_directory(m_path.substr(0, m_path.rfind('/')));
  }
}

void Journal::write() const {
  os::write_json_atomically(m_path, to_json(m_record), m_durable);
}

} // namespace pyro::store

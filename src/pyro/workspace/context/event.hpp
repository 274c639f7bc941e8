// What is told while something is done, and how it goes from one process to another.
#pragma once

#include <pyro/base/json_access.hpp>

#include <functional>
#include <string>

namespace pyro::workspace {

/// One line of progress. kind: action_start, action_progress, action_complete, action_error, log (a line of a
/// step's output), probe, waiting (for a lock), note, plan (of apply, once, before its first action and
/// before `ask`: text is the plan for people, data its document).
struct Event {
  std::string kind;
  std::string address; // "environment.setup.deps", "services.db", "" for the whole
  std::string text;    // one line for people
  Json data;           // the same for machines; may be null
};

using EventSink = std::function<void(const Event&)>;

/// {"kind", "address", "text", "data"}, and back: what is left out is empty.
Json to_json(const Event& event);
Event event_from_json(const Json& value);

} // namespace pyro::workspace

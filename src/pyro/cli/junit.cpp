#include "junit.hpp"

#include "render_parts.hpp"

#include <pyro/base/safe_text.hpp>

#include <fmt/format.h>

#include <vector>

namespace pyro::cli {

namespace {

constexpr std::size_t k_log_lines = 50;

enum class Outcome { passed, failed, skipped };

struct Case {
  std::string group; // "setup", "services"
  std::string name;
  Outcome outcome = Outcome::passed;
  std::int64_t duration_ms = 0;
  std::string message; // why it failed or was skipped
  std::string detail;
  std::string output;
};

/// Text or attribute: markup as entities, and no character that XML does not have.
std::string xml(std::string_view text) {
  std::string result;
  for (const char c : escape_lines(to_utf8(text))) {
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    case '\n':
      result += "&#10;";
      break;
    default:
      result += c;
    }
  }
  return result;
}

std::string case_text(const Case& one) {
  auto text = fmt::format(
      "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n", xml(one.group), xml(one.name),
      static_cast<double>(one.duration_ms) / 1000.0);
  if (one.outcome == Outcome::failed) {
    text += fmt::format("      <failure message=\"{}\">{}</failure>\n", xml(one.message), xml(one.detail));
  } else if (one.outcome == Outcome::skipped) {
    text += fmt::format("      <skipped message=\"{}\"/>\n", xml(one.message));
  }
  if (!one.output.empty()) {
    text += fmt::format("      <system-out>{}</system-out>\n", xml(one.output));
  }
  return text + "    </testcase>\n";
}

std::string suite_text(const std::string& name, const std::vector<Case>& cases) {
  std::size_t failed = 0;
  std::size_t skipped = 0;
  std::int64_t duration = 0;
  std::string body;
  for (const auto& one : cases) {
    failed += one.outcome == Outcome::failed ? 1 : 0;
    skipped += one.outcome == Outcome::skipped ? 1 : 0;
    duration += one.duration_ms;
    body += case_text(one);
  }
  const auto counts = fmt::format(
      "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3f}\"", cases.size(), failed,
      skipped, static_cast<double>(duration) / 1000.0);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"pyro\" {0}>\n  <testsuite name=\"{1}\" "
      "{0}>\n{2}  </testsuite>\n</testsuites>\n",
      counts, xml(name), body);
}

std::string group_of(const std::string& address) {
  const auto dot = address.rfind('.');
  return dot == std::string::npos ? "workspace" : address.substr(0, dot);
}

std::string place_text(const Json& position) {
  return fmt::format(
      "{}:{}:{}", string_or(position, "file", ""), int_or(position, "line", 0),
      int_or(position, "column", 0));
}

std::string joined(const std::deque<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) {
    text += line + "\n";
  }
  return text;
}

std::string detail_of(const Error& error) {
  std::string text = error.position() ? to_string(*error.position()) + "\n" : "";
  for (const auto& line : error.output()) {
    text += line + "\n";
  }
  for (const auto& context : error.context()) {
    text += context + "\n";
  }
  return error.hint().empty() ? text : fmt::format("{}hint: {}\n", text, error.hint());
}

/// A service as it was found in the end.
Case case_of_service(const Json& service) {
  Case one{"services", string_or(service, "name", "")};
  const auto state = string_or(service, "state", "");
  const auto started = epoch_at(service, "started_at");
  const auto ready = epoch_at(service, "ready_at");
  one.duration_ms = ready > started && started > 0 ? static_cast<std::int64_t>((ready - started) * 1000) : 0;
  one.outcome = state == "failed" || state == "exited" ? Outcome::failed : Outcome::passed;
  one.message = fmt::format("{}: {}", state, string_or(service, "reason", ""));
  one.output = state;
  for (const auto& line : list_at(service, "log_tail")) {
    one.output += "\n" + (line.is_string() ? line.get<std::string>() : "");
  }
  return one;
}

} // namespace

std::string junit_of_validation(const Json& validation) {
  const auto file = string_or(validation, "file", "pyro.yaml");
  std::vector<Case> cases;
  std::string warnings;
  for (const auto& diagnostic : list_at(validation, "diagnostics")) {
    const auto place = place_text(value_at(diagnostic, "position"));
    const auto message = string_or(diagnostic, "message", "");
    const auto address = string_or(diagnostic, "address", "");
    const auto hint = string_or(diagnostic, "hint", "");
    if (string_or(diagnostic, "severity", "error") == "error") {
      cases.push_back(
          {file, fmt::format("{} {}", place, address), Outcome::failed, 0, message,
           hint.empty() ? place : place + "\n" + hint, ""});
    } else {
      warnings += fmt::format("{}: {}: {}\n", place, address, message);
    }
  }
  if (cases.empty()) {
    cases.push_back({file, "valid", Outcome::passed, 0, "", "", warnings});
  }
  return suite_text("pyro validate", cases);
}

std::string junit_of_verification(const Json& found) {
  std::map<std::string, Case> cases;
  for (const auto& [address, key] : value_at(found, "links").items()) {
    cases[address] = {"verify", address, Outcome::passed, 0, "", "", ""};
  }
  std::map<std::string, std::int64_t> counts;
  for (const auto& file : list_at(found, "differing")) {
    const auto step = string_or(file, "step", "");
    auto& one = cases.try_emplace(step, Case{"verify", step}).first->second;
    one.outcome = Outcome::failed;
    one.message = fmt::format("{} of two builds differed", ++counts[step]);
    one.detail += fmt::format(
        "{} {} ({})\n", string_or(file, "status", ""), string_or(file, "path", ""),
        string_or(file, "class", ""));
  }
  std::vector<Case> all;
  for (auto& [address, one] : cases) {
    all.push_back(std::move(one));
  }
  return suite_text(string_or(found, "name", "pyro verify"), all);
}

void JunitProgress::handle(const operations::Event& event) {
  const std::scoped_lock lock(m_mutex);
  if (event.kind == "plan") {
    m_plan_was_shown = true;
    m_plan = event.data.is_object() ? event.data : Json::object();
    return;
  }
  auto& seen = m_seen[event.address];
  if (event.kind == "action_start") {
    seen.has_begun = true;
  } else if (event.kind == "action_complete") {
    seen.has_ended = true;
    seen.duration_ms = event.data.is_object() ? int_or(event.data, "duration_ms", 0) : 0;
  } else if (event.kind == "action_error") {
    seen.has_ended = true;
    seen.failure = failure_or_text(event);
  } else if (event.kind == "log" || event.kind == "note" || event.kind == "probe") {
    seen.log.push_back(event.text);
    if (seen.log.size() > k_log_lines) {
      seen.log.pop_front();
    }
  }
}

std::string
JunitProgress::document(const std::string& suite, const Json& services, const Error* failure) const {
  const std::scoped_lock lock(m_mutex);
  std::vector<Case> cases;
  bool is_told = failure == nullptr;
  for (const auto& action : list_at(m_plan, "actions")) {
    const auto address = string_or(action, "address", "");
    const auto kind = string_or(action, "action", "");
    Case one{group_of(address), address};
    one.output = kind;
    if (const auto seen = m_seen.find(address); seen != m_seen.end()) {
      const auto& what = seen->second;
      one.duration_ms = what.duration_ms;
      one.output += "\n" + joined(what.log);
      const bool is_cut_off = failure != nullptr && what.has_begun && !what.has_ended;
      if (!what.failure.empty() || is_cut_off) {
        one.outcome = Outcome::failed;
        one.message = what.failure.empty() ? failure->message() : what.failure;
        one.detail = failure == nullptr ? "" : detail_of(*failure);
        is_told = true;
      }
    } else if (failure != nullptr && kind != "noop" && kind != "cached" && kind != "note") {
      one.outcome = Outcome::skipped;
      one.message = "not reached";
    }
    cases.push_back(std::move(one));
  }
  for (const auto& service : services) {
    cases.push_back(case_of_service(service));
  }
  if (const auto drift = int_or(m_plan, "drift_count", 0); drift > 0) {
    cases.push_back(
        {"workspace", "drift", Outcome::passed, 0, "", "", fmt::format("{} files changed inside", drift)});
  }
  if (!is_told) {
    cases.push_back({"workspace", "apply", Outcome::failed, 0, failure->message(), detail_of(*failure), ""});
  }
  if (cases.empty()) {
    cases.push_back({"workspace", "apply", Outcome::passed, 0, "", "", "no changes"});
  }
  return suite_text(suite, cases);
}

std::string JunitProgress::report(const Json& applied) const {
  return document(string_or(applied, "name", "pyro"), list_at(applied, "services"), nullptr);
}

std::string JunitProgress::report(const Error& failure) const {
  return document("pyro apply", Json::array(), &failure);
}

} // namespace pyro::cli

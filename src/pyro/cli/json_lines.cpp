#include "json_lines.hpp"

#include "progress.hpp"
#include "render_parts.hpp"

#include <pyro/base/safe_text.hpp>
#include <pyro/base/utc.hpp>
#include <pyro/operations/version.hpp>

#include <fmt/format.h>

#include <mutex>
#include <random>

namespace pyro::cli {

namespace {

constexpr auto k_lines_version = "1.0";

std::string utc_now() {
  return format_utc(std::chrono::system_clock::now(), Subseconds::milliseconds);
}

class JsonProgress : public Progress {
public:
  explicit JsonProgress(Write write) : m_write(std::move(write)) {}

  void handle(const operations::Event& event) override {
    const std::scoped_lock lock(m_mutex);
    if (event.kind == "plan") {
      m_plan_was_shown = true;
      m_write(plan_lines(event.data));
      return;
    }
    Json fields{{"address", event.address}, {"text", to_utf8(event.text)}};
    if (!event.data.is_null()) {
      fields["data"] = event.data;
    }
    m_write(json_line(event.kind, std::move(fields)));
  }

private:
  Write m_write;
  std::mutex m_mutex;
};

} // namespace

const std::string& op_id() {
  static const std::string s_id = [] {
    std::random_device source;
    return fmt::format("{:08x}{:08x}", source(), source());
  }();
  return s_id;
}

std::string json_line(const Json& document) {
  return escape_json(document.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n";
}

std::string json_line(std::string_view type, Json fields) {
  fields["ts"] = utc_now();
  fields["type"] = type;
  fields["op_id"] = op_id();
  if (!fields.contains("address")) {
    fields["address"] = "";
  }
  return json_line(fields);
}

std::string version_line() {
  return json_line("version", {{"pyro", operations::version()}, {"format_version", k_lines_version}});
}

std::string plan_lines(const Json& plan) {
  if (!plan.is_object()) {
    return "";
  }
  std::string lines;
  for (const auto& action : list_at(plan, "actions")) {
    lines += json_line("planned_action", action);
  }
  Json summary = Json::object();
  for (const auto* key :
       {"summary", "empty", "needs_approval", "approval_reasons", "drift_count", "cost_ms"}) {
    if (plan.contains(key)) {
      summary[key] = plan.at(key);
    }
  }
  return lines + json_line("summary", std::move(summary));
}

std::string diagnostic_lines(const Json& result) {
  std::string lines;
  for (const auto& diagnostic : list_at(result, "diagnostics")) {
    lines += json_line("diagnostic", diagnostic);
  }
  return lines;
}

std::string outputs_line(const Json& applied) {
  Json outputs = Json::object();
  for (const auto* key : {"workspace_id", "name", "changed", "ports"}) {
    if (applied.contains(key)) {
      outputs[key] = applied.at(key);
    }
  }
  return json_line("outputs", {{"outputs", std::move(outputs)}});
}

std::unique_ptr<Progress> make_json_progress(Write write) {
  return std::make_unique<JsonProgress>(std::move(write));
}

} // namespace pyro::cli

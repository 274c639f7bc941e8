#include "render.hpp"

namespace pyro::plan {

namespace {

constexpr auto k_format_version = "1.0";

Json with_place(Json value, const Position& place) {
  value["file"] = place.file;
  value["line"] = place.line;
  value["col"] = place.column;
  return value;
}

Json origin_json(const Origin& origin) {
  return with_place(
      {{"kind", origin.kind == Origin::Kind::variable ? "variable" : "profile"},
       {"name", origin.name},
       {"before", origin.before},
       {"after", origin.after}},
      origin.place);
}

/// What a saved plan is held against: whether git has the files may change meanwhile.
Json paths_of(const Json& discards) {
  Json list = Json::array();
  for (const auto& entry : discards.is_array() ? discards : Json::array()) {
    list.push_back({string_or(entry, "path", ""), string_or(entry, "change", "")});
  }
  return list;
}

Json action_json(const Action& action) {
  Json discards = Json::array();
  for (const auto& entry : action.discards) {
    discards.push_back(to_json(entry));
  }
  Json result{
      {"address", action.address},
      {"action", name_of(action.kind)},
      {"reason", reason_json(action.reason)},
      {"target", action.target},
      {"key", action.key},
      {"cost_ms", action.cost_ms},
      {"discards", std::move(discards)},
      {"after", action.after},
      {"text", action_text(action, Tense::future)}};
  if (action.apart) {
    result["separate_sandbox"] = true;
  }
  return result;
}

Json diagnostic_json(const spec::Diagnostic& diagnostic) {
  return {
      {"severity", diagnostic.severity == spec::Severity::error ? "error" : "warning"},
      {"code", diagnostic.code},
      {"address", diagnostic.address},
      {"message", diagnostic.message},
      {"hint", diagnostic.hint},
      {"file", diagnostic.place.file},
      {"line", diagnostic.place.line},
      {"col", diagnostic.place.column}};
}

/// What an action does, without why and without what it costs.
Json essence_of(const Json& action) {
  return {
      action.value("address", Json()), action.value("action", Json()), action.value("target", Json()),
      action.value("key", Json()), paths_of(action.value("discards", Json()))};
}

Json essence_of(const Json& actions, bool changes_only) {
  Json list = Json::array();
  if (actions.is_array()) {
    for (const auto& action : actions) {
      const auto kind = action.is_object() ? action.value("action", Json()) : Json();
      const bool idle = kind == "noop" || kind == "cached" || kind == "note";
      if (action.is_object() && !(changes_only && idle)) {
        list.push_back(essence_of(action));
      }
    }
  }
  return list;
}

} // namespace

Json reason_json(const Reason& reason) {
  auto value = with_place(
      {{"code", name_of(reason.code)},
       {"field", reason.field},
       {"before", reason.before},
       {"after", reason.after},
       {"text", reason_text(reason)}},
      reason.place);
  if (!reason.cause.empty()) {
    value["cause"] = reason.cause;
  }
  if (!reason.files.empty()) {
    value["files"] = to_json(reason.files);
  }
  for (const auto& input : reason.inputs) {
    value["inputs"].push_back(
        with_place({{"name", input.input}, {"before", input.before}, {"after", input.after}}, input.place));
  }
  if (reason.origin) {
    value["origin"] = origin_json(*reason.origin);
  }
  return value;
}

Json plan_json(const Plan& plan, const PlanHeader& header) {
  Json actions = Json::array();
  for (const auto& action : plan.actions) {
    actions.push_back(action_json(action));
  }
  Json summary = Json::object();
  for (const auto& [kind, count] : plan.summary) {
    summary[std::string(name_of(kind))] = count;
  }
  Json diagnostics = Json::array();
  for (const auto& diagnostic : plan.diagnostics) {
    diagnostics.push_back(diagnostic_json(diagnostic));
  }
  Json document{
      {"format_version", k_format_version},
      {"config_digest", header.config_digest},
      {"lock_digest", header.lock_digest},
      {"observed", Json::array(
                       {{{"workspace", header.workspace_id.empty() ? header.name : header.workspace_id},
                         {"generation", header.generation ? Json(*header.generation) : Json("absent")}}})},
      {"actions", std::move(actions)},
      {"summary", std::move(summary)},
      {"empty", plan.empty()},
      {"needs_approval", plan.needs_approval},
      {"approval_reasons", plan.approval_reasons},
      {"drift_count", plan.drift.size()},
      {"cost_ms", plan.cost_ms},
      {"diagnostics", std::move(diagnostics)}};
  for (const auto& [cause, count] : plan.drift_causes()) {
    document["drift_causes"].push_back({{"cause", cause}, {"count", count}});
  }
  for (const auto& left : plan.left_out) {
    document["left_out"].push_back({{"address", left.address}, {"action", name_of(left.kind)}});
  }
  for (const auto& denial : plan.denials) {
    document["denied"].push_back(with_place(
        {{"rule", denial.rule},
         {"message", denial.message},
         {"address", denial.address},
         {"action", name_of(denial.kind)},
         {"text", to_string(denial)}},
        denial.place));
  }
  if (!plan.is_drift_known) {
    document["drift_known"] = false;
  }
  return document;
}

namespace {

std::string short_name_of(const Json& value) {
  return sha256_of(value.dump(-1, ' ', false, Json::error_handler_t::replace)).substr(0, 16);
}

/// The workspace, and whether there is one; not its generation.
Json workspaces_of(const Json& observed) {
  Json list = Json::array();
  for (const auto& one : observed.is_array() ? observed : Json::array()) {
    const auto generation = one.is_object() ? one.value("generation", Json()) : Json();
    list.push_back({string_or(one, "workspace", ""), generation == "absent"});
  }
  return list;
}

} // namespace

std::string plan_id_of(const Json& document) {
  const auto& observed = value_at(document, "observed");
  const auto actions = essence_of(value_at(document, "actions"), true);
  const auto& file = value_at(document, "config_digest");
  return short_name_of({file, observed, actions}) + "-"
         + short_name_of({file, workspaces_of(observed), actions});
}

std::string_view equivalence_of(std::string_view plan_id) {
  const auto dash = plan_id.find('-');
  return dash == std::string_view::npos ? std::string_view() : plan_id.substr(dash + 1);
}

bool same_actions(const Json& saved, const Plan& plan) {
  const auto version = string_or(saved, "format_version", "");
  if (!version.starts_with("1.")) {
    throw Error(ErrorCode::stale, "a saved plan of format '{}' cannot be read by this pyro", version)
        .with_hint("make it again with 'pyro plan --out FILE'");
  }
  const auto now = plan_json(plan, {});
  return essence_of(value_at(saved, "actions"), true) == essence_of(now["actions"], true);
}

} // namespace pyro::plan

#include "explanation.hpp"

#include "look.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/plan/render.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/state/verification_records.hpp>

#include <map>
#include <set>

namespace pyro::workspace {

namespace {

Json inputs_of(const Json& links, const std::string& address) {
  for (const auto& link : links) {
    if (string_or(link, "address", "") == address) {
      return link.value("inputs", Json::array());
    }
  }
  return Json::array();
}

/// Inputs of a link that are not as they were when it was last applied; of a first time: none.
Json differing_inputs(const Json& now, const Json& before) {
  std::map<std::string, Json> old;
  for (const auto& input : before) {
    old[string_or(input, "name", "")] = input;
  }
  Json result = Json::array();
  if (old.empty()) {
    return result;
  }
  for (auto input : now) {
    const auto found = old.extract(string_or(input, "name", ""));
    if (found.empty() || string_or(found.mapped(), "digest", "") != string_or(input, "digest", "")) {
      input["before"] = found.empty() ? Json() : Json(string_or(found.mapped(), "display", ""));
      result.push_back(input);
    }
  }
  for (auto& [name, input] : old) {
    input["before"] = string_or(input, "display", "");
    input["display"] = "";
    result.push_back(input);
  }
  return result;
}

std::string differing_text(const Json& input) {
  const auto display = string_or(input, "display", "");
  const auto before = string_or(input, "before", "");
  const auto line = int_or(input, "line", 0);
  auto text = string_or(input, "name", "");
  const bool one_line = (display + before).find('\n') == std::string::npos;
  if (one_line && display != before && !(display + before).empty()) {
    text +=
        fmt::format("  {} -> {}", before.empty() ? "nothing" : before, display.empty() ? "nothing" : display);
  }
  return line > 0 ? fmt::format("{}  {}:{}", text, string_or(input, "file", ""), line) : text;
}

/// What a layer was looked up for, and what is the nearest to it that is there.
struct CacheLook {
  HexDigest key;
  bool is_cached = false;
  Json inputs = Json::array();
  Json differing = Json::array(); // from what was applied
  Json nearest = nullptr;         // {"workspace", "created_at", "differing"}: another build of the same step
};

/// The last build of a step of this address, of any workspace here, where it has another key.
Json nearest_build(const Context& context, const plan::Link& link, const Json& inputs) {
  std::optional<store::RecipeRecord> nearest;
  for (auto& recipe : context.recipes.list()) {
    const bool is_newer = !nearest || recipe.created_at > nearest->created_at;
    if (recipe.address == link.address && recipe.key != link.key && is_newer) {
      nearest = std::move(recipe);
    }
  }
  if (!nearest) {
    return nullptr;
  }
  return {
      {"workspace", nearest->workspace},
      {"created_at", nearest->created_at},
      {"differing", differing_inputs(inputs, nearest->inputs)}};
}

std::optional<CacheLook>
look_at_cache(const Context& context, const Looked& looked, const std::string& address) {
  for (const auto& link : looked.planned.plan.chain) {
    if (link.address != address) {
      continue;
    }
    CacheLook look;
    look.key = link.key;
    look.inputs = plan::to_json(link)["inputs"];
    look.is_cached = looked.planned.observed.cached_keys.contains(link.key);
    const auto links = looked.record ? looked.record->links : Json::array();
    look.differing = differing_inputs(look.inputs, inputs_of(links, address));
    if (!look.is_cached && look.differing.empty()) {
      look.nearest = nearest_build(context, link, look.inputs);
    }
    return look;
  }
  return std::nullopt;
}

std::string text_of_nearest(const Json& nearest) {
  const auto age = os::now_epoch() - get_double(nearest, "created_at");
  auto text = fmt::format(
      "\n  the last build of this step was for {}, {} ago", string_or(nearest, "workspace", ""),
      format_elapsed(std::chrono::milliseconds(static_cast<std::int64_t>(age * 1000))));
  const auto& differing = nearest.at("differing");
  if (differing.empty()) {
    return text + ": its own inputs were the same, what it builds on was not";
  }
  for (const auto& input : differing) {
    text += "\n    there: " + differing_text(input);
  }
  return text;
}

std::string text_of(const CacheLook& look) {
  auto text = fmt::format(
      "\n  key {}: {}", look.key.substr(0, 12), look.is_cached ? "in the cache" : "not in the cache");
  for (const auto& input : look.differing) {
    text += fmt::format("\n  differs: {}", differing_text(input));
  }
  return look.nearest.is_null() ? text : text + text_of_nearest(look.nearest);
}

/// What `verify` found of the layer: {at, reproducible, differing}; null: it was not of this key.
Json verified_link(const Json& found, const std::string& address, const Json& key) {
  if (!found.is_object() || !key.is_string() || found.at("links").value(address, Json()) != key) {
    return nullptr;
  }
  Json differing = Json::array();
  for (const auto& entry : found.value("differing", Json::array())) {
    if (entry.is_object() && entry.value("step", Json()) == address) {
      differing.push_back(entry);
    }
  }
  return {{"at", found.value("at", Json())}, {"reproducible", differing.empty()}, {"differing", differing}};
}

std::string verified_link_text(const Json& verified) {
  constexpr std::size_t k_shown = 5;
  const auto& differing = verified.at("differing");
  if (differing.empty()) {
    return "\n  verify built it twice, and it was the same";
  }
  auto text = fmt::format("\n  verify built it twice, and {} files differed:", differing.size());
  for (std::size_t i = 0; i < std::min(k_shown, differing.size()); ++i) {
    text += fmt::format(
        "\n    {} ({})", escape_controls(string_or(differing[i], "path", "")),
        string_or(differing[i], "class", ""));
  }
  return text + (differing.size() > k_shown ? "\n    …" : "");
}

/// Of an action that changes nothing: why it does not have to.
std::string why_nothing(const plan::Action& action) {
  switch (action.subject) {
  case plan::Subject::link:
    return "it is what was applied last: none of its inputs changed, nor what it builds on";
  case plan::Subject::workspace:
    return "it runs, and stands on what the file asks for";
  case plan::Subject::service:
    return "it runs as the file says";
  case plan::Subject::snapshot:
    return "it was taken of exactly this content";
  case plan::Subject::seed:
  case plan::Subject::field:
    break;
  }
  return "it is as the file says";
}

/// `files`: those that changed as well, which an action has from its cause.
std::string because(const plan::Action& action, bool files) {
  const auto& reason = action.reason;
  auto text = plan::reason_text(reason);
  if (reason.code == plan::ReasonCode::unchanged) {
    text = why_nothing(action);
  } else if (reason.code == plan::ReasonCode::cached) {
    text = "a layer of exactly these inputs is in the store";
  }
  if (reason.place.line > 0) {
    text += fmt::format("  {}", to_string(reason.place));
  }
  for (const auto& file : files ? reason.files.named : std::vector<plan::ChangedFile>{}) {
    text += fmt::format(
        "\n      {} {}{}", file.change, escape_controls(file.path),
        file.in_git.value_or(true) ? "" : " (not in git)");
  }
  if (files && reason.files.total() > reason.files.named.size()) {
    text += fmt::format("\n      and {} more", reason.files.total() - reason.files.named.size());
  }
  if (reason.origin && reason.origin->kind == plan::Origin::Kind::variable) {
    text += fmt::format(
        "\n    variable {} \"{}\" -> \"{}\"  {}", reason.origin->name, escape_controls(reason.origin->before),
        escape_controls(reason.origin->after), to_string(reason.origin->place));
  }
  return text;
}

/// From an action to the one that everything began with.
std::vector<const plan::Action*> chain_from(const plan::Plan& plan, const plan::Action& action) {
  std::vector<const plan::Action*> chain{&action};
  std::set<std::string> seen{action.address};
  while (!chain.back()->reason.cause.empty() && seen.insert(chain.back()->reason.cause).second) {
    const auto* next = plan.find(chain.back()->reason.cause);
    if (next == nullptr) {
      break;
    }
    chain.push_back(next);
  }
  return chain;
}

/// The action at an address of the file, or of the nearest thing around it.
const plan::Action& action_at(const Looked& looked, const std::string& address) {
  std::string_view part = address;
  const bool is_written = looked.project.spec.positions.contains(address);
  while (true) {
    if (const auto* action = looked.planned.plan.find(part)) {
      return *action;
    }
    const auto cut = part.find_last_of(".[");
    if (!is_written || cut == std::string_view::npos) {
      break;
    }
    part = part.substr(0, cut);
  }
  std::vector<std::string> known;
  for (const auto& action : looked.planned.plan.actions) {
    known.push_back(action.address);
  }
  if (is_written) {
    static const plan::Action nothing;
    return nothing;
  }
  const auto near = nearest(address, known);
  throw Error(ErrorCode::usage, "there is no '{}' in {}", address, looked.project.shown)
      .with_hint(
          (near.empty() ? "" : fmt::format("did you mean '{}'? ", near))
          + fmt::format("addresses: {}", fmt::join(known, ", ")));
}

} // namespace

Json explain_action(Context& context, const Project& project, const std::string& address) {
  const auto looked = look_at_plan(context, project, {}, false);
  const auto& action = action_at(looked, address);
  const auto chain = chain_from(looked.planned.plan, action);
  const auto cache = look_at_cache(context, looked, address);
  auto text = fmt::format("{}: {}", address, plan::action_text(action, plan::Tense::future));
  if (!action.address.empty() && action.address != address) {
    text = fmt::format(
        "{}: a part of {}, which is: {}", address, action.address,
        plan::action_text(action, plan::Tense::future));
  }
  Json steps = Json::array();
  for (const auto* step : chain) {
    const bool is_first = step == chain.front();
    text += is_first ? fmt::format("\n  because {}", because(*step, step == chain.back()))
                     : fmt::format(
                         "\n  {}: {}, because {}", step->address,
                         plan::action_text(*step, plan::Tense::future), because(*step, step == chain.back()));
    steps.push_back(
        {{"address", step->address},
         {"action", plan::name_of(step->kind)},
         {"reason", plan::reason_json(step->reason)}});
  }
  Json verified;
  if (cache) {
    text += text_of(*cache);
    const auto found = VerificationRecords(context.base).find(looked.project.identity);
    verified = verified_link(found, address, cache->key);
    text += verified.is_object() ? verified_link_text(verified) : "";
  }
  if (action.cost_ms > 0) {
    text += fmt::format(
        "\n  the last time it took {}", format_elapsed(std::chrono::milliseconds(action.cost_ms)));
  }
  auto reason = plan::reason_json(action.reason);
  reason["column"] = action.reason.place.column;
  return {
      {"address", address},
      {"action", plan::name_of(action.kind)},
      {"reason", reason},
      {"chain", steps},
      {"key", cache ? Json(cache->key) : Json()},
      {"cached", cache && cache->is_cached},
      {"inputs", cache ? cache->inputs : Json::array()},
      {"differing", cache ? cache->differing : Json::array()},
      {"verified", verified},
      {"nearest_build", cache ? cache->nearest : Json()},
      {"text", text + "\n"}};
}

} // namespace pyro::workspace

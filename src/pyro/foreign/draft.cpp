#include "draft.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/spec/parse.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <regex>

namespace pyro::foreign {

namespace {

std::string comment(const std::string& text) {
  return "# " + escape_controls(text) + "\n";
}

std::string map_text(const std::map<std::string, std::string>& values, const std::string& margin) {
  std::string text;
  for (const auto& [name, value] : values) {
    text += fmt::format("{}{}: {}\n", margin, quoted(name), quoted(value));
  }
  return text;
}

std::string environment_text(const Draft& draft) {
  std::string text = "environment:\n";
  text += draft.image_comment.empty() ? "" : "  " + comment(draft.image_comment);
  text += fmt::format("  image: {}\n", quoted(draft.image));
  if (!draft.resources.empty()) {
    text += "  resources:\n" + map_text(draft.resources, "    ");
  }
  text += draft.user.empty() ? "" : fmt::format("  user: {}\n", quoted(draft.user));
  text += draft.workdir.empty() ? "" : fmt::format("  workdir: {}\n", quoted(draft.workdir));
  if (!draft.env.empty()) {
    text += "  env:\n" + map_text(draft.env, "    ");
  }
  if (draft.setup.empty()) {
    return text
           + "  # setup:                         # cached steps before the seed\n"
             "  #   - {id: tools, apt: [make]}\n";
  }
  text += "  setup:                           # each step is a cached layer\n";
  for (const auto& line : draft.setup) {
    text += "    " + line + "\n";
  }
  return text;
}

std::string service_text(const DraftService& service) {
  const std::string front = service.is_commented ? "  # " : "  ";
  auto text = service.comment.empty() ? "" : "  " + comment(service.comment);
  text += fmt::format("{}{}:\n", front, quoted(service.name));
  for (const auto& line : service.lines) {
    text += fmt::format("{}  {}\n", front, line);
  }
  return text;
}

std::string services_text(const Draft& draft) {
  std::string text;
  bool has_one = false;
  for (const auto& service : draft.services) {
    has_one = has_one || !service.is_commented;
    text += service_text(service);
  }
  return text.empty() ? "" : (has_one ? "\nservices:\n" : "\n# services:\n") + text;
}

std::string list_of_unmapped(const Draft& draft) {
  std::string text;
  for (const auto& one : draft.unmapped) {
    if (one.is_needed) {
      text += comment(fmt::format("  {}: {}: {}", one.place.line, one.key, one.reason));
    }
  }
  return text.empty() ? "" : "#\n# Not taken over, by its line there:\n" + text;
}

void require_valid(const std::string& text, const std::string& source) {
  const auto result = spec::parse_spec(
      text, {.file = "pyro.yaml", .directory = "project", .host_env = [](const std::string&) {
               return spec::HostAnswer::withheld();
             }});
  if (result.ok()) {
    return;
  }
  std::vector<std::string> lines;
  for (const auto& diagnostic : result.diagnostics) {
    lines.push_back(spec::to_string(diagnostic));
  }
  throw Error(ErrorCode::failed, "what {} says makes no valid pyro.yaml: nothing was written", source)
      .with_output(std::move(lines))
      .with_hint("take what is named out of a copy of the file, and import that");
}

} // namespace

void Draft::lost(const Position& place, std::string key, std::string reason) {
  unmapped.push_back({place, std::move(key), std::move(reason), true});
}

void Draft::not_needed(const Position& place, std::string key, std::string reason) {
  unmapped.push_back({place, std::move(key), std::move(reason), false});
}

std::string quoted(const std::string& text) {
  static const std::regex s_plain("[A-Za-z0-9/._][A-Za-z0-9 /._@+=-]*[A-Za-z0-9/._@+=-]|[A-Za-z0-9/._]");
  static const std::regex s_other("[0-9.+-]+|true|false|null|yes|no|on|off|y|n|~", std::regex::icase);
  const bool is_plain =
      text.size() < 200 && std::regex_match(text, s_plain) && !std::regex_match(text, s_other);
  return is_plain ? text : Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  std::transform(texts.begin(), texts.end(), std::back_inserter(items), quoted);
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string text_of(const Draft& draft) {
  auto text = comment(fmt::format(
                  "A workspace made from {} by `pyro import`. Read it: it is a beginning.", draft.source))
              + "# `pyro plan` says what it would do, `pyro apply` does it.\n" + list_of_unmapped(draft)
              + "version: 1\n";
  text += draft.name.empty() ? "" : fmt::format("name: {}\n", quoted(draft.name));
  text += draft.description.empty() ? "" : fmt::format("description: {}\n", quoted(draft.description));
  text += draft.isolation.empty() ? "" : fmt::format("isolation: {}\n", draft.isolation);
  text += "\n" + environment_text(draft);
  text += "\nseed:                              # your files, copied in; the originals are never touched\n"
          "  from: .\n";
  text += draft.seed_to.empty() ? "" : fmt::format("  to: {}\n", quoted(draft.seed_to));
  text +=
      "  # on_change: sync                # changed files go into the running workspace, without a reset\n";
  if (!draft.prepare.empty()) {
    text += "\nprepare:                           # after the seed\n";
    for (const auto& line : draft.prepare) {
      text += "  " + line + "\n";
    }
  }
  if (!draft.secrets.empty()) {
    text += "\nsecrets:\n";
    for (const auto& [name, source] : draft.secrets) {
      text += fmt::format("  {}: {}\n", quoted(name), source);
    }
  }
  text += services_text(draft);
  text += draft.is_network_open
              ? "\nnetwork: {egress: all}             # prepare steps and what runs may reach others\n"
              : "\n# network: {egress: all}           # what runs reaches nothing outside without it\n";
  require_valid(text, draft.source);
  return text;
}

} // namespace pyro::foreign

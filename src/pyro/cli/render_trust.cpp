#include "render_trust.hpp"

#include "render.hpp"
#include "render_parts.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>

namespace pyro::cli {

namespace {

constexpr std::string_view k_not_needed = " (with your account; without: as a stranger)";

std::string request_place(const Json& request) {
  const auto found = request.find("position");
  if (found == request.end() || int_or(*found, "line", 0) == 0) {
    return "";
  }
  return fmt::format("  {}:{}", text_at(*found, "file"), int_or(*found, "line", 0));
}

std::string lines_of_requests(const Json& requests, std::string_view mark) {
  constexpr std::size_t k_widest = 48; // a longer address must not push all the others out of sight
  std::size_t width = 0;
  for (const auto& request : requests) {
    const auto length = text_at(request, "address").size();
    width = length > k_widest ? width : std::max(width, length);
  }
  std::string text;
  for (const auto& request : requests) {
    text += fmt::format(
        "{} {:<11}  {:<{}}  {}{}{}\n", mark, text_at(request, "kind"), text_at(request, "address"), width,
        text_at(request, "what"), bool_or(request, "needed", true) ? "" : k_not_needed,
        request_place(request));
  }
  return text;
}

bool is_among(const Json& list, const Json& request) {
  return std::find(list.begin(), list.end(), request) != list.end();
}

} // namespace

std::string render_host_requests(const Json& requests) {
  return lines_of_requests(requests, " ");
}

std::string render_wanted(const Json& wanted, Style style) {
  const auto& requests = list_at(wanted, "requests");
  const auto file = text_at(wanted, "file");
  if (requests.empty()) {
    return fmt::format("{} wants nothing of your machine outside its directory.\n", file);
  }
  const auto& added = list_at(wanted, "added");
  const auto& removed = list_at(wanted, "removed");
  const bool is_change = added.size() < requests.size() || !removed.empty();
  auto text = fmt::format("{} wants of your machine:\n", file);
  Json known = Json::array();
  for (const auto& request : requests) {
    if (!is_change || !is_among(added, request)) {
      known.push_back(request);
    }
  }
  text += lines_of_requests(known, " ");
  if (is_change && bool_or(wanted, "agreed", false) == false) {
    text += added.empty() && removed.empty() ? "" : "Since it was agreed to:\n";
    text += style.bold(lines_of_requests(added, "+"));
    text += lines_of_requests(removed, "-");
  } else {
    text += is_change ? lines_of_requests(added, " ") : "";
  }
  return text;
}

std::string count_requests(const Json& requests) {
  std::vector<std::pair<std::string, int>> kinds; // in the order of the list
  for (const auto& request : requests) {
    auto kind = text_at(request, "kind");
    if (kinds.empty() || kinds.back().first != kind) {
      kinds.emplace_back(std::move(kind), 0);
    }
    ++kinds.back().second;
  }
  std::string text;
  for (const auto& [kind, count] : kinds) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, kind);
  }
  return text;
}

std::string render_trust_list(const Json& result) {
  std::string text;
  for (const auto& checkout : list_at(result, "checkouts")) {
    text += fmt::format(
        "{}{}\n", text_at(checkout, "checkout"), bool_or(checkout, "present", true) ? "" : "  (gone)");
    for (const auto& agreement : list_at(checkout, "agreements")) {
      const auto profile = text_at(agreement, "profile");
      text += fmt::format(
          "  {}{}, {}:\n", text_at(agreement, "file"), profile.empty() ? "" : " --profile " + profile,
          age_text(epoch_at(agreement, "agreed_at"), epoch_now()));
      text += lines_of_requests(list_at(agreement, "requests"), "   ");
    }
  }
  for (const auto& path : list_at(result, "damaged")) {
    text += fmt::format("damaged: {}\n", path.is_string() ? text_at({{"path", path}}, "path") : "");
  }
  return text.empty() ? "Nothing was agreed to.\n" : text;
}

} // namespace pyro::cli

#include "render_parts.hpp"

#include <pyro/base/units.hpp>
#include <pyro/base/utc.hpp>
#include <pyro/operations/text.hpp>

#include <fmt/format.h>

#include <cmath>

namespace pyro::cli {

using operations::escape_controls;

std::string text_at(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    return "";
  }
  return escape_controls(found->is_string() ? found->get<std::string>() : found->dump());
}

std::string subject_of(const Json& result) {
  const auto name = text_at(result, "name");
  const auto id = text_at(result, "workspace_id");
  return !name.empty() ? name : !id.empty() ? id : "The workspace";
}

const Json& list_at(const Json& object, const char* key) {
  static const Json k_none = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : k_none;
}

std::string bytes_at(const Json& object, std::string_view key) {
  const auto bytes = maybe_int(object, key);
  return bytes ? format_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, *bytes))) : "";
}

double epoch_at(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string utc_at(const Json& object, std::string_view key) {
  const auto milliseconds = static_cast<std::int64_t>(epoch_at(object, key) * 1000);
  return format_utc(
      std::chrono::system_clock::time_point(std::chrono::milliseconds(milliseconds)),
      Subseconds::milliseconds);
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
  return count != 1 && many.empty() ? fmt::format("{} {}s", count, one)
                                    : fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string span_text(double seconds) {
  const double bounded = std::clamp(seconds, 0.0, 1e9);
  return format_elapsed(std::chrono::milliseconds(std::llround(bounded * 1000)));
}

std::string age_text(double epoch, double now) {
  if (epoch <= 0) {
    return "";
  }
  if (std::abs(now - epoch) < 1) {
    return "just now";
  }
  // Whole seconds: nobody needs the tenths of something that long ago.
  const auto words = span_text(std::max(1.0, std::floor(std::abs(now - epoch))));
  const auto dot = words.find(".0 s");
  const auto text = dot == std::string::npos ? words : words.substr(0, dot) + " s";
  return epoch > now ? "in " + text : text + " ago";
}

std::string colored_state(const std::string& state, Style style) {
  if (state == "running" || state == "started" || state == "ready" || state == "completed") {
    return style.green(state);
  }
  const bool bad = state == "failed" || state == "lost" || state == "destroyed";
  return bad ? style.red(state) : style.yellow(state);
}

} // namespace pyro::cli

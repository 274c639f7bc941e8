// What reset, undo, start, stop and destroy did, as text.
#include "render.hpp"
#include "render_parts.hpp"

#include <fmt/format.h>

namespace pyro::cli {

namespace {

std::string elapsed_text(const Json& result) {
  const auto duration = maybe_int(result, "duration_ms");
  return duration ? fmt::format(" ({} ms)", *duration) : "";
}

/// " for 59 min", as long as `pyro undo` takes it back; "" where nobody says.
std::string undo_time(const Json& result, double now) {
  const auto until = epoch_at(result, "undo_expires_at");
  return until > now ? fmt::format(" for {}", span_text(until - now)) : "";
}

} // namespace

std::string render_reset(const Json& result, double now) {
  std::string target = "its snapshot";
  if (const auto found = result.find("workspace_reset"); found != result.end() && found->is_object()) {
    target = text_at(*found, "snapshot_name");
  }
  const auto time = undo_time(result, now);
  return fmt::format(
      "{} is reset to {}.{} {}\n", subject_of(result), target, elapsed_text(result),
      bool_or(result, "undo", false) ? fmt::format("`pyro undo` takes it back{}.", time)
                                     : "There is no undo point.");
}

std::string render_undo(const Json& result) {
  return fmt::format(
      "{}: took back `{}`.{}{}\n", subject_of(result), text_at(result, "undone"), elapsed_text(result),
      bool_or(result, "undo", false) ? " `pyro undo` again returns to it." : "");
}

std::string render_started(const Json& result) {
  return bool_or(result, "changed", true) ? fmt::format(
             "{} is started.{} Try: pyro status, pyro exec -- COMMAND\n", subject_of(result),
             elapsed_text(result))
                                          : fmt::format("{} runs already.\n", subject_of(result));
}

std::string render_stopped(const Json& result) {
  return bool_or(result, "changed", true)
             ? fmt::format(
                 "{} is stopped; its files are kept.{} `pyro start` goes on.\n", subject_of(result),
                 elapsed_text(result))
             : fmt::format("{} was not running. `pyro start` starts it.\n", subject_of(result));
}

std::string render_destroyed(const Json& result, double now) {
  const auto time = undo_time(result, now);
  const auto undo = bool_or(result, "undo", false) ? fmt::format(" `pyro undo` brings it back{}.", time)
                    : bool_or(result, "snapshots_kept", false)
                        ? " Its content is gone for good (reset.undo: 0s); its snapshots are kept."
                        : " Its content and its snapshots are gone for good. What was cached for it "
                          "stays a day; `pyro df` shows it, `pyro prune --all` removes it.";
  return fmt::format(
      "{} {}.{}{}\n", subject_of(result),
      bool_or(result, "changed", true) ? "is destroyed" : "was destroyed already", elapsed_text(result),
      undo);
}

} // namespace pyro::cli

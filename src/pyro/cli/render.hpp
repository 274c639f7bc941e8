// Results of operations as text for people. Pure: JSON in, text out; keys that are missing are left out of
// the text. Whatever may come from a guest is escaped here.
#pragma once

#include "style.hpp"

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::cli {

/// What ages in the texts are counted from.
double epoch_now();

std::string render_validation(const Json& result, Style style);
std::string render_status(const Json& status, Style style, double now = epoch_now());
std::string render_list(const Json& result, Style style, double now = epoch_now());
std::string render_snapshots(const Json& result, Style style, double now = epoch_now());
std::string render_environments(const Json& result, Style style, double now = epoch_now());
std::string render_doctor(const Json& result, Style style);
/// What prune removed or would remove, and what is kept.
std::string render_pruned(const Json& result, double now = epoch_now());
std::string render_disk_usage(const Json& result, double now = epoch_now());
std::string render_purged(const Json& result);
/// What env prune or reap removed or would remove.
std::string render_removed(const Json& result);
enum class WithOrigin { no, yes };
/// "M src/cart.ts" lines, by cause where there is more than one; with the layer that each was in.
std::string render_diff(const Json& result, Style style, WithOrigin origin = WithOrigin::no);
/// The paths alone.
std::string render_diff_names(const Json& result);
/// Entries counted: "3 paths: 1 added, 2 modified".
std::string render_diff_summary(const Json& result);
/// Each with its lines, and the summary.
std::string render_diff_stat(const Json& result, Style style);
/// The patches of all entries.
std::string render_diff_patch(const Json& result, Style style);
/// A unified diff, in colours where there are any; else byte for byte.
std::string render_patch(const std::string& patch, Style style);
/// The files that differed, by the step that made them.
std::string render_verification(const Json& result, Style style);
/// What capture did not put into steps, a line for each reason.
std::vector<std::string> capture_notes(const Json& result);
/// What a patch does not have, by name: a line for each reason.
std::vector<std::string> patch_notes(const Json& result);
/// What apply did and what to try next.
std::string render_applied(const Json& result, Style style);
/// What reset, undo, start, stop and destroy did, in one line.
std::string render_reset(const Json& result, double now = epoch_now());
std::string render_undo(const Json& result);
std::string render_started(const Json& result);
std::string render_stopped(const Json& result);
std::string render_destroyed(const Json& result, double now = epoch_now());
/// The services of a status, with their processes and ports.
std::string render_services(const Json& status, Style style, double now = epoch_now());
/// Published ports, one a line: service, port inside, where it is reached.
std::string render_ports(const Json& result);
/// Services that are ready now, in one line.
std::string render_ready(const Json& result);
std::string render_restarted(const Json& result);
/// Commands with their output, indented.
std::string render_command_log(const Json& log, Style style);
std::string render_summary(const Json& summary, Style style);
/// Any other document, as "key  value" lines.
std::string render_document(const Json& document);

/// Does a plan document hold an action that changes something?
bool plan_changes(const Json& plan);

} // namespace pyro::cli

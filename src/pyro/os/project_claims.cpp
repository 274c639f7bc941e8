#include "project_claims.hpp"

#include "crash_point.hpp"
#include "directory.hpp"
#include "fd.hpp"
#include "file_lock.hpp"
#include "random.hpp"
#include "tree_walk.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace pyro::os {

namespace {

/// One for all state directories of the machine: two of them may lie on one file system.
constexpr const char* k_lock_directory = "/run/pyro";
constexpr const char* k_lock = "/run/pyro/projects";
constexpr std::chrono::seconds k_patience{30};
constexpr int k_attempts = 1000;

ExclusiveLock lock_projects() {
  make_directories(k_lock_directory, 0700);
  return {k_lock, "choose a project", k_patience};
}

/// Lines "name:number" and "number:directory" (projid(5), projects(5)): what the administrator gave away.
std::set<ProjectId> given_away() {
  std::set<ProjectId> taken;
  for (const auto& [path, field] : {std::pair{"/etc/projid", 1U}, std::pair{"/etc/projects", 0U}}) {
    const auto text = maybe_read_file(path, 16 << 20).value_or("");
    for (const auto line : lines_of(text)) {
      const auto fields = fields_of(line, ':');
      if (const auto project =
              fields.size() > field ? whole_number<ProjectId>(fields[field]) : std::nullopt) {
        taken.insert(*project);
      }
    }
  }
  return taken;
}

ProjectId random_project() {
  ProjectId number = 0;
  const auto bytes = random_bytes(sizeof number);
  std::memcpy(&number, bytes.data(), sizeof number);
  return k_first_project + number % (k_last_project - k_first_project + 1);
}

bool is_ours(ProjectId project) {
  return project >= k_first_project && project <= k_last_project;
}

} // namespace

ProjectClaims::ProjectClaims(std::string notes) : m_notes(std::move(notes)) {
}

std::optional<ProjectId> ProjectClaims::hold(int directory, const ProjectLimits& limits) const {
  const auto known = project_of(directory);
  if (!known && !names_in(directory).empty()) {
    return std::nullopt;
  }
  make_directories(m_notes);
  const auto notes = maybe_open_own_directory(m_notes);
  if (!notes) {
    return std::nullopt; // removed meanwhile, with all the state
  }
  const auto lock = lock_projects();
  sweep_locked(notes->get());
  const bool is_known =
      known && is_ours(*known) && ::faccessat(notes->get(), std::to_string(*known).c_str(), F_OK, 0) == 0;
  if (is_known) {
    set_project_limits(directory, *known, limits);
    return known;
  }
  if (known) {
    return std::nullopt; // inherited: an administrator holds the state directory as a whole
  }
  return take(directory, notes->get(), limits);
}

/// First the note, then the files, then the limit: killed in between, a sweep finds whatever there is to
/// undo.
ProjectId ProjectClaims::take(int directory, int notes, const ProjectLimits& limits) const {
  const auto taken = given_away();
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    const auto project = random_project();
    if (taken.contains(project) || !use_of_project(directory, project).is_unknown()) {
      continue;
    }
    const auto name = std::to_string(project);
    if (const Fd note(::openat(notes, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)); !note) {
      if (errno == EEXIST) {
        continue;
      }
      throw Error::from_errno(errno, fmt::format("note the project {}", project));
    }
    crash_point("project.noted");
    set_project(directory, project);
    crash_point("project.given");
    set_project_limits(directory, project, limits);
    crash_point("project.limited");
    return project;
  }
  throw Error(ErrorCode::unavailable, "no project of this file system was found that nobody has");
}

void ProjectClaims::sweep() const {
  const auto notes = maybe_open_own_directory(m_notes);
  if (!notes || names_in(notes->get()).empty()) {
    return;
  }
  const auto lock = lock_projects();
  sweep_locked(notes->get());
}

void ProjectClaims::sweep_locked(int notes) const {
  for (const auto& name : names_in(notes)) {
    const auto project = whole_number<ProjectId>(name);
    if (!project || !is_ours(*project) || name != std::to_string(*project)) {
      continue; // not of our making
    }
    const auto use = use_of_project(notes, *project);
    if (!use.is_empty()) {
      continue;
    }
    if (!use.is_unknown()) {
      set_project_limits(notes, *project, {});
      crash_point("project.unlimited");
    }
    ::unlinkat(notes, name.c_str(), 0);
  }
}

} // namespace pyro::os

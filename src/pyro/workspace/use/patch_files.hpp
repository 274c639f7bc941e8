// A patch on the files of /workspace: worked out in memory as a whole, then sent as one change.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/store/layered_view.hpp>
#include <pyro/store/patch_parse.hpp>
#include <pyro/workspace/sandbox/guest_change.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// What one path is to become.
struct PatchedFile {
  std::string path; // relative to /workspace, free of symlinks
  std::optional<struct stat> before;
  std::optional<std::string> content; // absent: it goes
  bool executable = false;
};

/// Throws Error(bad_state) `patch does not apply` (a hunk that fits nowhere, a file that is missing, or there
/// already) with nothing done. Paths never lead through symlinks out of /workspace. Sorted by path.
std::vector<PatchedFile>
work_out_patch(const store::LayeredView& view, const std::vector<store::FilePatch>& patches);

/// Everything of it but the commit.
void send_patch(const std::vector<PatchedFile>& files, GuestChange& change);

/// {"changed", "summary": {total, added, modified, deleted}, "entries": [{path, status}]}
Json describe_patch(const std::vector<PatchedFile>& files);

} // namespace pyro::workspace

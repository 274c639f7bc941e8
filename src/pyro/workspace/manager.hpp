// The manager: the one API for every front (through operations/). It observes, plans and applies pyro.yaml
// files and drives sandboxes. Everything it needs lives in files below Settings::base, so any process can go
// on where another stopped. Every function throws Error; nothing is printed, progress goes to the event sink.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/workspace/context/requests.hpp>
#include <pyro/workspace/context/settings.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

class Manager {
public:
  Manager(Settings settings, EventSink events);
  ~Manager();

  // --- the declared file
  // -------------------------------------------------------------------------------------------

  /// {"valid", "diagnostics": [{severity, position, address, message, hint}], "name"}
  Json validate(const Project& project);
  /// The effective spec in normal form.
  Json config(const Project& project);
  /// The plan document (spec-v1 B.5); `text` beside it is the human form. {"plan": {...}, "text": "..."}
  Json plan(const Project& project, bool color);
  /// Plans and executes. {"workspace_id", "changed": bool, "plan", "text", "services": [...], "duration_ms"}
  Json apply(const Project& project, const ApplyOptions& options, bool color);
  /// What the file wants of this machine outside its directory: {"checkout", "file", "profile", "digest",
  /// "requests": [{kind, what, address, position}], "added", "removed" (since it was last agreed to),
  /// "agreed": bool}. Nothing of it is read or run.
  Json trust_show(const Project& project);
  /// Agrees to exactly that list; with `digest`, Error(stale) where the list is another one by now. The same
  /// document.
  Json trust_agree(const Project& project, const std::string& digest);
  /// {"count", "checkouts": [{checkout, present, agreements: [{digest, file, profile, requests,
  /// agreed_at}]}], "damaged"}
  Json trust_list();
  /// All that was agreed to for a checkout; empty: that of the project. {"checkout", "removed": bool}
  Json trust_remove(const std::string& checkout, const Project& project);
  /// Why the plan would do what it does at `address`, or why a cached layer was not used, with file:line.
  Json why(const Project& project, const std::string& address);

  // --- a workspace: found by id, unique id prefix or name; empty: the one of the project in `directory`
  // -------------

  /// Spec, state, services with readiness, snapshots, backend, ttl, last error.
  Json status(const std::string& workspace, const Project& project);
  Json list();
  ExecResult exec(
      const std::string& workspace, const Project& project, const ExecRequest& request,
      const ExecStreams& streams);
  /// Lines of a service's output to the callback; follows until the service or the caller's `stop` says so.
  void logs(
      const std::string& workspace, const Project& project, const std::string& service, int tail, bool follow,
      const std::function<void(const std::string& service, const std::string& line)>& line,
      const std::function<bool()>& stop);
  /// {"changed", "summary": {...}, "entries": [{path, status, artifact_type, text_patch}], "patch"}
  Json diff(
      const std::string& workspace, const Project& project, const std::vector<std::string>& paths,
      bool patches);
  /// {"workspace_id", "snapshot"}: durable; processes stand still for the moment of the capture.
  Json snapshot_create(const std::string& workspace, const Project& project, const std::string& name);
  /// {"workspace_id", "count", "snapshots"}, the baseline first.
  Json snapshot_list(const std::string& workspace, const Project& project);
  /// {"workspace_id", "snapshot_name", "deleted", "freed_bytes"}. Error(invalid_argument) `cannot delete the
  /// baseline snapshot`.
  Json snapshot_delete(const std::string& workspace, const Project& project, const std::string& name);
  /// The snapshot as an OCI image: a layout (directory), or one in a file where output_path ends with ".tar".
  /// Error(bad_state) where it stands on directories of this machine. {"workspace_id", "snapshot_name",
  /// "output_path", "manifest", "layers", "packed_bytes"}
  Json snapshot_export(
      const std::string& workspace, const Project& project, const std::string& name,
      const std::string& output_path, const ImagePacking& packing);
  /// The same into a registry. {..., "reference"}
  Json snapshot_push(
      const std::string& workspace, const Project& project, const std::string& name,
      const std::string& reference, const ImagePacking& packing);
  /// An OCI image, in anything that environment.image takes for one, as a snapshot that reset can go to. The
  /// name is the image's tag where none is given. {"workspace_id", "snapshot"}
  Json snapshot_import(
      const std::string& workspace, const Project& project, const std::string& source,
      const std::string& name);
  /// `to` empty: the file's reset.to, else the deepest snapshot. Uses options.ask when edits would be lost
  /// for good.
  Json reset(
      const std::string& workspace, const Project& project, const std::string& to,
      const ApplyOptions& options);
  /// Back to before the last reset, replace or destroy.
  Json undo(const std::string& workspace, const Project& project);
  Json stop(const std::string& workspace, const Project& project);
  Json start(const std::string& workspace, const Project& project);
  Json destroy(
      const std::string& workspace, const Project& project, const ApplyOptions& options,
      bool remove_snapshots);

  // --- made by hand
  // ------------------------------------------------------------------------------------------------

  /// Started, with its seed; the same document as status. A failure leaves nothing behind.
  Json create(const CreateRequest& request);
  /// Full reset to a snapshot, asking nobody. The same document as status, and "workspace_reset":
  /// {"snapshot_name"}. On failure it is stopped, with its content as it was.
  Json workspace_reset(const std::string& workspace, const std::string& snapshot);
  /// Other workspaces with the same content. {"source", "snapshot", "count", "workspaces", "failed"}; throws
  /// where not one could be made.
  Json fork(const ForkRequest& request, const Project& project);
  /// The workspace now belongs to the pyro.yaml of `project` and has its name; nothing else changes: the next
  /// plan tells the differences. Error(already_exists) where that file has a workspace.
  Json adopt(const std::string& workspace, const Project& project);
  /// It no longer belongs to any pyro.yaml, and stays as it is.
  Json forget(const std::string& workspace, const Project& project);
  /// Removes it with all its snapshots, at once and for good.
  Json remove(const std::string& workspace);
  /// Name and labels of one made by hand (a declared one's are in its file); nullopt and empty change
  /// nothing.
  Json update(
      const std::string& workspace, const std::optional<std::string>& name,
      const std::map<std::string, std::string>& labels, const std::vector<std::string>& clear_labels);
  /// list() of those that fit: a name, all of these labels, a state; empty fits all.
  Json list_matching(
      const std::string& name, const std::map<std::string, std::string>& labels, const std::string& state);
  /// The command log: {"workspace_id", "count", "entries": [...]}, the last `limit` entries, oldest first.
  Json command_log(const std::string& workspace, std::int64_t limit);
  /// What there is and what was done: commands, services, snapshots, changed files, bytes on disk.
  Json summary(const std::string& workspace);
  /// Removes expired workspaces made by hand, and records that cannot be read. {"count", "workspaces",
  /// "skipped"}
  Json reap();

  /// Brings a directory or archive of this machine into a started workspace, below `dest` in /workspace: all
  /// of it or nothing. {"workspace_id", "workspace_sync": {mode, source_path, destination, …}}
  Json sync_push(const std::string& workspace, const std::string& source_path, const std::string& dest);
  /// A file or directory of /workspace to exactly `output_path`, which must not exist.
  Json export_path(const std::string& workspace, const std::string& path, const std::string& output_path);
  /// diff() of /workspace, always against what it was created with; nothing is left out.
  Json diff_from_baseline(const std::string& workspace);
  /// {"workspace_id", "path", "entries": [{path, artifact_type, size_bytes, link_target}], "truncated"}
  Json file_list(const std::string& workspace, const std::string& path, bool recursive);
  /// The beginning of a file, at most `max_chars` characters: {"content", "encoding": utf-8 or base64,
  /// "size_bytes", "truncated", …}
  Json file_read(const std::string& workspace, const std::string& path, std::int64_t max_chars);
  /// The whole file, at once; one that exists keeps its mode and owner. Bytes, whatever they are.
  Json file_write(const std::string& workspace, const std::string& path, const std::string& content);
  /// A unified diff on /workspace: checked as a whole before anything is written, then all of it or nothing.
  Json patch_apply(const std::string& workspace, const std::string& patch);

  /// Shells: {"workspace_id", "shell_id", "state": running|exited, "cwd", "cols", "rows", "exit_code", …}.
  /// Error(invalid_argument) `does not exist` for one that is not there.
  Json shell_open(const std::string& workspace, const ShellRequest& request);
  Json shell_list(const std::string& workspace);
  /// {"output", "cursor", "next_cursor", "truncated": there is more, "dropped_bytes": gone before it was
  /// read}. Reading does not consume.
  Json shell_read(const std::string& workspace, const ShellReadRequest& request);
  Json shell_write(
      const std::string& workspace, const std::string& shell_id, const std::string& input,
      bool append_newline);
  /// HUP, INT, TERM or KILL, to the shell and what runs in its foreground.
  Json shell_signal(const std::string& workspace, const std::string& shell_id, const std::string& signal);
  Json shell_resize(const std::string& workspace, const std::string& shell_id, int columns, int rows);
  /// Ends it and all that was started in it. "closed": true.
  Json shell_close(const std::string& workspace, const std::string& shell_id);
  /// Joins our descriptors with it until it ends or {"detach": true} is polled. "detached": bool.
  Json
  shell_attach(const std::string& workspace, const ShellAttachRequest& request, const ExecStreams& streams);

  /// Services by hand: {"workspace_id", "service_name", "state": starting|running|exited|stopped|failed,
  /// "reason", …}. One that ends or is not ready in time is returned as failed, with its last log lines.
  Json service_start(const std::string& workspace, const ServiceRequest& request);
  /// {"count", "running_count", "services"}
  Json service_list(const std::string& workspace);
  Json service_status(const std::string& workspace, const std::string& service);
  /// {"stdout", "stderr", "tail_lines", "truncated"}; tail_lines -1: all there is.
  Json service_logs(const std::string& workspace, const std::string& service, std::int64_t tail_lines);
  /// SIGTERM to its group, after 5 s SIGKILL; "stop_reason".
  Json service_stop(const std::string& workspace, const std::string& service);

  // --- one-shot VMs, found by id, unique id prefix or name
  // -----------------------------------------------------------

  /// {"vm_id", "state": "created", …}
  Json vm_create(const VmRequest& request);
  Json vm_start(const std::string& vm);
  /// Runs the one command and removes the VM, however the command ends.
  ExecResult vm_exec(const std::string& vm, const ExecRequest& request, const ExecStreams& streams);
  Json vm_stop(const std::string& vm);
  Json vm_remove(const std::string& vm);
  /// Of an expired one: deletes it and throws Error(bad_state) `expired and was automatically deleted`.
  Json vm_status(const std::string& vm);
  Json vm_network_info(const std::string& vm);
  Json vm_list();
  /// Removes the expired ones. {"count", "vms": [ids]}
  Json vm_reap();
  /// Create, start, exec, delete in one.
  ExecResult vm_run(const VmRequest& request, const ExecRequest& exec, const ExecStreams& streams);

  // --- the machine
  // -------------------------------------------------------------------------------------------------

  Json env_list();
  /// With `refresh` also where it is here already: another image may have its name by now.
  Json env_pull(const std::string& image, bool refresh = false);
  /// Error(bad_state) where a workspace or a snapshot stands on it. {"image", "digest", "size_bytes"}
  Json env_remove(const std::string& image);
  Json env_inspect(const std::string& image);
  Json env_prune(bool dry_run);
  /// {"checks": [{name, ok: bool, level: ok|note|warning|error, text, hint}], "objects": {...kernel objects
  /// owned}}
  Json doctor();
  /// Removes what no workspace and no recipe within its retention needs.
  Json prune(bool dry_run);

private:
  struct State;
  std::unique_ptr<State> m_state;
};

/// The JSON Schema of pyro.yaml, for editors; fronts see it through operations/.
Json file_schema();

} // namespace pyro::workspace

#include "guide.hpp"

#include <algorithm>
#include <array>

namespace pyro::operations {

namespace {

struct Guide {
  std::string_view operation;
  std::string_view text;
};

/// In the order of the alphabet, to be searched.
constexpr std::array k_guides{
    Guide{"adopt", "For a workspace made by hand that should go on under a file. Changes nothing in it."},
    Guide{
        "apply", "What is cached is not built again; waits until services are ready. plan tells first what "
                 "it would do."},
    Guide{
        "capture",
        "After trying things by hand: read steps and not_reproduced; write only what somebody wants. "
        "Reads the workspace's layers, runs nothing."},
    Guide{"config", "To see what a profile, variables and defaults make of the file. Reads the file only."},
    Guide{
        "copy_between",
        "Overwrites what is there under the name. The original may be stopped; the other one is started."},
    Guide{
        "copy_in", "Overwrites files of the same name, whatever they are. For many files at once give their "
                   "directory."},
    Guide{"copy_out", "Never overwrites. From the layers: a stopped workspace does as well."},
    Guide{
        "destroy", "Content that is in no snapshot can be brought back with undo for a while, unless "
                   "snapshots is true."},
    Guide{
        "diff", "Costs what was changed, not the size of the tree. Everything in the system counts, not "
                "/workspace alone."},
    Guide{
        "disk_usage",
        "Costs a walk over what is there. Each byte is counted once; until says when it goes by itself."},
    Guide{"doctor", "Call it when something is unavailable: it names what is missing and how to get it."},
    Guide{"env_inspect", "For an image that is on this machine; env_list names them."},
    Guide{"env_list", "Costs nothing. What it names needs no fetching."},
    Guide{"env_prune", "Frees disk space. What is removed is fetched again when needed; dry_run only tells."},
    Guide{
        "env_pull", "May take minutes and needs the network. Not needed before apply, which does the same."},
    Guide{"env_remove", "Refused while something stands on the image. Disk space comes back with prune."},
    Guide{
        "events", "To see what somebody else did. Ask again with cursor for what came since; the last few "
                  "MiB are kept."},
    Guide{
        "exec", "A non-zero exit_code is a result. No shell unless argv starts one: [\"sh\", \"-c\", \"…\"]. "
                "What it writes stays until reset. Cut output: logs with stdout_cursor."},
    Guide{"forget", "The opposite of adopt: the file's next apply makes another workspace."},
    Guide{
        "graph", "To see what an edit makes anew and what a service waits for. Builds nothing, but looks at "
                 "the seed."},
    Guide{
        "import_file",
        "Where another tool's file says already what the project needs; runs nothing of it. Read "
        "unmapped: it is what a person has to decide."},
    Guide{
        "init", "Where there is no pyro.yaml yet; never overwrites one. Read what it wrote before apply: the "
                "commands in it are guesses by the files that are there."},
    Guide{"list", "Costs little. The same workspaces as workspace_list."},
    Guide{
        "lock",
        "After a change of the image in the file. Asks the registry for one document; upgrade also for "
        "names that are locked already."},
    Guide{"logs", "Of services that the file declares; what commands printed is in workspace_logs."},
    Guide{
        "network_log",
        "After a program could not reach a host: says whether the list in network.egress refused it, and "
        "what to add. Empty where egress is none or all."},
    Guide{"place_list", "Before apply with on. Asks Slurm, where it is installed; costs some milliseconds."},
    Guide{
        "place_list",
        "Before apply with on: what is free there. Asks Slurm, where its programs are installed."},
    Guide{"plan", "Changes nothing and runs nothing of the project. Read needs_approval before apply."},
    Guide{
        "prune",
        "Frees disk space; dry_run only tells. all also gives up what destroyed workspaces could be brought "
        "back from, and images and steps that are then made again."},
    Guide{
        "purge",
        "For a person to decide: everything of every workspace is gone for good. One is removed by destroy."},
    Guide{
        "reset",
        "Milliseconds, whatever was broken: rather this than a repair. undo takes it back for a while."},
    Guide{
        "resource_usage", "To find out what is slow or grows. With interval it takes that long and tells "
                          "percent of processors; "
                          "without, costs little."},
    Guide{
        "restart",
        "For a service that reads its files only once. Those that depend on it stay as they are, unless the "
        "file says restart: true."},
    Guide{"schema", "To write or check a pyro.yaml."},
    Guide{"schema_install", "Once for each checkout, for people with editors. Changes no pyro.yaml."},
    Guide{"service_list", "All services of the workspace with their states, those started by hand too."},
    Guide{
        "service_logs", "Kept while the workspace is there, bounded; ask for the lines you need with "
                        "tail_lines, and for those "
                        "before with cursor."},
    Guide{
        "service_start", "For what has to go on after the call: servers, watchers. For a command that ends "
                         "use workspace_exec. Fails with the "
                         "service's last lines where it is not ready in time."},
    Guide{"service_status", "Costs little; to poll until it is ready is not needed, service_start waits."},
    Guide{"service_stop", "What it has written to files stays; what it held in memory is gone."},
    Guide{"shell_close", "What runs in it ends. Not needed before the workspace is deleted."},
    Guide{"shell_list", "To find a shell again that was opened earlier."},
    Guide{
        "shell_open", "For programs that want a terminal or keep a state between inputs. For single commands "
                      "workspace_exec is simpler."},
    Guide{
        "shell_read", "Pass the cursor of the last answer to go on from there; wait_for_idle_ms waits until "
                      "output pauses."},
    Guide{"shell_resize", "Programs in it are told as by a terminal window."},
    Guide{"shell_signal", "INT ends what runs in the foreground as Ctrl-C does; KILL ends it for certain."},
    Guide{"shell_write", "Answers at once: what it causes is read with shell_read."},
    Guide{
        "snapshot_create",
        "Costs what was changed. Take one before anything that may break, to reset to it."},
    Guide{"snapshot_delete", "For good: there is no undo."},
    Guide{
        "snapshot_export", "To take a state to another machine or run it as a container. Writes the whole "
                           "system, not only changes."},
    Guide{"snapshot_import", "The opposite of snapshot_export. Reset to it to use it."},
    Guide{"snapshot_list", "The names that reset takes."},
    Guide{
        "snapshot_push",
        "Needs the network and, as a rule, a login of the user's. Others may be able to read it there."},
    Guide{
        "start",
        "After stop, or when its time to live ended it. Content is as it was; processes start anew."},
    Guide{"status", "Call it first: is there a workspace, does it run, and why not."},
    Guide{"stop", "Frees memory and processors. Content and snapshots stay; processes end."},
    Guide{
        "timing",
        "To find out what to make quicker. Of the last apply that did something, whether it failed or not."},
    Guide{
        "trust_agree",
        "For a person to decide, not for a program: it lets the file take things of this machine."},
    Guide{"trust_list", "What was agreed to, checkout by checkout."},
    Guide{
        "trust_remove",
        "The next apply that wants something of this machine is refused until it is agreed to again."},
    Guide{
        "trust_show",
        "Shows each thing with its line. Nothing of it has been read or run when it is not agreed to."},
    Guide{
        "undo",
        "Whether it can be taken back itself, the result says. Expires after the time that status tells."},
    Guide{
        "unlock", "Never needed: a lock ends with the process that holds it. Status says who that is; a "
                  "living one keeps it."},
    Guide{
        "validate",
        "Says everything that is wrong with the file at once, with line and column. Reads the file only."},
    Guide{
        "verify",
        "Takes as long as two builds from nothing. It touches no workspace and nothing that is cached; "
        "status and why show what it found."},
    Guide{"version", "Costs nothing."},
    Guide{
        "vm_create",
        "Nothing runs until vm_start. For one command in a fresh machine vm_run does all of it."},
    Guide{"vm_delete", "For good, with all that is in it."},
    Guide{
        "vm_exec", "Once for each VM: it is deleted when the command ends. To run several use a workspace."},
    Guide{"vm_list", "Those that were made by vm_create and not deleted yet."},
    Guide{"vm_network_info", "Its address in its own network; nothing of it listens on this machine."},
    Guide{"vm_reap", "Only those beyond their time to live."},
    Guide{
        "vm_run", "For one command that must leave nothing behind. Nothing of it can be looked at later but "
                  "its output."},
    Guide{
        "vm_start",
        "Boots it, or clones a booted one: milliseconds where a template is there, seconds where not."},
    Guide{"vm_status", "Its state and limits."},
    Guide{"vm_stop", "Its command ends; vm_delete removes what is left."},
    Guide{
        "wait", "After an apply with wait false, or while another process applies. Costs nothing where all "
                "are ready already."},
    Guide{
        "watch",
        "For a person at work: it goes on until it is cancelled. One apply is enough for anything else."},
    Guide{"why", "When the plan surprises: the cause, down to the file that changed."},
    Guide{
        "workspace_create", "For work without a pyro.yaml. Delete it when done; it ends by itself after "
                            "ttl_seconds. Has no network unless asked for."},
    Guide{
        "workspace_delete",
        "For good: no undo, snapshots go too. Export or take a patch first of what is worth keeping."},
    Guide{"workspace_diff", "Of /workspace only, with patches of texts. Costs what was changed."},
    Guide{
        "workspace_exec", "A non-zero exit_code is a result. command is for a shell. For what should go on "
                          "afterwards use service_start. Cut output: logs with stdout_cursor."},
    Guide{
        "workspace_export",
        "Never overwrites: output_path must not exist. One file or a directory with all below it."},
    Guide{
        "workspace_file_list",
        "recursive may be long: name a path below, or a limit and go on with the cursor."},
    Guide{"workspace_file_read", "Bounded by max_chars; where more follows, next_cursor is where."},
    Guide{
        "workspace_file_write",
        "Replaces the whole file. To change parts of several at once use workspace_patch_apply."},
    Guide{
        "workspace_fork", "Milliseconds each, content is shared until written. Try several ways at once, "
                          "keep the one that works, delete the others."},
    Guide{"workspace_list", "Filter by name, labels or state. The ids are what other operations take."},
    Guide{
        "workspace_logs",
        "Also after the caller of the command has gone. Bounded; the newest are kept. A reset clears it."},
    Guide{
        "workspace_patch_apply",
        "Refused as a whole where one hunk does not fit, with the place. Snapshots are a way back."},
    Guide{"workspace_reap", "Only those made by hand and beyond their time to live."},
    Guide{
        "workspace_reset", "Everything is as the snapshot has it: what was written since, shells, services "
                           "and the log of commands are gone."},
    Guide{"workspace_start", "After workspace_stop or the end of its time. Processes start anew."},
    Guide{
        "workspace_status",
        "Call it before work that goes on: it may have been stopped by its time to live."},
    Guide{"workspace_stop", "Frees memory. Content and snapshots stay; shells, services and commands end."},
    Guide{
        "workspace_summary",
        "To report on what was done. More than workspace_status and less than the logs."},
    Guide{
        "workspace_sync_push", "Overwrites files of the same name and leaves the others. Refused where an "
                               "archive would leave dest."},
    Guide{"workspace_update", "Labels are for finding it again with workspace_list."},
};

static_assert(std::is_sorted(k_guides.begin(), k_guides.end(), [](const Guide& a, const Guide& b) {
  return a.operation < b.operation;
}));

} // namespace

std::string_view guide_of(std::string_view operation) {
  const auto found = std::lower_bound(
      k_guides.begin(), k_guides.end(), operation,
      [](const Guide& guide, std::string_view name) { return guide.operation < name; });
  return found != k_guides.end() && found->operation == operation ? found->text : std::string_view();
}

} // namespace pyro::operations

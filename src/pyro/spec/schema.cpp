#include "schema.hpp"

#include <pyro/base/error.hpp>

#include <array>

namespace pyro::spec {

namespace {

using enum Presence;

constexpr std::array k_root{
    Field{"version", "int 1..1", "Version of the file format: 1", {}, required},
    Field{"name", "name", "Name of the workspace", "the directory's name"},
    Field{"description", "string", "Shown by status; changes nothing inside"},
    Field{"labels", "map string", "Free metadata"},
    Field{"vars", "map shape var", "The only things that ${name} can stand for"},
    Field{"secrets", "map shape secret", "Names of secrets and where their values come from"},
    Field{"isolation", "enum host|sandbox|vm", "The least isolation that is accepted", "sandbox"},
    Field{"backend", "enum auto|namespaces|qemu|firecracker|host", "What runs the sandbox", "auto"},
    Field{"environment", "shape environment", "Base image, size and cached set-up steps", {}, required},
    Field{"seed", "shape seed", "Which files are copied into the workspace"},
    Field{
        "prepare", "list shape prepare_step",
        "Steps after the seed, keyed on the whole seed, and before them those with inputs"},
    Field{"services", "map shape service", "Processes inside the workspace"},
    Field{"snapshots", "map shape snapshot", "Named points to come back to"},
    Field{"retention", "shape retention", "What `pyro prune` leaves of cached steps and seeds"},
    Field{"reset", "shape reset", "Where reset goes to"},
    Field{"drift", "shape drift", "Where to look for changed files, and what to do about them"},
    Field{"network", "shape network", "What prepare steps and running processes may reach"},
    Field{"lifecycle", "shape lifecycle", "When the workspace stops by itself"},
    Field{"mounts", "list shape mount", "Live host directories (refused by every backend yet)"},
    Field{"profiles", "map profile", "Overlays on this file, chosen with --profile"},
};

constexpr std::array k_var{
    Field{"type", "enum string|int|bool", "What its values look like", "string"},
    Field{"default", "string", "Value if nothing else gives one"},
    Field{"env", "env_name", "Host variable that wins over the default"},
    Field{"description", "string", "Said where it has no value"},
};

constexpr std::array k_secret{
    Field{"env", "env_name", "Host variable that holds it"},
    Field{"file", "string", "File that holds it"},
    Field{"command", "string", "Shell command on the host that prints it"},
    Field{"required", "bool", "Whether it is an error if it has no value", "true"},
};

constexpr std::array k_environment{
    Field{
        "image",
        "string",
        "debian:12, an OCI reference, oci:, docker-archive:, dir:, tar: PATH, or host",
        {},
        required},
    Field{
        "platform", "platform", "linux/amd64 or linux/arm64; refused where the machine is another",
        "the host's"},
    Field{"resources", "shape resources", "Size of the sandbox"},
    Field{"user", "user", "Default user of exec, services and prepare", "the image's"},
    Field{"workdir", "directory", "Default directory of exec, services and prepare", "/workspace"},
    Field{"env", "map env", "Variables at run time; not visible to setup and prepare"},
    Field{"ca", "string", "File of certificates (PEM) that the usual programs inside trust, in steps too"},
    Field{"setup", "list shape setup_step", "Cached steps before the seed"},
};

constexpr std::array k_resources{
    Field{"cpus", "int 1..1024", "Processors", "1"},
    Field{"memory", "size", "Memory", "1GiB"},
    Field{"disk", "size", "Writable space", "8GiB"},
    Field{"pids", "int 16..4194304", "Processes and threads", "1024"},
};

constexpr std::array k_setup_step{
    Field{"id", "name", "Its name in addresses", "its position: 1, 2, …"},
    Field{"run", "string", "Shell script", {}, required},
    Field{"user", "user", "Who runs it", "root"},
    Field{"env", "map env", "Variables of this step"},
    Field{"inputs", "list input", "Seed files that exist while it runs; nothing else of the seed does"},
    Field{"cache", "list cache", "Directories kept between builds, left out of the layer"},
    Field{"timeout", "duration", "Time limit", "10m"},
    Field{"retries", "int 0..10", "Tries again after a failure", "0"},
    Field{"secrets", "list string", "Secrets mounted for this step only"},
    Field{"egress", "egress", "all or none (a list of hosts is refused by every backend yet)", "all"},
};

constexpr std::array k_cache{
    Field{"path", "directory", "Absolute directory in the sandbox", {}, required},
    Field{
        "share", "enum checkout|machine", "Whose it is: every file that says machine shares one", "checkout"},
};

constexpr std::array k_prepare_step{
    Field{"id", "name", "Its name in addresses", "its position: 1, 2, …"},
    Field{"run", "string", "Shell script", {}, required},
    Field{"user", "user", "Who runs it", "environment.user"},
    Field{"env", "map env", "Variables of this step"},
    Field{
        "inputs", "list input",
        "Seed files that exist while it runs; nothing else of the seed does, and no other file repeats it"},
    Field{"cache", "list cache", "Directories kept between builds, left out of the layer"},
    Field{"timeout", "duration", "Time limit", "10m"},
    Field{"retries", "int 0..10", "Tries again after a failure", "0"},
    Field{"secrets", "list string", "Secrets mounted for this step only"},
};

constexpr std::array k_seed{
    Field{"from", "string", "Directory or archive, relative to this file", "."},
    Field{"to", "directory", "Where it goes", "/workspace"},
    Field{
        "git", "git", "Which files of a git checkout; {history: true} is without ignored files and with .git",
        "tracked+untracked"},
    Field{"exclude", "list string", "Patterns in gitignore syntax"},
    Field{"owner", "user", "Who owns the files", "environment.user"},
    Field{"on_change", "enum reset|sync|keep", "What apply does when the seed has changed", "reset"},
};

constexpr std::array k_git{
    Field{
        "files", "enum tracked|tracked+untracked|all", "Which files of a git checkout", "tracked+untracked"},
    Field{"history", "bool", "With .git, so that git works inside", "false"},
};

constexpr std::array k_service{
    Field{"command", "command", "What to run: a text for /bin/sh, or a list", {}, required},
    Field{"user", "user", "Who runs it", "environment.user"},
    Field{"workdir", "directory", "Where it runs", "environment.workdir"},
    Field{"env", "map env", "Variables over environment.env"},
    Field{"env_file", "list input", "Files of variables, from the seed"},
    Field{"secrets", "list string", "Secrets at /run/secrets/NAME"},
    Field{
        "oneshot", "oneshot", "It must exit 0, and apply waits for that: true, or how often it runs",
        "false"},
    Field{"depends_on", "depends_on", "What must be there first"},
    Field{"readiness", "shape readiness", "How it is known to be ready"},
    Field{"liveness", "shape liveness", "How it is known to be still well"},
    Field{"restart", "enum no|on-failure|always", "When it is started again", "no"},
    Field{"max_restarts", "int 0..1000000", "How often", "5"},
    Field{"timeout", "duration", "Time limit of a oneshot"},
    Field{"stop", "shape stop", "How it is stopped"},
    Field{"ports", "list port", "\"8080\", \"3000:8080\" or \"0.0.0.0:3000:8080\""},
    Field{"hint", "string", "Shown when it does not become ready"},
};

constexpr std::array k_oneshot{
    Field{
        "per", "enum start|content",
        "content: not again where the content, such as a snapshot's, has its result already", "start"},
};

constexpr std::array k_dependency{
    Field{
        "condition", "enum started|ready|completed", "What to wait for",
        "ready if it has a probe, completed for a oneshot"},
    Field{"restart", "bool", "Restart me when an apply restarts it", "false"},
};

constexpr std::array k_readiness{
    Field{"exec", "command", "Ready when this exits 0"},
    Field{"http", "shape http", "Ready when this answers"},
    Field{"tcp", "tcp", "Ready when this port accepts: 6379 or host:6379"},
    Field{"file", "string", "Ready when this path exists"},
    Field{"log", "string", "Ready when its output has this text, or /expression/"},
    Field{"interval", "duration", "Between two tries", "at once, then 100ms doubling to 1s"},
    Field{"timeout", "duration", "One try", "2s"},
    Field{"deadline", "duration", "Total time to ready", "60s"},
    Field{"successes", "int 1..100", "In a row", "1"},
    Field{"watch", "bool", "Go on after it is ready", "false"},
};

constexpr std::array k_liveness{
    Field{"exec", "command", "Well while this exits 0"},
    Field{"http", "shape http", "Well while this answers"},
    Field{"tcp", "tcp", "Well while this port accepts"},
    Field{"file", "string", "Well while this path exists"},
    Field{"interval", "duration", "Between two tries", "10s"},
    Field{"timeout", "duration", "One try", "2s"},
    Field{"failures", "int 1..100", "In a row, before `restart` decides", "3"},
};

constexpr std::array k_http{
    Field{"host", "string", "Host name or address", "127.0.0.1"},
    Field{"port", "int 1..65535", "Port that is asked", {}, required},
    Field{"scheme", "enum http", "http; for https use exec with a client", "http"},
    Field{"path", "string", "Path", "/"},
    Field{"method", "enum GET|HEAD|POST|OPTIONS", "Method", "GET"},
    Field{"status", "status", "200, 200-399, or a list of those", "200-399"},
    Field{"headers", "map string", "Request headers"},
};

constexpr std::array k_stop{
    Field{"signal", "signal", "First signal", "SIGTERM"},
    Field{"grace", "duration", "Then SIGKILL after", "10s"},
};

constexpr std::array k_snapshot{
    Field{"at", "string", "image, setup, setup.ID, seed, prepare, prepare.ID or ready", {}, required},
    Field{"memory", "enum auto|true|false", "Also keep memory and device state", "auto"},
    Field{
        "services", "enum running|stopped",
        "At ready: what they do while it is taken; stopped ones have closed their files", "running"},
};

constexpr std::array k_retention{
    Field{"keep", "int 0..100000", "Per name", "3"},
    Field{"min_age", "duration", "Never collect younger ones", "24h"},
    Field{"max_size", "size", "Of all together", "none"},
};

constexpr std::array k_reset{
    Field{"to", "string", "A snapshot's name, or baseline", "the deepest snapshot"},
    Field{"undo", "duration", "How long the undo point lives", "24h"},
};

constexpr std::array k_drift{
    Field{"report", "list directory", "Where to look", "/"},
    Field{"ignore", "list string", "Patterns in gitignore syntax, beside the built-in ones"},
    Field{"policy", "enum report|reset|fail", "What apply does about drift", "report"},
};

constexpr std::array k_network{
    Field{"egress", "egress", "none or all (a list of hosts is refused by every backend yet)", "none"},
};

constexpr std::array k_lifecycle{
    Field{"ttl", "duration", "Life from the last apply", "none"},
    Field{"idle", "duration", "Time without use", "none"},
    Field{"on_idle", "enum stop|destroy", "What happens then", "stop"},
    Field{"on_expire", "enum stop|destroy", "What happens at the end of ttl", "stop"},
};

constexpr std::array k_mount{
    Field{"from", "string", "Host directory, relative to this file", {}, required},
    Field{"to", "directory", "Where it appears", {}, required},
    Field{"mode", "enum ro|rw", "Whether it can be written to", "ro"},
};

constexpr std::array k_shapes{
    Shape{"root", k_root},
    Shape{"var", k_var},
    Shape{"secret", k_secret},
    Shape{"environment", k_environment},
    Shape{"resources", k_resources},
    Shape{"setup_step", k_setup_step},
    Shape{"cache", k_cache},
    Shape{"seed", k_seed},
    Shape{"git", k_git},
    Shape{"prepare_step", k_prepare_step},
    Shape{"service", k_service},
    Shape{"oneshot", k_oneshot},
    Shape{"dependency", k_dependency},
    Shape{"readiness", k_readiness},
    Shape{"liveness", k_liveness},
    Shape{"http", k_http},
    Shape{"stop", k_stop},
    Shape{"snapshot", k_snapshot},
    Shape{"retention", k_retention},
    Shape{"reset", k_reset},
    Shape{"drift", k_drift},
    Shape{"network", k_network},
    Shape{"lifecycle", k_lifecycle},
    Shape{"mount", k_mount},
};

} // namespace

const Field* Shape::find(std::string_view key) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.key == key; });
  return found == fields.end() ? nullptr : &*found;
}

std::span<const Shape> shapes() {
  return k_shapes;
}

const Shape& shape(std::string_view name) {
  for (const auto& candidate : k_shapes) {
    if (candidate.name == name) {
      return candidate;
    }
  }
  throw Error(ErrorCode::internal, "no shape '{}' in the table of pyro.yaml", name);
}

} // namespace pyro::spec

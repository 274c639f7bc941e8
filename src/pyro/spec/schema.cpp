#include "schema.hpp"

#include <pyro/base/error.hpp>

#include <array>

namespace pyro::spec {

namespace {

using enum Presence;

constexpr std::array k_root{
    Field{"version", "int 1..1", "Version of the file format: 1", {}, required},
    Field{"name", "name", "Name of the workspace", "the directory's name", optional, "shop"},
    Field{
        "description",
        "string",
        "Shown by status; changes nothing inside",
        {},
        optional,
        "Web shop, API and queue"},
    Field{"labels", "map string", "Free metadata", {}, optional, R"({"team": "web"})"},
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
    Field{"mounts", "list shape mount", "Directories of this machine that show inside as they are"},
    Field{"profiles", "map profile", "Overlays on this file, chosen with --profile"},
};

constexpr std::array k_var{
    Field{"type", "enum string|int|bool", "What its values look like", "string"},
    Field{"default", "string", "Value if nothing else gives one", {}, optional, "22"},
    Field{"env", "env_name", "Host variable that wins over the default", {}, optional, "NODE_MAJOR"},
    Field{"description", "string", "Said where it has no value"},
};

constexpr std::array k_secret{
    Field{"env", "env_name", "Host variable that holds it", {}, optional, "NPM_TOKEN"},
    Field{"file", "string", "File that holds it", {}, optional, "./secrets/jwt.key"},
    Field{
        "command",
        "string",
        "Shell command on the host that prints it",
        {},
        optional,
        "pass show shop/token"},
    Field{"required", "bool", "Whether it is an error if it has no value", "true"},
    Field{
        "for",
        "list string",
        "Hosts that it is for, each with :PORT or for 443: inside is a placeholder only, and the gateway "
        "puts "
        "the value into requests to them",
        {},
        optional,
        R"(["api.github.com"])"},
    Field{"as", "shape request_header", "Where in such a request it stands"},
    Field{
        "allow", "list string", "Requests that it is put into: METHOD PATH, where * stands for any text",
        "every request", optional, R"(["GET /repos/*"])"},
};

constexpr std::array k_request_header{
    Field{"header", "string", "The header that the gateway puts it into", "Authorization"},
    Field{
        "prefix", "string", "What stands before it there, whatever the request has", "as the request has it",
        optional, "Bearer "},
};

constexpr std::array k_environment{
    Field{
        "image",
        "text",
        "debian:12, an OCI reference, oci:, docker-archive:, dir:, tar: PATH, or host",
        {},
        required,
        "debian:12"},
    Field{
        "platform", "enum linux/amd64|linux/arm64", "Of the image; refused where the machine is another",
        "the host's", optional, "linux/amd64"},
    Field{"resources", "shape resources", "Size of the sandbox"},
    Field{"user", "user", "Default user of exec, services and prepare", "the image's", optional, "node"},
    Field{
        "workdir", "directory", "Default directory of exec, services and prepare", "/workspace", optional,
        "/workspace/app"},
    Field{
        "env",
        "map env",
        "Variables at run time; not visible to setup and prepare",
        {},
        optional,
        R"({"TZ": "UTC", "LOG_LEVEL": "debug"})"},
    Field{
        "ca",
        "string",
        "File of certificates (PEM) that the usual programs inside trust, in steps too",
        {},
        optional,
        "certs/company.pem"},
    Field{"setup", "list shape setup_step", "Cached steps before the seed"},
};

constexpr std::array k_resources{
    Field{"cpus", "int 1..1024", "Processors", "1"},
    Field{"memory", "size", "Memory", "1GiB", optional, "2GiB"},
    Field{"disk", "size", "Writable space", "8GiB", optional, "20GiB"},
    Field{"pids", "int 16..4194304", "Processes and threads", "1024"},
};

constexpr std::array k_setup_step{
    Field{"id", "name", "Its name in addresses", "its position: 1, 2, …", optional, "deps"},
    Field{"run", "text", "Shell script; this or one of apt, npm, pip and tools", {}, optional, "make deps"},
    Field{
        "apt",
        "list string",
        "Debian packages that the step installs, instead of run",
        {},
        optional,
        R"(["git", "postgresql-15"])"},
    Field{
        "npm",
        "enum ci|install",
        "npm ci or npm install, instead of run; inputs are package.json and (of ci) package-lock.json",
        {},
        optional,
        "ci"},
    Field{
        "pip",
        "string",
        "A file of requirements that pip installs, instead of run; it is the input",
        {},
        optional,
        "requirements.txt"},
    Field{
        "tools",
        "enum mise.toml|.mise.toml|.tool-versions",
        "mise install, instead of run, with mise of the environment; the file is the input",
        {},
        optional,
        "mise.toml"},
    Field{"user", "user", "Who runs it", "root"},
    Field{
        "env", "map env", "Variables of this step", {}, optional, R"({"DEBIAN_FRONTEND": "noninteractive"})"},
    Field{
        "inputs",
        "list input",
        "Seed files that exist while it runs; nothing else of the seed does",
        {},
        optional,
        R"(["package.json", "package-lock.json"])"},
    Field{
        "cache",
        "list cache",
        "Directories kept between builds, left out of the layer",
        {},
        optional,
        R"(["/root/.npm", {"path": "/var/cache/apt", "share": "machine"}])"},
    Field{"timeout", "duration", "Time limit", "10m", optional, "20m"},
    Field{"retries", "int 0..10", "Tries again after a failure", "0"},
    Field{"secrets", "list string", "Secrets mounted for this step only", {}, optional, R"(["npm_token"])"},
    Field{
        "egress", "egress", "What it may reach: all, none, or a list of hosts (see network.egress)", "all",
        optional, R"(["apt"])"},
};

constexpr std::array k_cache{
    Field{"path", "directory", "Absolute directory in the sandbox", {}, required, "/root/.cache/pip"},
    Field{
        "share", "enum checkout|machine", "Whose it is: every file that says machine shares one", "checkout"},
};

constexpr std::array k_prepare_step{
    Field{"id", "name", "Its name in addresses", "its position: 1, 2, …", optional, "build"},
    Field{"run", "text", "Shell script", {}, required, "npm run build"},
    Field{"user", "user", "Who runs it", "environment.user"},
    Field{"env", "map env", "Variables of this step"},
    Field{
        "inputs",
        "list input",
        "Seed files that exist while it runs; nothing else of the seed does, and no other file repeats it",
        {},
        optional,
        R"(["migrations/*.sql"])"},
    Field{"cache", "list cache", "Directories kept between builds, left out of the layer"},
    Field{"timeout", "duration", "Time limit", "10m"},
    Field{"retries", "int 0..10", "Tries again after a failure", "0"},
    Field{"secrets", "list string", "Secrets mounted for this step only"},
};

constexpr std::array k_seed{
    Field{"from", "string", "Directory or archive, relative to this file", ".", optional, "."},
    Field{"to", "directory", "Where it goes", "/workspace", optional, "/workspace"},
    Field{
        "git", "git", "Which files of a git checkout; {history: true} is without ignored files and with .git",
        "tracked+untracked", optional, R"({"history": true})"},
    Field{"exclude", "list string", "Patterns in gitignore syntax", {}, optional, R"(["dist/", "*.log"])"},
    Field{"owner", "user", "Who owns the files", "environment.user", optional, "node:node"},
    Field{"on_change", "enum reset|sync|keep", "What apply does when the seed has changed", "reset"},
};

constexpr std::array k_git{
    Field{
        "files", "enum tracked|tracked+untracked|all", "Which files of a git checkout", "tracked+untracked"},
    Field{"history", "bool", "With .git, so that git works inside", "false"},
};

constexpr std::array k_service{
    Field{
        "command",
        "command",
        "What to run: a text for /bin/sh, or a list",
        {},
        required,
        R"(["python3", "-m", "http.server", "8080"])"},
    Field{"user", "user", "Who runs it", "environment.user"},
    Field{"workdir", "directory", "Where it runs", "environment.workdir"},
    Field{"env", "map env", "Variables over environment.env", {}, optional, R"({"PORT": "8080"})"},
    Field{
        "env_file", "list input", "Files of variables, from the seed", {}, optional, R"(["config/dev.env"])"},
    Field{"secrets", "list string", "Secrets at /run/secrets/NAME", {}, optional, R"(["jwt_key"])"},
    Field{
        "oneshot", "oneshot", "It must exit 0, and apply waits for that: true, or how often it runs", "false",
        optional, R"({"per": "content"})"},
    Field{
        "depends_on",
        "depends_on",
        "What must be there first",
        {},
        optional,
        R"({"db": {"condition": "ready", "restart": true}})"},
    Field{"readiness", "shape readiness", "How it is known to be ready"},
    Field{"liveness", "shape liveness", "How it is known to be still well"},
    Field{"restart", "enum no|on-failure|always", "When it is started again", "no"},
    Field{"max_restarts", "int 0..1000000", "How often", "5"},
    Field{"timeout", "duration", "Time limit of a oneshot", {}, optional, "2m"},
    Field{"stop", "shape stop", "How it is stopped"},
    Field{
        "ports",
        "list port",
        "\"8080\", \"3000:8080\" or \"0.0.0.0:3000:8080\"",
        {},
        optional,
        R"(["8080"])"},
    Field{
        "hint",
        "string",
        "Shown when it does not become ready",
        {},
        optional,
        "is port 5432 taken by a database of your own?"},
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
    Field{"exec", "command", "Ready when this exits 0", {}, optional, "pg_isready -q"},
    Field{"http", "shape http", "Ready when this answers"},
    Field{"tcp", "tcp", "Ready when this port accepts: 6379 or host:6379", {}, optional, "6379"},
    Field{"file", "string", "Ready when this path exists", {}, optional, "/run/app/ready"},
    Field{
        "log", "text", "Ready when its output has this text, or /expression/", {}, optional, "listening on"},
    Field{"interval", "duration", "Between two tries", "at once, then 100ms doubling to 1s"},
    Field{"timeout", "duration", "One try", "2s"},
    Field{"deadline", "duration", "Total time to ready", "60s", optional, "90s"},
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
    Field{"path", "string", "Path", "/", optional, "/healthz"},
    Field{"method", "enum GET|HEAD|POST|OPTIONS", "Method", "GET"},
    Field{"status", "status", "200, 200-399, or a list of those", "200-399", optional, "200-299"},
    Field{"headers", "map string", "Request headers", {}, optional, R"({"Accept": "application/json"})"},
};

constexpr std::array k_stop{
    Field{"signal", "signal", "First signal", "SIGTERM", optional, "SIGINT"},
    Field{"grace", "duration", "Then SIGKILL after", "10s", optional, "20s"},
};

constexpr std::array k_snapshot{
    Field{
        "at", "string", "image, setup, setup.ID, seed, prepare, prepare.ID or ready", {}, required, "ready"},
    Field{"memory", "enum auto|true|false", "Also keep memory and device state", "auto"},
    Field{
        "services", "enum running|stopped",
        "At ready: what they do while it is taken; stopped ones have closed their files", "running"},
};

constexpr std::array k_retention{
    Field{"keep", "int 0..100000", "Per name", "3"},
    Field{"min_age", "duration", "Never collect younger ones", "24h", optional, "7d"},
    Field{"max_size", "size", "Of all together", "none", optional, "40GiB"},
};

constexpr std::array k_reset{
    Field{"to", "string", "A snapshot's name, or baseline", "the deepest snapshot", optional, "start"},
    Field{"undo", "duration", "How long the undo point lives", "24h", optional, "6h"},
};

constexpr std::array k_drift{
    Field{"report", "list directory", "Where to look", "/", optional, R"(["/workspace", "/etc"])"},
    Field{
        "ignore",
        "list string",
        "Patterns in gitignore syntax, beside the built-in ones",
        {},
        optional,
        R"(["**/__pycache__/"])"},
    Field{"policy", "enum report|reset|fail", "What apply does about drift", "report"},
};

constexpr std::array k_network{
    Field{
        "egress", "egress",
        "none, all, or a list of hosts: names (*.NAME for all below it), addresses and address/prefix, each "
        "with :PORT or "
        "for HTTP and HTTPS; apt, github, npm and pypi stand for their hosts",
        "none", optional, R"(["api.example.org", "*.example.net:8080", "npm"])"},
};

constexpr std::array k_lifecycle{
    Field{"ttl", "duration", "Life from the last apply", "none", optional, "12h"},
    Field{"idle", "duration", "Time without use", "none", optional, "30m"},
    Field{"on_idle", "enum stop|destroy", "What happens then", "stop"},
    Field{"on_expire", "enum stop|destroy", "What happens at the end of ttl", "stop"},
};

constexpr std::array k_mount{
    Field{"from", "string", "Directory of this machine, relative to this file", {}, required, "./src"},
    Field{
        "to", "directory", "Where it shows: below /workspace, or elsewhere", {}, required, "/workspace/src"},
    Field{"mode", "enum ro|rw", "Whether what runs inside may write there (asked for: `pyro trust`)", "ro"},
};

constexpr std::array k_shapes{
    Shape{"root", "", "The whole file. Only `version` and `environment` are needed", k_root},
    Shape{
        "var", "vars.NAME",
        "A variable: what `${NAME}` stands for. `--var`, then `PYRO_VAR_NAME`, then `env`, then `default` "
        "decide",
        k_var},
    Shape{
        "secret", "secrets.NAME",
        "Where a secret comes from: exactly one of `env`, `file` and `command`. Its value is never stored or "
        "shown",
        k_secret, "env|file|command"},
    Shape{
        "request_header", "secrets.NAME.as",
        "Where the gateway puts a secret into a request: a header that has the placeholder in it",
        k_request_header},
    Shape{
        "environment", "environment",
        "What the workspace stands on: its image, its size, and cached steps before the seed", k_environment},
    Shape{"resources", "environment.resources", "How much of this machine the sandbox gets", k_resources},
    Shape{
        "setup_step", "environment.setup[]",
        "A cached step before the seed. It runs again when anything changes that it is given", k_setup_step,
        "run|apt|npm|pip|tools"},
    Shape{
        "cache", "environment.setup[].cache[]",
        "A directory that is kept between builds; a path alone is the same with `share: checkout`", k_cache},
    Shape{
        "seed", "seed", "Which files are copied into the workspace, and what happens when they change",
        k_seed},
    Shape{
        "git", "seed.git",
        "Which files of a git checkout, in full; one of the words of `files` alone is the same without "
        "history",
        k_git},
    Shape{
        "prepare_step", "prepare[]",
        "A cached step after the seed, or, with `inputs`, before it with these files alone", k_prepare_step},
    Shape{
        "service", "services.NAME",
        "A process inside the workspace, started with it in the order of `depends_on`", k_service},
    Shape{"oneshot", "services.NAME.oneshot", "How often a service runs that has to end with 0", k_oneshot},
    Shape{
        "dependency", "services.NAME.depends_on.SERVICE",
        "What has to be there before the service is started; a list of names alone has the defaults",
        k_dependency},
    Shape{
        "readiness", "services.NAME.readiness",
        "How it is known that the service is ready: exactly one of `exec`, `http`, `tcp`, `file` and `log`",
        k_readiness, "exec|http|tcp|file|log"},
    Shape{
        "liveness", "services.NAME.liveness",
        "How it is known that a ready service is still well: exactly one of `exec`, `http`, `tcp` and `file`",
        k_liveness, "exec|http|tcp|file"},
    Shape{
        "http", "services.NAME.readiness.http", "A request to the service; the same below `liveness`",
        k_http},
    Shape{"stop", "services.NAME.stop", "How the service is stopped", k_stop},
    Shape{
        "snapshot", "snapshots.NAME", "A point that `reset`, `fork` and `snapshot export` can name",
        k_snapshot},
    Shape{
        "retention", "retention",
        "What `pyro prune`, and the daily retention, leave of cached steps and seeds", k_retention},
    Shape{"reset", "reset", "Where `pyro reset` goes to, and for how long it can be undone", k_reset},
    Shape{
        "drift", "drift",
        "Files that were changed inside: where they are looked for, and what apply does about them", k_drift},
    Shape{
        "network", "network",
        "What prepare steps and running processes may reach; setup steps have `egress` of their own",
        k_network},
    Shape{"lifecycle", "lifecycle", "When the workspace stops by itself", k_lifecycle},
    Shape{
        "mount", "mounts[]",
        "A live directory of this machine, with backend namespaces: no part of the content, so snapshots and "
        "resets leave it alone",
        k_mount},
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

#include "slurm.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/text.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <unistd.h>

namespace pyro::place {

namespace {

constexpr std::chrono::seconds k_patience{30}; // with the controller
constexpr std::size_t k_most_output = 4U << 20U;

std::string program(const std::string& name) {
  auto path = os::find_program(name);
  if (!path) {
    throw Error(ErrorCode::unavailable, "Slurm is not on this machine: there is no {}", name)
        .with_hint("Debian: apt-get install slurm-client; places of Slurm need it, everything else does not");
  }
  return std::move(*path);
}

os::Command command(std::vector<std::string> argv) {
  os::Command made;
  argv.front() = program(argv.front());
  made.argv = std::move(argv);
  made.env = environment_of_slurm();
  made.cwd = "/";
  return made;
}

std::vector<std::string> last_lines(const std::string& text) {
  constexpr std::size_t k_most = 5;
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    if (end > begin) {
      lines.push_back(escape_controls(text.substr(begin, end - begin)));
    }
    begin = end + 1;
  }
  if (lines.size() > k_most) {
    lines.erase(lines.begin(), lines.end() - k_most);
  }
  return lines;
}

os::Captured ask_slurm(const os::Command& asked, std::string_view input = {}) {
  try {
    return os::run(asked, input, k_patience, k_most_output);
  } catch (Error& error) {
    if (error.code() == ErrorCode::timeout) {
      throw Error(
          ErrorCode::unavailable, "Slurm does not answer: {} took more than {} s", asked.argv.front(),
          k_patience.count())
          .with_hint("`scontrol ping` says whether its controller is up");
    }
    throw;
  }
}

Error refused(const std::string& what, const os::Captured& captured) {
  return Error(ErrorCode::unavailable, "Slurm {}", what).with_output(last_lines(captured.err));
}

std::string checked(const os::Command& asked, const std::string& what) {
  auto captured = ask_slurm(asked);
  if (!captured.outcome.ok()) {
    throw refused(what, captured);
  }
  return std::move(captured.out);
}

/// One word of a shell, whatever is in it.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) {
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return text + "'";
}

std::string mebibytes(std::uint64_t bytes) {
  constexpr std::uint64_t k_mebibyte = 1U << 20U;
  return fmt::format("{}M", (bytes + k_mebibyte - 1) / k_mebibyte);
}

bool is_id(const std::string& id) {
  return !id.empty() && id.size() < 12
         && std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
}

JobPhase phase_of(std::string_view state) {
  constexpr std::array k_waiting{"PENDING",      "CONFIGURING",   "REQUEUED",
                                 "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"};
  constexpr std::array k_running{"RUNNING", "SUSPENDED", "RESIZING", "SIGNALING", "STAGE_OUT"};
  const auto is_in = [&](const auto& states) {
    return std::find(states.begin(), states.end(), state) != states.end();
  };
  return is_in(k_waiting) ? JobPhase::waiting : is_in(k_running) ? JobPhase::running : JobPhase::ended;
}

/// Of what is counted; 0 for what is no count.
std::int64_t number_of(std::string_view text) {
  return std::max<std::int64_t>(0, whole_number<std::int64_t>(std::string(text)).value_or(0));
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// "2026-01-31T08:00:00", in the time of this machine; 0 for what is none ("Unknown").
double epoch_of(const std::string& text) {
  std::tm time{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) {
    return 0;
  }
  time.tm_isdst = -1; // as it is there then
  return static_cast<double>(std::mktime(&time));
}

} // namespace

os::Variables environment_of_slurm() {
  auto variables = os::made_environment();
  variables.erase("TMPDIR"); // a directory of this machine
  if (const char* configuration = std::getenv("SLURM_CONF");
      configuration != nullptr && *configuration == '/') {
    if (::access(configuration, R_OK) != 0) { // Slurm's programs would try for a minute
      throw Error(ErrorCode::unavailable, "SLURM_CONF is {}, which cannot be read", configuration);
    }
    variables["SLURM_CONF"] = configuration;
  }
  return variables;
}

bool has_slurm() {
  return os::find_program("sbatch").has_value() && os::find_program("srun").has_value();
}

std::string submit(const LeaseRequest& request) {
  std::vector<std::string> argv{
      "sbatch",
      "--parsable",
      "--no-requeue",
      "--nodes=1",
      "--ntasks=1",
      "--chdir=/",
      "--input=/dev/null",
      "--output=/dev/null",
      "--error=/dev/null",
      "--job-name=" + request.job_name,
      "--partition=" + request.place.partition,
      fmt::format("--cpus-per-task={}", request.cpus)};
  if (request.memory_bytes > 0) {
    argv.push_back("--mem=" + mebibytes(request.memory_bytes));
  }
  if (request.disk_bytes > 0) {
    argv.push_back("--tmp=" + mebibytes(request.disk_bytes));
  }
  if (request.time_limit) { // in whole minutes, as Slurm counts
    constexpr std::int64_t k_minute = 60'000;
    argv.push_back(fmt::format(
        "--time={}", std::max<std::int64_t>(1, (request.time_limit->count() + k_minute - 1) / k_minute)));
  }
  if (!request.place.qos.empty()) {
    argv.push_back("--qos=" + request.place.qos);
  }
  if (!request.place.account.empty()) {
    argv.push_back("--account=" + request.place.account);
  }
  std::string script = "#!/bin/sh\nexec";
  for (const auto& word : request.program) {
    script += " " + quoted(word);
  }
  const auto captured = ask_slurm(command(std::move(argv)), script + "\n");
  if (!captured.outcome.ok()) {
    throw refused(fmt::format("takes no job for {}", to_string(request.place)), captured)
        .with_hint("`pyro on` lists what the partitions have");
  }
  auto id = captured.out.substr(0, captured.out.find_first_of(";\n"));
  if (!is_id(id)) {
    throw Error(ErrorCode::protocol, "sbatch told no job's id");
  }
  return id;
}

std::string value_of(std::string_view line, std::string_view key) {
  const auto wanted = fmt::format("{}=", key);
  for (std::size_t begin = 0; begin < line.size();) {
    const auto end = std::min(line.find_first_of(" \n", begin), line.size());
    const auto word = line.substr(begin, end - begin);
    if (word.starts_with(wanted)) {
      const auto value = word.substr(wanted.size());
      return value == "(null)" || value == "None" ? "" : std::string(value);
    }
    begin = end + 1;
  }
  return "";
}

Job parse_job(std::string_view line) {
  Job job;
  job.id = value_of(line, "JobId");
  job.state = value_of(line, "JobState");
  job.reason = value_of(line, "Reason");
  job.node = value_of(line, "NodeList");
  job.restarts = number_of(value_of(line, "Restarts"));
  job.phase = phase_of(job.state);
  job.ends_at = job.phase == JobPhase::waiting ? 0 : epoch_of(value_of(line, "EndTime"));
  job.is_completing = job.state == "COMPLETING";
  if (job.id.empty() || job.state.empty()) {
    throw Error(ErrorCode::protocol, "scontrol told no job");
  }
  return job;
}

Job job(const std::string& id) {
  const auto captured = ask_slurm(command({"scontrol", "-o", "show", "job", id}));
  if (captured.outcome.ok()) {
    return parse_job(captured.out);
  }
  if (captured.err.find("Invalid job id") != std::string::npos) {
    Job forgotten;
    forgotten.id = id;
    forgotten.state = "UNKNOWN";
    return forgotten;
  }
  throw refused(fmt::format("does not tell of job {}", id), captured);
}

std::optional<std::string> job_named(const std::string& name) {
  const auto listed = checked(
      command({"squeue", "-h", "--name=" + name, fmt::format("--user={}", ::getuid()), "-o", "%i"}),
      "does not list jobs");
  auto id = listed.substr(0, listed.find('\n'));
  return is_id(id) ? std::optional(std::move(id)) : std::nullopt;
}

void cancel(const std::string& id) {
  const auto captured = ask_slurm(command({"scancel", id}));
  if (!captured.outcome.ok() && captured.err.find("Invalid job id") == std::string::npos
      && captured.err.find("already") == std::string::npos) {
    throw refused(fmt::format("does not end job {}", id), captured);
  }
}

std::optional<Partition> parse_partition(std::string_view line) {
  constexpr std::size_t k_fields = 6;
  const auto fields = split(line, '|');
  if (fields.size() != k_fields) {
    return std::nullopt;
  }
  Partition partition;
  partition.name = fields[0];
  if (partition.name.ends_with('*')) {
    partition.is_default = true;
    partition.name.pop_back();
  }
  partition.is_up = fields[1] == "up";
  partition.time_limit = fields[2];
  const auto nodes = split(fields[3], '/'); // allocated, idle, other, all
  const auto cpus = split(fields[4], '/');
  if (nodes.size() != 4 || cpus.size() != 4) {
    return std::nullopt;
  }
  partition.nodes = number_of(nodes[3]);
  partition.usable_nodes = partition.nodes - number_of(nodes[2]);
  partition.cpus = number_of(cpus[3]);
  partition.idle_cpus = number_of(cpus[1]);
  auto memory = fields[5];
  if (memory.ends_with('+')) {
    memory.pop_back();
  }
  partition.memory_mib = number_of(memory);
  return partition;
}

std::vector<Partition> partitions() {
  const auto listed =
      checked(command({"sinfo", "-h", "-o", "%P|%a|%l|%F|%C|%m"}), "does not list its partitions");
  std::vector<Partition> all;
  for (const auto& line : split(listed, '\n')) {
    if (auto partition = parse_partition(line)) {
      all.push_back(std::move(*partition));
    }
  }
  return all;
}

os::Command step(const std::string& job_id, const std::vector<std::string>& program_of_step) {
  std::vector<std::string> argv{"srun",      "--jobid=" + job_id, "--overlap", "--unbuffered", "--quiet",
                                "--nodes=1", "--ntasks=1",        "--mem=0",   "--chdir=/"};
  argv.insert(argv.end(), program_of_step.begin(), program_of_step.end());
  auto made = command(std::move(argv));
  made.die_with_parent = true;
  return made;
}

bool is_hopeless(std::string_view reason) {
  constexpr std::array k_never{"PartitionTimeLimit",      "PartitionNodeLimit", "PartitionConfig",
                               "BadConstraints",          "InvalidAccount",     "InvalidQOS",
                               "AssociationTimeLimit",    "QOSTimeLimit",       "AssociationResourceLimit",
                               "QOSMaxCpuPerJobLimit",    "QOSMaxMemoryPerJob", "JobHeldAdmin",
                               "DependencyNeverSatisfied"};
  return std::find(k_never.begin(), k_never.end(), reason) != k_never.end();
}

} // namespace pyro::place

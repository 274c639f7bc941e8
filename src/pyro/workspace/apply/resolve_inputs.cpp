#include "resolve_inputs.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/seed/git_inside.hpp>
#include <pyro/spec/env_file.hpp>
#include <pyro/workspace/context/named_path.hpp>
#include <pyro/workspace/context/own_files.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <unistd.h>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

std::string absolute_in(const LoadedProject& project, const std::string& path) {
  return fs::path(path).is_absolute() ? path
                                      : (fs::path(project.directory) / path).lexically_normal().string();
}

std::string stat_cache_of(const Context& context, const std::string& source) {
  const auto directory = context.base.root() + "/stat-cache";
  os::make_directories(directory);
  return directory + "/" + sha256_of(source).substr(0, 32);
}

/// `pyro apply > apply.log` in the checkout: what it says would be a part of what it is about.
/// An ignore rule that fits this path alone.
std::string pattern_of(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (std::string_view("\\*?[ ").find(c) != std::string_view::npos) {
      pattern += '\\';
    }
    pattern += c;
  }
  return pattern;
}

std::vector<seed::FileId> own_outputs() {
  std::vector<seed::FileId> files;
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat status {};

    if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
      files.push_back({status.st_dev, status.st_ino});
    }
  }
  return files;
}

/// git on the copy is what `git: all` is for. The rest of the seed is as it should be, so that nothing is
/// refused.
void tell_broken_git(Context& context, const LoadedProject& project, const seed::SeedScan& scan) {
  if (project.spec.seed.git != spec::GitMode::all && !project.spec.seed.git_history) {
    return;
  }
  constexpr std::size_t k_most = 5;
  const auto place = to_string(project.spec.place("seed.git"));
  const auto broken = seed::broken_git_in(scan);
  for (std::size_t index = 0; index < std::min(broken.size(), k_most); ++index) {
    context.emit(
        "note", "seed",
        fmt::format(
            "{}: git will not work inside: {} is {}; `git clone` makes a checkout that has everything of its "
            "own",
            place, broken[index].path, broken[index].reason));
  }
  if (broken.size() > k_most) {
    context.emit("note", "seed", fmt::format("{}: and {} more of these", place, broken.size() - k_most));
  }
}

/// An archive is taken as it is.
void refuse_choice_in_archive(const LoadedProject& project) {
  if (project.file.empty()) {
    return; // nobody wrote it
  }
  const auto& spec = project.spec;
  for (const auto* address : {"seed.git", "seed.exclude"}) {
    if (spec.positions.contains(address)) {
      throw Error(
          ErrorCode::invalid_file, "{} chooses files of a directory; an archive is taken as it is", address)
          .at(spec.place(address))
          .with_hint("leave it out, or let `from` name a directory");
    }
  }
}

/// Who asks for it has to get it: a seed that lies below the top of its checkout has no .git.
void require_history(const LoadedProject& project, const ResolvedInputs& resolved) {
  if (resolved.scan->find(".git") == nullptr) {
    throw Error(
        ErrorCode::input_missing, "seed.git.history: there is no .git in the seed {}",
        resolved.scan->source())
        .at(project.spec.place("seed.git"))
        .with_hint("a seed has history where it is the top directory of a git checkout (and does not exclude "
                   "it)");
  }
}

/// The file itself is no content, nor is what pyro writes beside it: a change of a run-time field must not
/// make a new seed. But git would miss what it tracks.
void leave_out_own_files(
    const LoadedProject& project, const std::string& source, seed::SeedRequest& request) {
  if (project.file.empty()) {
    return;
  }
  const auto leave_out = [&](const fs::path& path, const fs::path& tracked) {
    const auto top = fs::weakly_canonical(source);
    const auto inside = path.lexically_relative(top).string();
    if (!inside.empty() && !inside.starts_with("..")
        && !seed::is_tracked_by_seeded_git(request, tracked.lexically_relative(top).string())) {
      request.exclude.push_back("/" + pattern_of(inside));
    }
  };
  const auto schema = fs::path(project.directory) / k_schema_path;
  leave_out(project.file, project.file);
  const auto lock = fs::path(project.directory) / k_lock_name;
  leave_out(lock, lock);
  leave_out(schema.parent_path(), schema);
}

void resolve_seed(
    Context& context, const LoadedProject& project, const RestlessFiles& restless, ResolvedInputs& resolved) {
  const auto& seed = project.spec.seed;
  try {
    const auto source = resolved_path(project.directory, seed.from);
    if (!os::exists(source)) {
      throw Error(ErrorCode::input_missing, "the seed {} does not exist", source);
    }
    if (os::is_directory(source)) {
      seed::SeedRequest request;
      request.source = source;
      request.git = static_cast<seed::GitMode>(seed.git);
      request.history = seed.git_history ? seed::GitHistory::taken : seed::GitHistory::left_out;
      request.exclude = seed.exclude;
      leave_out_own_files(project, source, request);
      request.own_outputs = own_outputs();
      request.restless = restless;
      request.stat_cache = stat_cache_of(context, source);
      resolved.scan = std::make_unique<seed::SeedScan>(seed::scan_seed(request));
      resolved.digests.seed_tree = resolved.scan->tree_digest();
      for (const auto& warning : resolved.scan->warnings()) {
        context.emit("note", "seed", fmt::format("{}: {}", warning.path, warning.reason));
      }
      tell_broken_git(context, project, *resolved.scan);
    } else {
      refuse_choice_in_archive(project);
      resolved.archive = seed::scan_archive_seed(source, stat_cache_of(context, source));
      resolved.digests.seed_tree = resolved.archive->tree_digest;
    }
  } catch (Error& error) {
    throw error.position() ? error : error.at(project.spec.place("seed.from"));
  }
  if (seed.git_history && resolved.scan) { // not of an archive: refuse_choice_in_archive()
    require_history(project, resolved);
  }
}

void resolve_step_inputs(
    const LoadedProject& project, const std::vector<spec::Step>& steps, const std::string& prefix,
    ResolvedInputs& resolved) {
  for (const auto& step : steps) {
    if (step.inputs.empty()) {
      continue;
    }
    const auto address = prefix + step.id;
    if (!resolved.scan) {
      throw Error(ErrorCode::invalid_file, "inputs need a seed that is a directory")
          .at(project.spec.place(address + ".inputs"));
    }
    try {
      for (const auto& pattern : step.inputs) {
        const auto found = seed::digest_of_inputs(*resolved.scan, {pattern});
        resolved.digests.step_inputs[address].emplace_back(pattern, found.digest);
        auto& paths = resolved.step_paths[address];
        paths.insert(paths.end(), found.paths.begin(), found.paths.end());
      }
    } catch (Error& error) {
      throw error.at(project.spec.place(address + ".inputs"));
    }
  }
}

std::optional<std::string>
env_file_text(const LoadedProject& project, const std::string& service, const std::string& file) {
  try {
    return maybe_read_named(project.directory, file, 1 << 20);
  } catch (Error& error) {
    throw error.at(project.spec.place("services." + service + ".env_file"));
  }
}

/// An image that is said to lie in the checkout must do so: said here, with what to do about it.
void check_image_path(const LoadedProject& project) {
  const auto reference = environment::parse_image(project.spec.environment.image, project.directory);
  if (!reference.path.empty()) {
    std::ignore = resolved_path(project.directory, reference.path);
  }
}

/// What a name was found to be when it was fetched is written down, so that others fetch the same. Where that
/// cannot be written, apply goes on without.
void lock_fetched(Context& context, const LoadedProject& project, const std::string& exact) {
  const auto digest = exact.substr(exact.find('@') + 1);
  try {
    write_lock(project.directory, {{{project.image.name, digest}}});
    context.emit(
        "note", "environment",
        fmt::format("{}: {} is {}; commit it", k_lock_name, project.image.name, digest.substr(0, 19)));
  } catch (const Error& error) {
    context.emit("note", "environment", fmt::format("not locked: {}", error.message()));
  }
}

void tell_unlocked(Context& context, const LoadedProject& project) {
  const auto kind = environment::parse_image(image_of(project), project.directory).kind;
  if (kind == environment::ImageKind::debian && !project.file.empty()) {
    context.emit(
        "note", "environment",
        fmt::format(
            "{} is made of the packages of the day; `pyro lock` writes down which, so that others are told "
            "where theirs differ",
            image_of(project)));
  }
}

void resolve_image(Context& context, const LoadedProject& project, Build build, ResolvedInputs& resolved) {
  check_image_path(project);
  if (project.image.problem) {
    throw *project.image.problem;
  }
  const auto& image = image_of(project);
  require_locked_image(context, project);
  auto& environments = context.environments;
  auto digest = environments.fingerprint(image, project.directory, project.registries);
  if (!digest && build == Build::yes) {
    const bool is_to_lock = project.image.by_digest && !project.image.has_lock && !project.file.empty();
    const auto exact =
        is_to_lock ? environments.pinned(image, project.directory, project.registries) : std::nullopt;
    if (exact) {
      digest = environments.resolve_pinned(image, *exact, project.directory, project.registries).digest;
      lock_fetched(context, project, *exact);
    } else {
      digest = environments.resolve(image, project.directory, project.registries).digest;
      require_locked_image(context, project);
      if (!project.image.has_lock) {
        tell_unlocked(context, project);
      }
    }
  }
  resolved.environment_known = digest.has_value();
  resolved.digests.environment = digest.value_or(sha256_of("not built yet: " + image));
}

void resolve_env_files(const LoadedProject& project, ResolvedInputs& resolved) {
  for (const auto& [name, service] : project.spec.services) {
    Sha256 digest;
    for (const auto& file : service.env_file) {
      const auto path = absolute_in(project, file);
      const auto text = env_file_text(project, name, file);
      if (!text) {
        throw Error(ErrorCode::input_missing, "the env file {} does not exist", path)
            .at(project.spec.place("services." + name + ".env_file"));
      }
      digest.field(*text);
      spec::read_env_file(*text, path, resolved.env_files[name]);
    }
    if (!service.env_file.empty()) {
      resolved.digests.env_files[name] = digest.finish();
    }
  }
}

/// The image, the seed and the files of steps as a chain says that they were.
void take_file_digests(const std::vector<plan::Link>& chain, plan::InputDigests& digests) {
  constexpr std::string_view k_file = "input ";
  for (const auto& link : chain) {
    for (const auto& input : link.inputs) {
      if (input.name == "image") {
        digests.environment = input.digest;
      } else if (input.name == "seed tree") {
        digests.seed_tree = input.digest;
      } else if (input.name.starts_with(k_file)) {
        digests.step_inputs[link.address].emplace_back(input.name.substr(k_file.size()), input.digest);
      }
    }
  }
}

ResolvedInputs inputs_of(const LoadedProject& project) {
  ResolvedInputs resolved;
  resolved.digests.checkout = project.file.empty() ? "" : project.directory; // made by hand: nobody's
  resolved.digests.single_id = os::IdSpace::current().kind() == os::IdSpace::Kind::single;
  return resolved;
}

} // namespace

void require_locked_image(Context& context, const LoadedProject& project) {
  if (!project.image.wanted.empty()) {
    require_locked(
        project.image, project.directory,
        context.environments.digest_for_lock(image_of(project), project.directory, project.registries));
  }
}

std::string empty_seed(const Context& context) {
  return context.base.root() + "/empty";
}

store::SeedSource seed_source(const Context& context, const ResolvedInputs& resolved) {
  if (resolved.archive) {
    return {"tar_archive", resolved.archive->path, {}, {}};
  }
  const auto source = resolved.scan->source();
  const auto empty = fs::weakly_canonical(empty_seed(context)).string();
  if (fs::weakly_canonical(source).string() == empty) {
    return {"empty", "", 0, 0};
  }
  std::uint64_t bytes = 0;
  for (const auto& entry : resolved.scan->entries()) {
    bytes += entry.type == seed::SeedType::file ? entry.size : 0;
  }
  return {
      "directory", source, static_cast<std::int64_t>(resolved.scan->entries().size()),
      static_cast<std::int64_t>(bytes)};
}

ResolvedInputs
resolve_inputs(Context& context, const LoadedProject& project, Build build, const RestlessFiles& restless) {
  auto resolved = inputs_of(project);
  try {
    resolve_image(context, project, build, resolved);
  } catch (Error& error) {
    throw error.position() ? error : error.at(project.spec.place("environment.image"));
  }
  resolve_seed(context, project, restless, resolved);
  resolve_step_inputs(project, project.spec.environment.setup, "environment.setup.", resolved);
  resolve_step_inputs(project, project.spec.prepare, "prepare.", resolved);
  resolve_env_files(project, resolved);
  resolved.chain = plan::build_chain(project.spec, resolved.digests);
  return resolved;
}

std::vector<plan::Link> portable_chain(Context& context, const LoadedProject& project) {
  ResolvedInputs resolved;
  check_image_path(project);
  resolved.digests.environment = sha256_of("image " + image_of(project) + project.image.wanted);
  resolve_seed(context, project, {}, resolved);
  resolve_step_inputs(project, project.spec.environment.setup, "environment.setup.", resolved);
  resolve_step_inputs(project, project.spec.prepare, "prepare.", resolved);
  resolve_env_files(project, resolved);
  return plan::build_chain(project.spec, resolved.digests);
}

ResolvedInputs resolve_service_inputs(const LoadedProject& project) {
  auto resolved = inputs_of(project);
  resolve_env_files(project, resolved);
  resolved.chain = plan::build_chain(project.spec, resolved.digests);
  return resolved;
}

ResolvedInputs resolve_as_applied(const LoadedProject& project, const std::vector<plan::Link>& applied) {
  auto resolved = inputs_of(project);
  resolve_env_files(project, resolved);
  take_file_digests(applied, resolved.digests);
  resolved.chain = plan::build_chain(project.spec, resolved.digests);
  return resolved;
}

} // namespace pyro::workspace

#include "capture.hpp"

#include "capture_files.hpp"
#include "capture_packages.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/path_text.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/spec/append_steps.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/spec/normal_form.hpp>
#include <pyro/store/text_patch.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project.hpp>
#include <pyro/workspace/state/locate.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace pyro::workspace {

namespace {

using spec::NewStep;
using spec::StepList;

constexpr std::size_t k_most_listed = 1000;
constexpr std::size_t k_longest_text = 1 << 20;

std::string without_slash(const std::string& path) {
  return path.starts_with('/') ? path.substr(1) : path;
}

/// What the changes come to.
struct Proposal {
  Json steps = Json::array(); // {list, id, run}
  Json checkout = Json::array();
  Json not_reproduced = Json::array();
  Json notes = Json::array();
  std::int64_t captured = 0;

  void refuse(const std::string& path, const std::string& why) {
    if (not_reproduced.size() < k_most_listed) {
      not_reproduced.push_back({{"path", "/" + path}, {"why", why}});
    }
  }

  void add_step(StepList list, const std::string& id, const std::string& run) {
    if (!run.empty()) {
      steps.push_back({{"list", spec::name_of(list)}, {"id", id}, {"run", "set -e\n" + run}});
    }
  }
};

Json to_json(Proposal proposal) {
  return {
      {"steps", std::move(proposal.steps)},
      {"checkout", std::move(proposal.checkout)},
      {"not_reproduced", std::move(proposal.not_reproduced)},
      {"notes", std::move(proposal.notes)},
      {"captured", proposal.captured}};
}

/// Within os::IdSpace::run.
Json propose(const Examined& seen, const std::string& seed) {
  Proposal proposal;
  std::vector<std::string> changed;
  for (const auto& change : seen.changes) {
    changed.push_back(change.path);
  }
  const auto packages = package_scripts(seen.before, seen.after, seen.causes.packages().all(), changed, seed);
  proposal.notes = packages.notes;
  FileScript files(seen);
  for (const auto& change : seen.changes) {
    const auto& path = change.path;
    const auto cause = seen.causes.of(path, change.entry);
    const bool is_made = std::any_of(
        packages.directories.begin(), packages.directories.end(),
        [&](const std::string& directory) { return is_at_or_below(path, directory); });
    if (is_made
        || ((cause == "apt" || cause == "pip" || cause == "npm") && seen.causes.packages().owner_of(path))) {
      const bool is_loose = !is_made && cause == "npm" && path.find("node_modules") != std::string::npos
                            && path.find("lib/node_modules") == std::string::npos;
      if (is_loose) {
        proposal.refuse(path, "its project has no package-lock.json, by which npm would install the same");
      } else {
        ++proposal.captured;
      }
    } else if (cause == "build") {
      proposal.refuse(path, "a build tool made it: run that in a prepare step");
    } else if (is_at_or_below(path, seed)) {
      if (proposal.checkout.size() < k_most_listed) {
        proposal.checkout.push_back("/" + path);
      }
    } else if (change.origin.starts_with("prepare.")) {
      proposal.refuse(path, fmt::format("{} made it: change that step", change.origin));
    } else if (cause == "service") {
      proposal.refuse(path, "a service made it, and makes it again when it runs");
    } else if (const auto problem = files.add(change); !problem.empty()) {
      proposal.refuse(path, problem);
    } else {
      ++proposal.captured;
    }
  }
  proposal.add_step(StepList::setup, "captured-packages", packages.setup);
  proposal.add_step(StepList::setup, "captured-files", files.text());
  proposal.add_step(StepList::prepare, "captured-modules", packages.prepare);
  return to_json(std::move(proposal));
}

spec::Spec parse(const std::string& text, const ProjectFile& file, const Project& project) {
  spec::ParseOptions options;
  options.file = file.shown;
  options.directory = std::filesystem::path(file.directory).filename().string();
  if (!project.profile.empty()) {
    options.profile = project.profile;
  }
  options.vars = project.vars;
  options.host_env = [](const std::string&) {
    return spec::HostAnswer::withheld();
  };
  return spec::parse_spec_or_throw(text, options);
}

/// Names that the file does not have yet.
void choose_ids(Json& steps, const spec::Spec& spec) {
  std::set<std::string> taken;
  for (const auto* list : {&spec.environment.setup, &spec.prepare}) {
    for (const auto& step : *list) {
      taken.insert(step.id);
    }
  }
  for (auto& step : steps) {
    const auto base = get_string(step, "id");
    auto id = base;
    for (int number = 2; !taken.insert(id).second; ++number) {
      id = fmt::format("{}-{}", base, number);
    }
    step["id"] = id;
  }
}

std::vector<NewStep> new_steps(const Json& steps) {
  std::vector<NewStep> list;
  for (const auto& step : steps) {
    const bool is_setup = get_string(step, "list") == spec::name_of(StepList::setup);
    list.push_back(
        {is_setup ? StepList::setup : StepList::prepare, get_string(step, "id"), get_string(step, "run")});
  }
  return list;
}

/// The normal form without the last steps, which have to be those.
Json without(Json form, const std::vector<NewStep>& steps) {
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    auto& list = step->list == StepList::setup ? form["environment"]["setup"] : form["prepare"];
    const bool is_it = list.is_array() && !list.empty() && string_or(list.back(), "id", "") == step->id
                       && string_or(list.back(), "run", "") == step->run;
    if (!is_it) {
      return nullptr;
    }
    list.erase(list.size() - 1);
  }
  return form;
}

/// The file with the steps; that it says this and nothing else is looked at.
std::string changed_file(const ProjectFile& file, const Project& project, const std::vector<NewStep>& steps) {
  auto text = spec::with_steps(file.text, steps);
  const auto before = spec::normal_form(parse(file.text, file, project));
  if (without(spec::normal_form(parse(text, file, project)), steps) != before) {
    throw Error(
        ErrorCode::failed, "the steps cannot be put into {} by themselves: it would mean something else",
        file.shown)
        .with_hint("they are in the result (`pyro capture --json`, steps): write them in by hand");
  }
  return text;
}

void replace_file(const ProjectFile& file, const std::string& text) {
  if (os::maybe_read_file(file.file, k_longest_text) != file.text) {
    throw Error(ErrorCode::stale, "{} was changed meanwhile: it was not written", file.shown)
        .with_hint("call it again");
  }

  struct stat status {};

  constexpr mode_t k_usual = 0644;
  const auto real = std::filesystem::canonical(file.file).string();
  const bool is_known = ::stat(real.c_str(), &status) == 0;
  os::write_file_atomically(real, text, is_known ? status.st_mode & 0777 : k_usual);
}

void add_notes(Json& notes, const Json& steps, const spec::Spec& spec) {
  const bool has_prepare = std::any_of(steps.begin(), steps.end(), [](const Json& step) {
    return get_string(step, "list") == spec::name_of(StepList::prepare);
  });
  if (has_prepare && spec.network_egress.kind == spec::EgressKind::none) {
    notes.push_back(
        "prepare steps reach nothing while network.egress is none: what they install has to be in a cache");
  }
}

} // namespace

Json capture_changes(
    Context& context, const std::string& workspace, const Project& project, WriteFile write) {
  context.base.prepare();
  const auto file = read_project_file(project);
  const auto located = locate(context, workspace, project);
  const store::WorkspacePaths paths(context.base, located.id);
  auto document =
      read_consistently(context, located.id, "capture", [&](const store::WorkspaceRecord& record) {
        const auto applied = spec::applied_spec(record.spec);
        DiffRequest request{base_stack_of(record), applied.drift_report, built_in_ignores()};
        if (request.roots.empty()) {
          request.roots = {"/"};
        }
        const auto& own = file.spec.drift.ignore;
        request.ignore.insert(request.ignore.end(), own.begin(), own.end());
        request.explained = true;
        return examine_changes(context, paths, record, request, [&](const Examined& seen) {
          return propose(seen, without_slash(applied.seed_directory));
        });
      });
  auto& steps = document["steps"];
  choose_ids(steps, file.spec);
  const auto list = new_steps(steps);
  document["workspace_id"] = located.id;
  document["file"] = file.file;
  add_notes(document["notes"], steps, file.spec);
  document["patch"] = "";
  document["written"] = false;
  if (!list.empty()) {
    const auto text = changed_file(file, project, list);
    const auto name = std::filesystem::path(file.file).filename().string();
    document["patch"] = store::text_patch(name, store::TextSide{file.text}, store::TextSide{text});
    if (write == WriteFile::yes) {
      replace_file(file, text);
      document["written"] = true;
    }
  }
  return document;
}

} // namespace pyro::workspace

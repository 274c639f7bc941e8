// Reading what recipes depend on: the environment's digest, the seed, the inputs of steps, env files.
#pragma once

#include <pyro/plan/recipe.hpp>
#include <pyro/seed/archive.hpp>
#include <pyro/seed/scan.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace pyro::workspace {

struct ResolvedInputs {
  plan::InputDigests digests;
  std::vector<plan::Link> chain;
  std::unique_ptr<seed::SeedScan> scan;                                // of a directory
  std::optional<seed::ArchiveSeed> archive;                            // of an archive
  std::map<std::string, std::map<std::string, std::string>> env_files; // service → its variables
  std::map<std::string, std::vector<std::string>> step_paths; // address of a step → its input files
  std::vector<std::string> changed;                           // of the seed, found while it was copied
  bool environment_known = true; // false: the image is not built yet, its digest a stand-in
};

/// What it is and, but for an archive, how much.
store::SeedSource seed_source(const Context& context, const ResolvedInputs& resolved);

/// The directory that an empty seed is made from.
std::string empty_seed(const Context& context);

/// Error(invalid_file) where pyro.lock wants another image than is here. Of images that are fetched by their
/// digest, and of those that are not here yet, nothing is looked at.
void require_locked_image(Context& context, const LoadedProject& project);

/// With Build::yes the environment is pulled or built where it is missing; else a stand-in digest is used.
enum class Build { yes, no };

using RestlessFiles = std::set<std::string, std::less<>>;

/// `restless`: files of the seed that changed between scan and copy before.
ResolvedInputs resolve_inputs(
    Context& context, const LoadedProject& project, Build build, const RestlessFiles& restless = {});

/// Only what services are defined by (their part of the chain, their env files): at no cost that grows with
/// the seed. Keys of this chain mean nothing.
ResolvedInputs resolve_service_inputs(const LoadedProject& project);

/// As they were when this chain was applied, but for what services are defined by, which is read: at no cost
/// that grows with the seed. Only what lies above the seed can be built of it.
ResolvedInputs resolve_as_applied(const LoadedProject& project, const std::vector<plan::Link>& applied);

/// The chain of a file by what the checkout says alone: the image by its name (and pyro.lock), whoever has
/// the checkout and where it lies left out. Equal wherever the same would be built; no key of the store.
std::vector<plan::Link> portable_chain(Context& context, const LoadedProject& project);

} // namespace pyro::workspace

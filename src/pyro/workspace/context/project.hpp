// A pyro.yaml on disk: found, read, checked; and which workspace belongs to it.
#pragma once

#include "context.hpp"
#include "host_requests.hpp"
#include "lock_file.hpp"
#include "requests.hpp"

#include <pyro/environment/image.hpp>
#include <pyro/spec/parse.hpp>

#include <string>

namespace pyro::workspace {

/// What a pyro.yaml says without anything of this machine: no variable, file or command that it names has
/// been looked at.
struct ProjectFile {
  std::string text;
  spec::Spec spec;       // where it is not complete, some values are as they are written
  std::string file;      // absolute
  std::string directory; // absolute, of the file: the checkout
  std::string shown;     // the file as the user wrote it, for messages
  HostRequests requests; // what it wants of this machine

  /// As LoadedProject::identity; nullopt: its name is not known without this machine.
  std::optional<std::string> identity() const;
};

/// A file with its values. There is one only where what it needs of this machine was agreed to, or where no
/// file stands behind it (apply/by_hand.hpp).
struct LoadedProject {
  spec::Spec spec;
  std::string file;      // absolute
  std::string directory; // absolute, of the file: relative paths in it start here
  std::string shown;     // the file as the user wrote it, for messages
  /// By which apply finds the workspace again: name plus the path of the checkout, so two checkouts of one
  /// repository are two workspaces.
  std::string identity;
  HostCompat host_compat = HostCompat::refused;
  std::map<std::string, std::string> secrets; // values given by hand, see secrets.hpp
  std::vector<spec::Diagnostic> warnings;
  HostRequests requests; // what was agreed to
  Json source;           // the text and all it was read with: apply/applied_source.hpp
  environment::RegistryAccess registries = environment::RegistryAccess::anonymous; // for its image
  LockedImage image; // what spec.environment.image is by pyro.lock; of one made by hand: not set
};

/// The image that is to be had.
const std::string& image_of(const LoadedProject& project);

/// As in LoadedProject.
std::string identity_of(const std::string& name, const std::string& directory);

/// Throws Error(input_missing) where there is no file, Error(invalid_file) with every diagnostic where it is
/// not valid.
ProjectFile read_project_file(const Project& project);

/// The same with its values, which needs an agreement: a recorded one, one of the settings, or that of who is
/// asked. Else Error(approval_needed) with the list; nothing of it has been read then.
LoadedProject load_project(const Context& context, const Project& project);
/// The same of a file that was read already.
LoadedProject load_project(const Context& context, const Project& project, const ProjectFile& file);

/// Nobody is asked and nothing agreed to: nullopt where that would be needed.
std::optional<LoadedProject>
load_if_agreed(const Context& context, const Project& project, const ProjectFile& file);

/// What is to be agreed to now: the list of the file; where that is agreed to, also what its values make of
/// it.
HostRequests wanted_requests(const Context& context, const Project& project, const ProjectFile& file);

/// The list as a document, for people who are to agree to it: Settings::agree.
Json describe_requests(
    const Context& context, const Project& project, const ProjectFile& file, const HostRequests& requests);

/// The diagnostics alone, for `validate`: of the file as such, so host variables are not asked for.
spec::ParseResult parse_project(const Project& project, std::string& shown);

/// The file of a project as an absolute path; empty where there is none.
std::string find_project_file(const Project& project);

} // namespace pyro::workspace

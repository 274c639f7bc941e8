// A pyro.yaml on disk: found, read, checked; and which workspace belongs to it.
#pragma once

#include "context.hpp"
#include "manager.hpp"

#include <pyro/spec/parse.hpp>

#include <string>

namespace pyro::workspace {

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
};

/// Throws Error(input_missing) where there is no file, Error(invalid_file) with every diagnostic where it is
/// not valid.
LoadedProject load_project(const Project& project);

/// The diagnostics alone, for `validate`.
spec::ParseResult parse_project(const Project& project, std::string& shown);

/// The file of a project as an absolute path; empty where there is none.
std::string find_project_file(const Project& project);

} // namespace pyro::workspace

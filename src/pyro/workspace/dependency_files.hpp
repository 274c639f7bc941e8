// What the files of package managers say that a project depends on. They are read for what a first pyro.yaml
// proposes, so what cannot be read says nothing; the package manager itself will say what is wrong with it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

/// A file of the directory, at most 1 MiB; "" where there is none, or it is a link or no file.
std::string text_of_file(const std::string& directory, const std::string& name);

struct NodePackage {
  std::set<std::string> dependencies; // for development too
  std::map<std::string, std::string> scripts;
};

NodePackage node_package(const std::string& directory);

struct PythonPackage {
  std::vector<std::string> files;        // of requirements, for pip's -r
  std::vector<std::string> requirements; // of these files and of pyproject.toml: names, extras, versions
  bool has_more = false;                 // what is more than that: options, other files, markers, addresses
};

PythonPackage python_package(const std::string& directory);

std::set<std::string> go_modules(const std::string& directory);

/// Names of crates.
std::set<std::string> crates(const std::string& directory);

struct ComposeFile {
  std::string name;             // empty: there is none
  std::set<std::string> images; // without registry and tag: "postgres"
};

ComposeFile compose_file(const std::string& directory);

} // namespace pyro::workspace

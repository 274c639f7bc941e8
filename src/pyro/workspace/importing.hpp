// `pyro import`: a first pyro.yaml made of the file of another tool. What is made of it: foreign/import.hpp.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

enum class ImportedKind { compose, devcontainer };

enum class Overwrite { no, yes };

/// {"file", "source", "unmapped": [{"line", "column", "key", "reason", "needed"}]}. `source` is bounded and a
/// regular file; what lies beside it is read beneath its directory only. Error(already_exists) where there is
/// a pyro.yaml, Error(invalid_file) where `source` is none of its kind.
Json import_file(const Project& project, const std::string& source, ImportedKind kind, Overwrite overwrite);

} // namespace pyro::workspace

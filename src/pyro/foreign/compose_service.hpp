// One service of a compose.yaml as a service here. For compose.cpp.
#pragma once

#include "draft.hpp"
#include "reading.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace pyro::foreign {

struct ComposeDependency {
  std::string condition; // as here; empty: the default
  bool restart = false;
  Position place;
};

struct ComposeImport {
  Draft draft;
  const ReadBeside& read;
  std::string image_of;             // the service whose image everything stands on
  std::map<int, std::string> ports; // inside → service
  /// By service, added to their lines at the end, when it is known what there is.
  std::map<std::string, std::map<std::string, ComposeDependency>> dependencies = {};
  std::map<std::string, std::string> names = {}; // there → here, of those that run
  std::uint64_t memory = 0;
  double cpus = 0;
};

bool is_known_server(const std::string& image);

void add_compose_service(ComposeImport& import, const spec::Entry& entry);

/// What only the whole file tells: dependencies, sizes.
void finish_compose(ComposeImport& import);

} // namespace pyro::foreign

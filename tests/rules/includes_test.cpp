// The layers of design §6: which folder may include which, and where a library may be named.
#include "source_tree.hpp"

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

namespace pyro::rules {
namespace {

using Folders = std::set<std::string>;

Folders with(Folders folders, const std::string& one) {
  folders.insert(one);
  return folders;
}

/// Beside itself, what each folder below src/pyro may include. `app` wires everything together.
const std::map<std::string, Folders>& allowed() {
  static const Folders backend{"base", "os", "protocol"};
  static const Folders concrete{"base", "os", "protocol", "backend", "backend/shared"};
  static const Folders front{"base", "operations"};
  // The rooms of workspace, each on top of the one before it.
  static const Folders context{"base",           "os",          "egress",       "events", "spec", "plan",
                               "protocol",       "foreign",     "seed",         "store",  "oci",  "backend",
                               "backend/shared", "environment", "guest_images", "mirror"};
  static const auto sandbox = with(context, "workspace/context");
  static const auto state = with(sandbox, "workspace/sandbox");
  static const auto use = with(state, "workspace/state");
  static const auto apply = with(use, "workspace/use");
  static const auto workspace = with(apply, "workspace/apply");
  static const std::map<std::string, Folders> rules{
      {"base", {}},
      {"os", {"base"}},
      {"egress", {"base"}},
      {"gateway", {"base", "os", "egress"}},
      {"gateway/program", {"base", "gateway"}},
      {"events", {"base", "os"}},
      {"http", {"base", "os"}},
      {"http_server", {"base", "os"}},
      {"spec", {"base", "egress"}},
      {"foreign", {"base", "spec"}},
      {"protocol", {"base"}},
      {"plan", {"base", "spec"}},
      {"seed", {"base", "os"}},
      {"store", {"base", "os"}},
      {"oci", {"base", "os", "store"}},
      {"backend", backend},
      {"backend/shared", {"base", "os", "egress", "protocol", "backend"}},
      {"backend/fake", concrete},
      {"backend/namespaces", concrete},
      {"backend/namespaces/filter", concrete},
      {"backend/qemu", concrete},
      {"backend/firecracker", {"base", "os", "http", "protocol", "backend", "backend/shared"}},
      {"backend/host", concrete},
      {"ports", {"base", "os", "protocol"}},
      {"supervisor", {"base", "os", "events", "protocol", "ports", "backend", "backend/shared"}},
      // The program: puts the supervisor and the backends together, as app does for pyro.
      {"supervisor/program",
       {"base", "os", "protocol", "backend", "backend/shared", "backend/namespaces", "backend/host",
        "backend/qemu", "backend/firecracker", "supervisor"}},
      {"environment", {"base", "os", "store", "oci", "backend/shared"}},
      {"guest_images", {"base", "os", "store", "environment"}},
      {"mirror", {"base", "os", "protocol", "backend"}},
      {"workspace/context", context},
      {"workspace/sandbox", sandbox},
      {"workspace/state", state},
      {"workspace/use", use},
      {"workspace/apply", apply},
      {"workspace", workspace},
      {"ssh", {"base", "os", "protocol", "workspace"}},
      {"place", {"base", "os"}},
      // Settings and requests are in the context.
      {"operations", {"base", "place", "workspace", "workspace/context"}},
      {"node", {"base", "os", "protocol", "ports", "store", "place", "workspace/context", "operations"}},
      {"launcher", {"base", "os", "operations"}},
      {"cli", front},
      {"cli/commands", {"base", "operations", "cli"}},
      {"mcp", {"base", "os", "http_server", "operations"}},
      {"capi", {"base", "operations", "launcher"}},
      {"agent/guest", {"base", "os", "protocol"}},
      {"agent", {"base", "os", "protocol", "agent/guest"}},
  };
  return rules;
}

/// "backend/namespaces" for "pyro/backend/namespaces/launcher.hpp".
std::string folder_of(std::string path) {
  path = path.substr(path.find("pyro/") + 5);
  const auto end = path.rfind('/');
  return end == std::string::npos ? "" : path.substr(0, end);
}

std::string place(const SourceFile& file, const Include& include) {
  return file.path + ":" + std::to_string(include.line) + ": includes " + include.target;
}

TEST(Includes, FoldersIncludeOnlyWhatLiesBelowThem) {
  int seen = 0;
  for (const auto& file : sources_below({"src"})) {
    const auto folder = folder_of(file.path.substr(4));
    if (folder == "app") {
      continue;
    }
    ASSERT_TRUE(allowed().contains(folder)) << file.path << " is in a folder that has no rule; add one here";
    for (const auto& include : includes_of(file)) {
      if (include.target.starts_with("pyro/") && include.target != "pyro/pyro.h" // of include/, for everybody
          && !include.target.ends_with(".inc")) {                                // .inc: made by the build
        const auto other = folder_of(include.target);
        ++seen;
        EXPECT_TRUE(other == folder || allowed().at(folder).contains(other)) << place(file, include);
      }
    }
  }
  EXPECT_GT(seen, 50) << "the rule looks at the wrong folder";
}

/// Whom the folder includes, by itself or through others.
void reach(const std::map<std::string, Folders>& edges, const std::string& from, Folders& reached) {
  const auto next = edges.find(from);
  if (next == edges.end()) {
    return;
  }
  for (const auto& folder : next->second) {
    if (reached.insert(folder).second) {
      reach(edges, folder, reached);
    }
  }
}

TEST(Includes, NoFolderIncludesItselfThroughOthers) {
  std::map<std::string, Folders> edges;
  for (const auto& file : sources_below({"src"})) {
    const auto folder = folder_of(file.path.substr(4));
    for (const auto& include : includes_of(file)) {
      if (include.target.starts_with("pyro/") && folder_of(include.target) != folder) {
        edges[folder].insert(folder_of(include.target));
      }
    }
  }
  EXPECT_GT(edges.size(), 20U) << "the rule looks at the wrong folder";
  for (const auto& [folder, others] : edges) {
    Folders reached;
    reach(edges, folder, reached);
    EXPECT_FALSE(reached.contains(folder)) << folder << " is in a cycle of folders";
  }
}

TEST(Includes, QuotedOnesStayInTheirFolder) {
  for (const auto& file : sources_below({"src"})) {
    for (const auto& include : includes_of(file)) {
      if (include.quoted) {
        EXPECT_EQ(include.target.find('/'), std::string::npos) << place(file, include);
      } else {
        EXPECT_FALSE(include.target.ends_with(".hpp") && include.target.find('/') == std::string::npos)
            << place(file, include) << ", which is a file of ours: use quotes";
      }
    }
  }
}

TEST(Includes, LibrariesAreNamedInOneFolderOnly) {
  const std::vector<std::pair<std::regex, Folders>> owners{
      {std::regex("^yaml-cpp/"), {"spec", "cli"}}, // read in one, written in the other
      {std::regex("^CLI/"), {"cli"}},
      {std::regex("^archive(_entry)?\\.h$"), {"os"}},
      {std::regex("^spdlog/"), {"base"}},
      {std::regex("^openssl/"), {"base", "gateway"}},
      {std::regex("^ares\\.h$"), {"gateway"}},
      {std::regex("^boost/"), {"gateway"}},
      {std::regex("^nghttp2/"), {"protocol"}},
      {std::regex("^libssh/"), {"ssh"}},
      {std::regex("^curl/"), {"http"}},
      {std::regex("^microhttpd\\.h$"), {"http_server"}},
      {std::regex("^seccomp\\.h$"), {"backend/namespaces/filter"}},
  };
  for (const auto& file : sources_below({"src"})) {
    const auto folder = folder_of(file.path.substr(4));
    for (const auto& include : includes_of(file)) {
      for (const auto& [library, folders] : owners) {
        if (std::regex_search(include.target, library)) {
          EXPECT_TRUE(folders.contains(folder)) << place(file, include);
        }
      }
    }
  }
}

TEST(Includes, NoneThatDoesNotWorkOnOurCompiler) {
  for (const auto& file : sources_below({"src", "tests"})) {
    for (const auto& include : includes_of(file)) {
      EXPECT_TRUE(include.target != "format" && include.target != "expected" && include.target != "print")
          << place(file, include) << ": g++ 12 lacks it";
    }
  }
}

TEST(Includes, TheAgentDependsOnNothingLarge) {
  for (const auto& file : all_files()) {
    if (file.path == "src/pyro/agent/CMakeLists.txt") {
      for (const auto* name : {"yaml", "CLI11", "archive", "pyro_spec", "pyro_store", "pyro_plan"}) {
        EXPECT_EQ(file.text.find(name), std::string::npos) << file.path << " links " << name;
      }
    }
  }
}

} // namespace
} // namespace pyro::rules

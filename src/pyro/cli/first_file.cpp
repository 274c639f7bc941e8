#include "first_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace pyro::cli {

namespace {

struct Kind {
  std::string_view name;
  std::array<std::string_view, 2> signs; // files that tell
  std::string_view setup;                // at four spaces, below environment
  std::string_view exclude;
  std::string_view prepare; // at two spaces, top level
};

constexpr std::array k_kinds{
    Kind{
        "cmake",
        {"CMakeLists.txt", ""},
        R"(  # setup:                         # each step is a cached layer
  #   - id: tools
  #     run: apt-get update && apt-get install -y --no-install-recommends g++ cmake ninja-build
)",
        "[build/]",
        R"(prepare:                          # after the seed; runs again only if a file changed
  - {id: build, run: cmake -S . -B build && cmake --build build}
)"},
    Kind{
        "node",
        {"package.json", ""},
        R"(  setup:                           # each step is a cached layer
    - id: deps
      inputs: [package.json]       # only these files are there while it runs; add your lock file
      run: npm install
      cache: [/root/.npm]          # kept between builds
)",
        "[node_modules/, dist/]",
        R"(# prepare:                        # after the seed; runs again only if a file changed
#   - {id: build, run: npm run build}
)"},
    Kind{
        "python",
        {"pyproject.toml", "requirements.txt"},
        R"(  # setup:                         # each step is a cached layer
  #   - id: deps
  #     inputs: [requirements.txt]   # only these files are there while it runs
  #     run: python3 -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt
  #     cache: [/root/.cache/pip]
)",
        "[.venv/, __pycache__/]",
        R"(# prepare:                        # after the seed; runs again only if a file changed
#   - {id: check, run: python3 -m compileall -q .}
)"},
    Kind{
        "go",
        {"go.mod", ""},
        R"(  setup:                           # each step is a cached layer
    - id: deps
      inputs: [go.mod]             # only these files are there while it runs; add go.sum if you have one
      run: go mod download
)",
        "[bin/]",
        R"(prepare:                          # after the seed; runs again only if a file changed
  - {id: build, run: go build ./...}
)"},
    Kind{
        "rust",
        {"Cargo.toml", ""},
        R"(  # setup:                         # each step is a cached layer
  #   - {id: tools, run: apt-get update && apt-get install -y --no-install-recommends cargo}
)",
        "[target/]",
        R"(prepare:                          # after the seed; runs again only if a file changed
  - {id: build, run: cargo build}
)"},
    Kind{
        "generic",
        {"", ""},
        R"(  # setup:                         # each step is a cached layer
  #   - {id: tools, run: apt-get update && apt-get install -y --no-install-recommends make}
)",
        "[]",
        R"(# prepare:                        # after the seed; runs again only if a file changed
#   - {id: build, run: make}
)"},
};

constexpr std::string_view k_head =
    R"(# A workspace for {name}. `pyro plan` says what this would do, `pyro apply` does it; `pyro validate` checks it.
version: 1
name: {name}

environment:
  image: host                      # this machine's own system, read-only: nothing to download
  # image: debian:12-build         # or a clean Debian with compilers, or an OCI reference
{setup}
seed:                              # your files, copied in; the originals are never touched
  from: .
  to: /workspace
  exclude: {exclude}

{prepare}
# services:                       # started in order, watched, and ready before apply is done
#   web:
#     command: python3 -m http.server 8080
#     readiness: {http: {port: 8080}}

snapshots:                         # points to come back to
  start: {at: prepare}

reset: {to: start}                 # `pyro reset` goes there, `pyro undo` comes back
)";

void replace(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

} // namespace

std::string kind_of_directory(const std::string& directory) {
  for (const auto& kind : k_kinds) {
    for (const auto sign : kind.signs) {
      if (!sign.empty() && std::filesystem::is_regular_file(std::filesystem::path(directory) / sign)) {
        return std::string(kind.name);
      }
    }
  }
  return "generic";
}

std::string first_file(const std::string& kind, const std::string& name) {
  const auto found =
      std::find_if(k_kinds.begin(), k_kinds.end(), [&](const Kind& one) { return one.name == kind; });
  const auto& chosen = found == k_kinds.end() ? k_kinds.back() : *found;
  std::string text(k_head);
  const bool prepared = chosen.prepare.starts_with("prepare:");
  replace(text, "{setup}", chosen.setup);
  replace(text, "{exclude}", chosen.exclude);
  replace(text, "{prepare}", chosen.prepare);
  replace(text, "{at: prepare}", prepared ? "{at: prepare}" : "{at: seed}");
  replace(text, "{name}", name);
  return text;
}

} // namespace pyro::cli

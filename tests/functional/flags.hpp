// One case for each flag of each command: what is seen from outside differs with and without it. The name of
// a case says which flag it is: TEST_F(Flags, workspace_create__mem_mib) is `pyro workspace create
// --mem-mib`, common__json the flag --json of every command. Flags.EachHasACase holds the program's own list
// against these names.
#pragma once

#include "../support/home.hpp"
#include "../support/terminal.hpp"

#include <memory>
#include <optional>

namespace pyro::testing {

/// Nothing here needs more than a shell, so sandboxes stand on a root of one program, which is quickly read.
/// Everything is public: cases of commands that share a flag are functions of a fixture.
class Flags : public Functional {
public:
  /// project()/pyro.yaml on that root, with project()/seed as /workspace; `body` follows.
  void file(const std::string& body = "", const fs::path& directory = {});

  /// That root as an ENVIRONMENT of the command line.
  std::string image() const { return "dir:" + (project() / "root").string(); }

  /// The id of a new workspace by hand.
  std::string made(const Arguments& flags = {});

  /// `pyro workspace exec ID FLAGS -- sh -c SCRIPT`
  Result in(const std::string& id, const std::string& script, const Arguments& flags = {});

  /// Runs `words` with `flags` behind them, or before what follows "--".
  Result with(const Arguments& words, const Arguments& flags, const RunOptions& options = {});

  /// `pyro` at a terminal, in the project.
  std::unique_ptr<OnATerminal> at_a_terminal(const Arguments& words, const RunOptions& options = {});

  /// What it prints at a terminal until it ends; the status has to be 0.
  std::string seen_at_a_terminal(const Arguments& words, const RunOptions& options = {});

  /// Another pyro that holds the workspace of the project's file until the test is over.
  os::Child somebody_at_work();

protected:
  void SetUp() override;
  void TearDown() override;

private:
  std::optional<std::string> m_cache_before;
};

/// The words of a JSON list of texts, or of one member of each of its objects.
std::string joined(const Json& list, const std::string& member = "");

} // namespace pyro::testing

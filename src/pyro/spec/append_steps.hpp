// Steps put into the text of a pyro.yaml behind those that are there, with everything else as it was written:
// comments, order, quotes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro::spec {

enum class StepList { setup, prepare }; // `environment.setup`, `prepare`

/// "environment.setup", "prepare".
std::string_view name_of(StepList list);

struct NewStep {
  StepList list = StepList::setup;
  std::string id;
  std::string run;       // as the shell is to see it: what pyro would replace is escaped
  std::string user = {}; // empty: as the list has it by default
};

/// Error(failed) where the text is written in a way that this cannot add to (anchors, a `setup:` that is no
/// list); nothing is guessed. The caller checks that the result means what it should.
std::string with_steps(std::string text, const std::vector<NewStep>& steps);

} // namespace pyro::spec

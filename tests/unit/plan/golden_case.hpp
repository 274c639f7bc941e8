// One folder of specs/plan: pyro.yaml, observed.json and the plan that must come out.
//
// observed.json: {"measured": {…}, "profile": …, "vars": {…},
//                 "applied": {"file": "before.yaml", "profile": …, "vars": {…}, "measured": {…}},
//                 "observed": {…}}
// With "applied" the workspace is first taken to be exactly what that file asks for (started, all services
// ready, every layer and snapshot in the store); "observed" is then merged over it (RFC 7396). Keys may be
// written as "key:applied:POINT" and "key:wanted:POINT". Without "applied" there is no workspace.
#pragma once

#include <pyro/plan/render.hpp>
#include <pyro/spec/normal_form.hpp>

#include <string>
#include <vector>

namespace pyro::plan::testing {

struct GoldenCase {
  spec::Spec wanted;
  std::vector<Link> chain;
  Observed observed;
};

/// A workspace that is exactly what the file asks for: started, all services ready, every layer and snapshot
/// in the store.
Observed steady_state(const spec::Spec& spec, const std::vector<Link>& chain);

std::string read_text_file(const std::string& path);

/// Folders under specs/plan, sorted.
std::vector<std::string> case_names();
std::string case_folder(const std::string& name);

GoldenCase load_case(const std::string& name);

/// The header that every expected text has.
PlanHeader header_of(const GoldenCase& golden);

} // namespace pyro::plan::testing

// environment.ca: certificates of a company that programs inside trust beside those of their system. It is a
// set-up step of ours before all others, so that its layer is kept and keyed as theirs are, and variables for
// programs that bring certificates of their own.
#pragma once

#include <pyro/spec/spec.hpp>

#include <string>

namespace pyro::workspace {

/// Reads the file, which has been agreed to where it lies outside of `directory`, and adds the step
/// `environment.setup.ca` and the variables; nothing where the spec names no file. Throws at the field.
void add_authority(spec::Spec& spec, const std::string& directory);

} // namespace pyro::workspace

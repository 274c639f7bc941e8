// The two calls to the agent that a mirror is made from. What comes is the guest's word: bounded, checked.
#pragma once

#include "mirror.hpp"

#include <pyro/protocol/upper_content.hpp>

#include <functional>
#include <string>
#include <vector>

namespace pyro::mirror {

struct UpperList {
  std::string records; // not checked yet
  protocol::UpperListResult result;
};

UpperList fetch_upper_list(backend::ControlClient& client, const MirrorOptions& options);

/// Contents of these files, in order, to the callbacks of `sink`. Each of them has either `file` with
/// is_there false, or `file`, pieces and `end`.
void fetch_upper_files(
    backend::ControlClient& client, const MirrorOptions& options, const std::vector<std::string>& paths,
    protocol::UpperContentDecoder::Sink sink);

} // namespace pyro::mirror

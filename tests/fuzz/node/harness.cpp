// What comes from a node and from Slurm's programs: frames of a call in whatever pieces, the documents in
// them, what scontrol(1) and sinfo(1) say. The first byte chooses.
#include "../support/require.hpp"

#include <pyro/base/error.hpp>
#include <pyro/node/call.hpp>
#include <pyro/node/connect.hpp>
#include <pyro/node/frame.hpp>
#include <pyro/place/placed.hpp>
#include <pyro/place/slurm.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace pyro;

using Frames = std::vector<std::pair<node::FrameKind, std::string>>;

/// False at the end: an error.
std::pair<Frames, bool> decode(std::string_view bytes, std::size_t step) {
  Frames frames;
  node::FrameDecoder decoder([&](node::FrameKind kind, const Json& body) {
    frames.emplace_back(kind, body.dump(-1, ' ', false, Json::error_handler_t::replace));
  });
  try {
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      decoder.feed(bytes.substr(at, step));
    }
    return {frames, true};
  } catch (const Error& error) {
    require(error.code() == ErrorCode::protocol, "rubbish is a protocol error");
    return {frames, false};
  }
}

void check_frames(std::string_view bytes) {
  const auto whole = decode(bytes, bytes.size() + 1);
  for (const std::size_t step : {1U, 7U}) {
    const auto pieces = decode(bytes, step);
    require(pieces.second == whole.second, "where it is cut says nothing of whether it is good");
    require(pieces.first == whole.first, "nor of what it says");
  }
  std::string again;
  for (const auto& [kind, body] : whole.first) {
    again += node::encode_frame(kind, Json::parse(body));
  }
  require(decode(again, again.size() + 1) == std::pair(whole.first, true), "what was read can be written");
}

/// Takes any document, or says what is wrong with it.
void check_documents(const std::string& text) {
  Json value;
  try {
    value = parse_json(text, "a document");
  } catch (const Error&) {
    return;
  }
  const auto take = [&](const auto& reader) {
    try {
      reader();
    } catch (const Error&) { // says so
    }
  };
  take([&] {
    const auto call = node::call_from_json(value);
    require(to_json(node::call_from_json(to_json(call))) == to_json(call), "a call survives its journey");
  });
  take([&] { std::ignore = node::exec_request_from_json(value); });
  take([&] { std::ignore = node::exec_result_from_json(value); });
  take([&] { std::ignore = node::shell_request_from_json(value); });
  take([&] { std::ignore = node::log_request_from_json(value); });
  take([&] { std::ignore = place::placed_from_json(value); });
  take([&] { std::ignore = operations::event_from_json(value); });
  take([&] { std::ignore = error_from_json(value); });
}

void check_slurm(const std::string& text) {
  try {
    const auto job = place::parse_job(text);
    require(!job.id.empty() && !job.state.empty(), "a job has an id and a state");
  } catch (const Error&) { // it is none
  }
  if (const auto partition = place::parse_partition(text)) {
    require(partition->usable_nodes <= partition->nodes, "no more than there are");
  }
  if (node::is_greeting(text)) {
    require(node::version_in(text).size() < text.size(), "a version is a part of it");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 3) {
  case 0:
    check_frames(text);
    break;
  case 1:
    check_documents(text);
    break;
  default:
    check_slurm(text);
  }
  return 0;
}

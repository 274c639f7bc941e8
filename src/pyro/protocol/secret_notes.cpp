#include "secret_notes.hpp"

#include "requests.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <utility>

namespace pyro::protocol {

namespace {

constexpr std::size_t k_piece = 96 << 10; // in base64 well within one message (k_max_json)

} // namespace

Json to_json(const SecretNote& value) {
  return {{"name", value.name}, {"value", base64_encode(value.value)}};
}

SecretNote secret_note_from_json(const Json& value) {
  SecretNote note{get_string(value, "name"), base64_decode(get_string(value, "value"))};
  check_name(note.name, "the secret");
  return note;
}

std::vector<Json> frames_of(const SecretNote& note) {
  std::vector<Json> frames;
  std::size_t at = 0;
  do {
    const auto piece = std::min(k_piece, note.value.size() - at);
    auto frame = to_json(SecretNote{note.name, note.value.substr(at, piece)});
    at += piece;
    frame["more"] = at < note.value.size();
    frames.push_back(std::move(frame));
  } while (at < note.value.size());
  return frames;
}

std::optional<SecretNote> SecretNoteReader::add(const Json& frame) {
  auto piece = secret_note_from_json(frame);
  if (m_note.name.empty()) {
    m_note.name = piece.name;
  }
  if (m_note.name != piece.name) {
    throw Error(ErrorCode::protocol, "the secret {} is cut off by {}", m_note.name, piece.name);
  }
  m_note.value += piece.value;
  if (get_bool(frame, "more")) {
    return std::nullopt;
  }
  return std::exchange(m_note, {});
}

} // namespace pyro::protocol

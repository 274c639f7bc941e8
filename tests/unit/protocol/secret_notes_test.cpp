#include <pyro/base/error.hpp>
#include <pyro/protocol/message.hpp>
#include <pyro/protocol/secret_notes.hpp>

#include <gtest/gtest.h>

namespace pyro::protocol {
namespace {

SecretNote through(const SecretNote& note) {
  SecretNoteReader reader;
  std::optional<SecretNote> whole;
  for (const auto& frame : frames_of(note)) {
    EXPECT_FALSE(whole) << "a frame after the last";
    EXPECT_LE(frame.dump().size(), k_max_json);
    whole = reader.add(parse_json(frame.dump(), "a frame"));
  }
  EXPECT_TRUE(whole);
  return whole.value_or(SecretNote{});
}

TEST(SecretNotes, AnyBytesOfAnyLengthComeThrough) {
  for (const std::size_t size : {0U, 1U, 98'303U, 98'304U, 98'305U, 1'048'576U}) {
    SecretNote note{"token", std::string(size, '\x01')};
    for (std::size_t at = 0; at < size; ++at) {
      note.value[at] = static_cast<char>(at * 7);
    }
    EXPECT_EQ(through(note), note) << size;
  }
}

TEST(SecretNotes, OneAfterTheOther) {
  SecretNoteReader reader;
  for (const auto* value : {"a", "b"}) {
    EXPECT_EQ(reader.add(frames_of({"token", value}).front()), (SecretNote{"token", value}));
  }
}

TEST(SecretNotes, ACutOneIsNone) {
  SecretNoteReader reader;
  reader.add(frames_of({"long", std::string(200'000, 'x')}).front());
  EXPECT_THROW(reader.add(frames_of({"other", "x"}).front()), Error);
  EXPECT_THROW(SecretNoteReader().add(Json{{"name", "../up"}, {"value", ""}, {"more", false}}), Error);
  EXPECT_THROW(SecretNoteReader().add(Json{{"name", "token"}, {"value", "eA=="}}), Error);
}

} // namespace
} // namespace pyro::protocol

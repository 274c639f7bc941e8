#include <pyro/workspace/context/terminal_text.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace pyro::workspace {
namespace {

std::string plain(std::string_view bytes) {
  TextWanted wanted;
  wanted.plain = true;
  wanted.is_end = true;
  return text_of_terminal(bytes, wanted).text;
}

/// Read like a terminal that sends `step` bytes at a time, each read going on where the last one stopped.
std::string in_steps(std::string_view bytes, std::size_t step, TextWanted wanted) {
  std::string all;
  std::size_t cursor = 0;
  for (std::size_t end = step; cursor < bytes.size(); end += step) {
    wanted.is_end = end >= bytes.size();
    const auto text = text_of_terminal(bytes.substr(cursor, std::min(end, bytes.size()) - cursor), wanted);
    all += text.text;
    cursor += text.consumed;
  }
  return all;
}

TEST(TerminalText, StripsControlSequences) {
  EXPECT_EQ(plain("\x1b[1;31mred\x1b[0m"), "red");
  EXPECT_EQ(plain("\x1b]0;title\x07text"), "text");
  EXPECT_EQ(plain("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"), "link");
  EXPECT_EQ(plain("\x1bPq#0~~\x1b\\after"), "after");
  EXPECT_EQ(
      plain("\x1b(Ba\x1b=b\x1b"
            "7c"),
      "abc");
  EXPECT_EQ(
      plain("\xc2\x9b"
            "31mx\xc2\x9d"
            "t\x07y"),
      "xy"); // the 8-bit forms
  EXPECT_EQ(
      plain("a\x07\x01\x7f"
            "b\tc"),
      "ab\tc");
}

TEST(TerminalText, BrokenSequencesSwallowNoText) {
  EXPECT_EQ(plain("\x1b[12\nnext"), "\nnext");
  EXPECT_EQ(plain("\x1b]0;title\x1b[1mtext"), "text");
  EXPECT_EQ(plain("\x1b]0;title\x18text"), "text");
  EXPECT_EQ(plain("\x1b\x1b[1mtext"), "text");
  EXPECT_EQ(plain("text\x1b["), "text[");
}

TEST(TerminalText, LinesEndOnce) {
  EXPECT_EQ(plain("a\r\nb\r\r\nc"), "a\nb\nc");
  EXPECT_EQ(plain("10%\r20%\r\n"), "10%\n20%\n");
  EXPECT_EQ(plain("cmd\r\n\x1b[?2004l\rresult\r\n"), "cmd\nresult\n"); // bash with bracketed paste
  EXPECT_EQ(plain("ab\b \bc\r\n"), "ac\n");
  EXPECT_EQ(plain("\xc3\xa4\b!"), "!");
}

TEST(TerminalText, SequencesSplitOverReadsAreFoundAllTheSame) {
  const std::string sent =
      "\x1b[1;31mred\x1b[0m \x1b]0;title\x07on\xe2\x82\xac\r\n\x1b]8;;u\x1b\\l\x1b]8;;\x1b\\\xc2\x9b"
      "1mx\x1b(By";
  TextWanted wanted;
  wanted.plain = true;
  for (std::size_t step = 1; step < sent.size(); ++step) {
    EXPECT_EQ(in_steps(sent, step, wanted), "red on\xe2\x82\xac\nlxy") << "step " << step;
  }
  wanted.max_chars = 2;
  for (std::size_t step = 1; step < sent.size(); ++step) {
    EXPECT_EQ(in_steps(sent + std::string(100, 'z'), step, wanted).substr(0, 12), "red on\xe2\x82\xac\nlx")
        << "step " << step;
  }
}

TEST(TerminalText, OneThatNeverEndsIsNotWaitedFor) {
  TextWanted wanted;
  wanted.plain = true;
  const auto endless = "\x1b]0;" + std::string(k_max_sequence + 10, 'x');
  EXPECT_GT(text_of_terminal(endless, wanted).consumed, 0U);
  EXPECT_EQ(text_of_terminal(endless.substr(0, 1000), wanted).consumed, 0U);
}

TEST(TerminalText, TakesWholeCharactersUpToTheLimit) {
  TextWanted wanted;
  wanted.max_chars = 3;
  const auto text = text_of_terminal(
      "a\xe2\x82\xac"
      "bc",
      wanted);
  EXPECT_EQ(
      text.text, "a\xe2\x82\xac"
                 "b");
  EXPECT_EQ(text.consumed, 5U);
  EXPECT_TRUE(text.is_full);
  const auto cut = text_of_terminal("a\xe2\x82", wanted);
  EXPECT_EQ(cut.text, "a");
  EXPECT_EQ(cut.consumed, 1U);
  EXPECT_FALSE(cut.is_full);
  wanted.is_end = true;
  EXPECT_EQ(text_of_terminal("a\xe2\x82", wanted).text, "a\xe2\x82");
  EXPECT_EQ(text_of_terminal("\x1b[1m", TextWanted{}).text, "\x1b[1m"); // not plain: as it is
}

TEST(TerminalText, SecretsAreReplaced) {
  const Redactor redactor(std::map<std::string, std::string>{{"TOKEN", "abc123"}});
  const std::string sent = "x abc123 y";
  TextWanted wanted;
  wanted.secrets = redactor.find(sent, true).spans;
  EXPECT_EQ(text_of_terminal(sent, wanted).text, "x [redacted:TOKEN] y");
  wanted.max_chars = 3;
  const auto part = text_of_terminal(sent, wanted);
  EXPECT_EQ(part.text, "x [redacted:TOKEN]");
  EXPECT_EQ(part.consumed, 8U);
}

} // namespace
} // namespace pyro::workspace

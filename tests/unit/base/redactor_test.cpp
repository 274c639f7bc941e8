#include <pyro/base/redactor.hpp>

#include <gtest/gtest.h>

namespace pyro {
namespace {

using Values = std::map<std::string, std::string>;

std::string in_pieces(const Redactor& redactor, const std::vector<std::string>& pieces) {
  RedactedStream stream(redactor);
  std::string shown;
  for (const auto& piece : pieces) {
    shown += stream.add(piece);
  }
  return shown + stream.finish();
}

TEST(Redactor, ReplacesEveryOccurrenceByTheName) {
  const Redactor redactor(Values{{"TOKEN", "abc123"}, {"OTHER", "zzz\n"}});
  EXPECT_EQ(redactor.redact("x abc123abc123 zzz"), "x [redacted:TOKEN][redacted:TOKEN] [redacted:OTHER]");
  EXPECT_EQ(redactor.redact("abc12"), "abc12");
  EXPECT_EQ(redactor.redact(""), "");
}

TEST(Redactor, KnowsNothingByDefaultAndOfEmptyValues) {
  EXPECT_TRUE(Redactor().empty());
  EXPECT_TRUE(Redactor(Values{{"A", ""}, {"B", "\n"}}).empty());
  EXPECT_EQ(Redactor().redact("text"), "text");
}

TEST(Redactor, ANameMayHaveSeveralValues) {
  const Redactor redactor(NamedValues{{"TOKEN", "before"}, {"TOKEN", "after!"}, {"OTHER", "before"}});
  EXPECT_EQ(redactor.redact("before after!"), "[redacted:TOKEN] [redacted:TOKEN]");
}

TEST(Redactor, AStreamLearnsOfValuesThatItsRedactorGets) {
  Redactor redactor(NamedValues{{"A", "first"}});
  RedactedStream stream(redactor);
  EXPECT_EQ(stream.add("first sec"), "[redacted:A] sec");
  redactor = Redactor(NamedValues{{"A", "first"}, {"A", "second"}});
  EXPECT_EQ(stream.add(" second fir"), " [redacted:A] ");
  EXPECT_EQ(stream.finish(), "fir");
}

TEST(Redactor, TheLongestValueWins) {
  const Redactor redactor(Values{{"SHORT", "abc"}, {"LONG", "abcdef"}});
  EXPECT_EQ(redactor.redact("abcdef abcde"), "[redacted:LONG] [redacted:SHORT]de");
}

TEST(Redactor, LinesOfAValueAreSecretsToo) {
  const Redactor redactor(Values{{"KEY", "-----BEGIN-----\nMIIEabcdef\nend\n"}});
  EXPECT_EQ(redactor.redact("a MIIEabcdef\r\n"), "a [redacted:KEY]\r\n");
  EXPECT_EQ(redactor.redact("the end"), "the end") << "short lines are ordinary words";
}

TEST(RedactedStream, FindsAValueThatIsSplitAnywhere) {
  const Redactor redactor(Values{{"T", "secret-value"}});
  const std::string text = "before secret-value after secret-val";
  const std::string wanted = "before [redacted:T] after secret-val";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(in_pieces(redactor, {text.substr(0, cut), text.substr(cut)}), wanted) << cut;
  }
  std::vector<std::string> letters;
  for (const char letter : text) {
    letters.emplace_back(1, letter);
  }
  EXPECT_EQ(in_pieces(redactor, letters), wanted);
}

TEST(RedactedStream, HoldsBackOnlyWhatMayBeABeginning) {
  const Redactor redactor(Values{{"T", "secret"}});
  RedactedStream stream(redactor);
  EXPECT_EQ(stream.add("prompt> "), "prompt> ");
  EXPECT_EQ(stream.add("sec"), "");
  EXPECT_EQ(stream.add("ond"), "second");
  EXPECT_EQ(stream.add("xs"), "x");
  EXPECT_EQ(stream.finish(), "s");
}

TEST(RedactedStream, OverlappingBeginningsAreNotLost) {
  const Redactor redactor(Values{{"T", "aab"}});
  EXPECT_EQ(in_pieces(redactor, {"a", "a", "a", "b"}), "a[redacted:T]");
  const Redactor two(Values{{"ONE", "abc"}, {"TWO", "abcabd"}});
  EXPECT_EQ(in_pieces(two, {"abc", "abc"}), "[redacted:ONE][redacted:ONE]");
  EXPECT_EQ(in_pieces(two, {"abc", "abd"}), "[redacted:TWO]");
}

TEST(RedactedStream, BytesOfAllKindsPass) {
  const Redactor redactor(Values{{"T", std::string("\0\xff", 2)}});
  EXPECT_EQ(in_pieces(redactor, {std::string("a\0", 2), "\xff", "b"}), "a[redacted:T]b");
}

} // namespace
} // namespace pyro

#include <pyro/base/names.hpp>

#include <gtest/gtest.h>

namespace pyro {

TEST(Names, NearestFindsMisspellings) {
  const std::vector<std::string> names{"apply", "plan", "status", "snapshot"};
  EXPECT_EQ(nearest("aply", names), "apply");
  EXPECT_EQ(nearest("paln", names), "plan");
  EXPECT_EQ(nearest("snapshots", names), "snapshot");
  EXPECT_EQ(nearest("banana", names), "");
  EXPECT_EQ(nearest("x", names), "");
}

TEST(Names, AHintListsWhatThereIs) {
  EXPECT_EQ(names_hint("nope", {"baseline", "ready"}), "there are baseline, ready");
  EXPECT_EQ(names_hint("raedy", {"baseline", "ready"}), "did you mean 'ready'? There are baseline, ready");
  EXPECT_EQ(names_hint("nope", {"baseline"}), "there is baseline");
  EXPECT_EQ(names_hint("nope", {}), "");
}

TEST(Names, AListIsBounded) {
  EXPECT_EQ(listed({"a", "b"}, 2), "a, b");
  EXPECT_EQ(listed({"a", "b", "c"}, 2), "a, b and 1 more");
  EXPECT_EQ(listed({}, 2), "");
}

TEST(Names, OfManyTheFirst) {
  std::vector<std::string> names;
  for (int i = 10; i < 40; ++i) {
    names.push_back("n" + std::to_string(i));
  }
  const auto hint = names_hint("other", names);
  EXPECT_TRUE(hint.ends_with("n29 and 10 more")) << hint;
}

} // namespace pyro

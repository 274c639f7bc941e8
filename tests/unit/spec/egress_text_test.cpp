#include <pyro/spec/spec.hpp>

#include <gtest/gtest.h>

namespace pyro::spec::testing {

TEST(EgressText, OfARecordIsReadAsItWasWritten) {
  const Egress all{EgressKind::all, {}};
  const Egress hosts{EgressKind::hosts, {"*.b.example:80", "a.example"}};
  for (const auto& egress : {Egress{}, all, hosts}) {
    const auto read = egress_from_text(to_string(egress));
    EXPECT_EQ(read.kind, egress.kind);
    EXPECT_EQ(read.hosts, egress.hosts);
  }
}

} // namespace pyro::spec::testing

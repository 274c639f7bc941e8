#include "support.hpp"

#include <pyro/spec/applied_spec.hpp>

namespace pyro::spec::testing {

TEST(AppliedSpec, IsWhatTheNormalFormSays) {
  const auto spec = parsed(with("secrets:\n"
                                "  a: {env: A}\n"
                                "  b: {file: b.txt, required: false}\n"
                                "  c: {command: print c}\n"
                                "services:\n"
                                "  db: {command: x}\n"
                                "  web: {command: y}\n"
                                "drift: {report: [/workspace, /etc]}\n"));
  const auto applied = applied_spec(normal_form(spec));
  EXPECT_EQ(applied.services, (std::vector<std::string>{"db", "web"}));
  EXPECT_EQ(applied.drift_report, spec.drift.report);
  ASSERT_EQ(applied.secrets.size(), spec.secrets.size());
  for (const auto& [name, secret] : spec.secrets) {
    const auto& read = applied.secrets.at(name);
    EXPECT_EQ(read.source, secret.source) << name;
    EXPECT_EQ(read.from, secret.from) << name;
    EXPECT_EQ(read.required, secret.required) << name;
  }
}

TEST(AppliedSpec, ThePortsOfAServiceAreThoseItPublishesElseThoseOfItsProbes) {
  const auto applied = applied_spec(normal_form(parsed(with(
      "services:\n"
      "  web: {command: x, ports: ['8080', '127.0.0.1:9000:9090'], readiness: {http: {port: 80, path: /}}}\n"
      "  db: {command: x, readiness: {tcp: 5432}}\n"
      "  quiet: {command: x}\n"))));
  EXPECT_EQ(applied.service_ports.at("web"), (std::set<int>{8080, 9090}));
  EXPECT_EQ(applied.service_ports.at("db"), std::set<int>{5432});
  EXPECT_FALSE(applied.service_ports.contains("quiet"));
  EXPECT_EQ(applied.http_ports.at("web"), std::set<int>{80});
}

TEST(AppliedSpec, IsEmptyWhereNoneWasApplied) {
  const auto applied = applied_spec(nullptr);
  EXPECT_TRUE(applied.services.empty());
  EXPECT_TRUE(applied.secrets.empty());
  EXPECT_TRUE(applied.drift_report.empty());
}

} // namespace pyro::spec::testing

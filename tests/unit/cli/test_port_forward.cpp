// `pyro port-forward`: what is said of ports and of connections that are refused.
#include "memory_engine.hpp"

#include <pyro/cli/style.hpp>

#include <gtest/gtest.h>

namespace pyro::cli {

TEST(PortForward, SaysWhereItListensAndWhatWasRefused) {
  Terminal terminal;
  terminal.world.forward = [](const std::vector<std::string>& wanted, const operations::ForwardSinks& sinks) {
    EXPECT_EQ(wanted, (std::vector<std::string>{"web", "5433:5432"}));
    sinks.listening(Json::parse(
        R"([{"service": "web", "port": 80, "address": "127.0.0.1", "host_port": 40000},
            {"service": null, "port": 5432, "address": "127.0.0.1", "host_port": 5433}])"));
    sinks.refused(5432, "no \x1b[31mway \u202eback \xff");
  };
  EXPECT_EQ(terminal.run({"port-forward", "-w", "shop", "web", "5433:5432"}), 0);
  EXPECT_EQ(terminal.out, "127.0.0.1:40000 -> web, port 80 inside\n127.0.0.1:5433 -> port 5432 inside\n");
  EXPECT_EQ(terminal.err, "refused: a connection to port 5432 inside: no \\x1b[31mway \\u202eback \\xff\n");
  EXPECT_EQ(terminal.world.calls[0].second["workspace"], "shop");
  EXPECT_EQ(terminal.run({"port-forward", "web", "5433:5432", "--json"}), 0);
  const auto lines = lines_of(terminal.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(Json::parse(lines[0])["ports"][1]["host_port"], 5433);
  EXPECT_EQ(Json::parse(lines[1])["refused"]["port"], 5432);
  EXPECT_NE(terminal.out.find("\\u202eback \xef\xbf\xbd"), std::string::npos)
      << "nothing hidden is shown, and what is no UTF-8 is replaced: " << terminal.out;
  EXPECT_EQ(terminal.run({"port-forward"}), 64);
}

} // namespace pyro::cli

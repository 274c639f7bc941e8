// Secrets that never enter (docs/decisions/0078): what servers get, what is inside, and that the value is in
// nothing that we keep or say.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"
#include "../support/outside_world.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace pyro::testing {
namespace {

const std::string k_token = "ghp_TheRealValueOfTheToken42";

class RequestSecrets : public Functional {
protected:
  enum Place { k_api, k_clear, k_git };

  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    make_repository();
    world = std::make_unique<OutsideWorld>(
        root() / "world",
        Json{
            {"api.example", {"127.0.0.1"}}, {"other.example", {"127.0.0.1"}}, {"git.example", {"127.0.0.1"}}},
        std::vector<OutsideWorld::Server>{
            {"tls"},
            {"http"},
            {"tls", "127.0.0.1", 0, (root() / "served").string(),
             "Basic " + base64_encode("x-access-token:" + k_token)}});
    ::setenv("PYRO_NAME_SERVERS", world->name_server().c_str(), 1);
    ::setenv("SSL_CERT_FILE", world->certificate().c_str(), 1);
    ::setenv("TEST_TOKEN", k_token.c_str(), 1);
    fs::copy_file(source_dir() / "tests/support/seek.py", project() / "seek.py");
    fs::copy_file(world->certificate(), project() / "world.pem");
  }

  void TearDown() override {
    Functional::TearDown();
    for (const auto* name : {"PYRO_NAME_SERVERS", "SSL_CERT_FILE", "TEST_TOKEN"}) {
      ::unsetenv(name);
    }
  }

  /// Of the plain kind, which any server of files can give out.
  void make_repository() {
    const auto work = root() / "work";
    write_file(work / "README", "of the repository\n");
    for (const auto& arguments : std::vector<Arguments>{
             {"init", "-q", "."},
             {"add", "."},
             {"commit", "-q", "-m", "first"},
             {"clone", "-q", "--bare", ".", (root() / "served/repository.git").string()}}) {
      const auto done = command(git_command(work, arguments));
      ASSERT_EQ(done.status, 0) << done;
    }
    ASSERT_EQ(command(git_command(root() / "served/repository.git", {"update-server-info"})).status, 0);
  }

  std::string at(const std::string& host, Place place) const {
    return fmt::format("{}:{}", host, world->port(place));
  }

  std::string url(const std::string& path) const { return "https://" + at("api.example", k_api) + path; }

  /// `more`: of the secret, beside where it comes from and whom it is for.
  std::string body(const std::string& more = "", const std::string& from = "env: TEST_TOKEN") const {
    std::string list;
    for (const auto place : {k_api, k_clear, k_git}) {
      for (const auto* host : {"api.example", "other.example", "git.example", "127.0.0.1"}) {
        list += fmt::format("\"{}\", ", at(host, place));
      }
    }
    return fmt::format(
        "secrets: {{token: {{{}, for: [\"{}\", \"{}\"]{}}}}}\nnetwork: {{egress: [{}]}}\n", from,
        at("api.example", k_api), at("git.example", k_git), more.empty() ? "" : ", " + more,
        list.substr(0, list.size() - 2));
  }

  void up(const std::string& text) {
    spec(text);
    expect(0, {"apply", "--yes", "--trust"});
  }

  /// What the server got in that header with the last request.
  std::string last_authorization() const {
    const auto requests = world->visits("request");
    return requests.empty() ? "no request" : get_string(requests.back(), "authorization");
  }

  std::string curl(const std::string& path, const std::string& more = "") {
    return inside(
               "curl -s -m 20 -o /tmp/said -w %{http_code} -H \"Authorization: Bearer $TEST_TOKEN\" " + more
               + " " + url(path) + "; cat /tmp/said")
        .all();
  }

  /// The supervisor writes it down a moment later.
  bool is_logged(const std::string& part) {
    return eventually([&] { return contains(expect(0, {"network", "log"}).out, part); }, 10);
  }

  void expect_nowhere_inside() {
    std::string turned;
    for (const char c : k_token) {
      turned += fmt::format("{:02x}", static_cast<unsigned char>(~c));
    }
    const auto found = inside("python3 seek.py " + turned + "; true");
    EXPECT_TRUE(found.out.starts_with("looked at the memory of")) << found;
  }

  /// In no file of ours, and in nothing that we say.
  void expect_nowhere_kept() {
    for (const auto& entry :
         fs::recursive_directory_iterator(state(), fs::directory_options::skip_permission_denied)) {
      if (entry.is_regular_file() && !entry.is_symlink()) {
        EXPECT_EQ(read_file(entry.path()).find(k_token), std::string::npos) << entry.path();
      }
    }
    for (const auto& arguments : std::vector<Arguments>{
             {"status", "--json"},
             {"config"},
             {"plan", "--json"},
             {"network", "log", "--json"},
             {"why"},
             {"events"},
             {"config", "--json"}}) {
      EXPECT_EQ(pyro(arguments).all().find(k_token), std::string::npos) << arguments.front();
    }
  }

  std::unique_ptr<OutsideWorld> world;
};

TEST_F(RequestSecrets, AreInTheRequestAndNowhereInside) {
  up(body("as: {prefix: \"Bearer \"}") + "services: {agent: {command: sleep 1000}}\n");
  const auto placeholder = inside("printf %s \"$TEST_TOKEN\"").out;
  EXPECT_TRUE(placeholder.starts_with("pyro_placeholder_")) << placeholder;
  EXPECT_TRUE(curl("/repos/a").starts_with("200"));
  EXPECT_EQ(last_authorization(), "Bearer " + k_token);
  EXPECT_TRUE(is_logged("with the secret token"));

  const auto python = inside(
      "python3 -c 'import os,urllib.request as r\n"
      "q=r.Request(\""
      + url("/python")
      + "\",headers={\"Authorization\":\"token \"+os.environ[\"TEST_TOKEN\"]})\n"
        "print(r.urlopen(q).status)'");
  EXPECT_EQ(python.out, "200\n") << python;
  EXPECT_EQ(last_authorization(), "Bearer " + k_token) << "with the prefix of the file";
  const auto node = inside(
      "command -v node >/dev/null || { echo 200; exit; }; node -e 'require(\"https\").get(\"" + url("/node")
      + "\",{headers:{authorization:process.env.TEST_TOKEN}},a=>{console.log(a.statusCode);a.resume()})'");
  EXPECT_EQ(node.out, "200\n") << node;

  expect_nowhere_inside();
  expect_nowhere_kept();
}

TEST_F(RequestSecrets, AreThePasswordOfGit) {
  up(body());
  const auto cloned = inside(fmt::format(
      "git clone -q https://x-access-token:$TEST_TOKEN@{}/repository.git /tmp/clone && cat /tmp/clone/README",
      at("git.example", k_git)));
  EXPECT_EQ(cloned.out, "of the repository\n") << cloned;
  EXPECT_NE(inside("cat /tmp/clone/.git/config").out.find("pyro_placeholder_"), std::string::npos);
  EXPECT_NE(
      inside(
          fmt::format("git clone -q https://x:wrong@{}/repository.git /tmp/other", at("git.example", k_git)))
          .status,
      0);
  expect_nowhere_inside();
}

TEST_F(RequestSecrets, OfAnotherHostAreRefusedAndLogged) {
  up(body());
  const auto before = world->visits("request").size();
  const auto clear = inside(fmt::format(
      "curl -s -H \"X-Token: $TEST_TOKEN\" http://{}/; curl -s http://{}/?token=$TEST_TOKEN; "
      "curl -s -u x:$TEST_TOKEN http://{}/",
      at("other.example", k_clear), at("other.example", k_clear), at("api.example", k_clear)));
  for (const auto* place : {"the header X-Token", "the target", "the header Authorization"}) {
    EXPECT_NE(clear.out.find(fmt::format("stands in {} of a request", place)), std::string::npos) << clear;
  }
  EXPECT_EQ(world->visits("request").size(), before) << "nothing of it came";
  EXPECT_TRUE(is_logged("the placeholder of the secret token stands in the header X-Token"));

  EXPECT_TRUE(curl("/elsewhere?token=$TEST_TOKEN").starts_with("403"));
  EXPECT_TRUE(curl("/", "-H \"Cookie: a=$TEST_TOKEN\"").starts_with("403"));
  // TLS that is not opened passes, with nothing but the placeholder in it.
  const auto sealed = inside(
      "curl -s --cacert world.pem -H \"Authorization: $TEST_TOKEN\" https://" + at("other.example", k_api)
      + "/");
  EXPECT_EQ(sealed.status, 0) << sealed;
  EXPECT_TRUE(last_authorization().starts_with("pyro_placeholder_"));
  for (const auto& request : world->visits("request")) {
    EXPECT_EQ(get_string(request, "authorization").find(k_token), std::string::npos);
  }
}

TEST_F(RequestSecrets, AreForTheRequestsThatTheFileAllows) {
  up(body("allow: [\"GET /repos/*\"]"));
  EXPECT_TRUE(curl("/repos/a/b").starts_with("200"));
  EXPECT_EQ(last_authorization(), "Bearer " + k_token);
  const auto before = world->visits("request").size();
  for (const auto& refused :
       {curl("/user"), curl("/repos/a", "-X DELETE"), curl("/repos/../user", "--path-as-is"),
        curl("/repos/%2e%2e/user", "--path-as-is"), curl("/repos/..%2fuser", "--path-as-is"),
        curl("/repos/a", "-H 'X-HTTP-Method-Override: DELETE'")}) {
    EXPECT_TRUE(refused.starts_with("403")) << refused;
  }
  EXPECT_NE(curl("/user").find("secrets.token.allow does not have GET /user"), std::string::npos);
  EXPECT_EQ(world->visits("request").size(), before);
  EXPECT_TRUE(is_logged("secrets.token.allow does not have DELETE /repos/a"));
  EXPECT_EQ(inside("curl -s -o /dev/null -w %{http_code} " + url("/user")).out, "200")
      << "without the secret";
}

TEST_F(RequestSecrets, BodiesPassOfEverySizeAndKind) {
  up(body());
  const auto big = inside(
      "head -c 20000000 /dev/zero > /tmp/big; "
      "for more in '' '-H Transfer-Encoding:chunked' '-H Expect:100-continue'; do "
      "curl -sS -o /dev/null -w '%{http_code} ' -H \"Authorization: $TEST_TOKEN\" $more -T /tmp/big "
      + url("/put") + "; done; curl -sS -H \"Authorization: $TEST_TOKEN\" " + url("/bytes/30000000")
      + " | wc -c; " + "curl -sS " + url("/chunks") + "; curl -sSI " + url("/head") + " | head -1; "
      + "curl -s --http2 -o /dev/null -w '%{http_version}\\n' " + url("/h2"));
  EXPECT_TRUE(big.out.starts_with("200 200 200 30000000\none two three\n")) << big;
  EXPECT_TRUE(big.out.ends_with("\n1.1\n")) << "HTTP/2 is not offered: " << big;
  for (const auto& request : world->visits("request")) {
    if (get_string(request, "path") == "/put") {
      EXPECT_EQ(get_int(request, "body"), 20'000'000);
    }
  }
  const auto kept_alive = inside(
      "python3 -c 'import http.client,os,ssl\nc=http.client.HTTPSConnection(\"api.example\","
      + std::to_string(world->port(k_api))
      + ",timeout=20)\nfor i in range(3):\n  "
        "c.request(\"GET\",\"/k%d\"%i,headers={\"Authorization\":os.environ["
        "\"TEST_TOKEN\"]}); r=c.getresponse(); r.read(); print(r.status)\n"
        "c.request(\"GET\",\"/x\",headers={\"X\":os.environ[\"TEST_TOKEN\"]}); "
        "print(c.getresponse().status)'");
  EXPECT_EQ(kept_alive.out, "200\n200\n200\n403\n") << kept_alive;
}

TEST_F(RequestSecrets, AWebSocketPasses) {
  up(body());
  const auto open = inside(fmt::format(
      "python3 -c 'import os,socket,ssl\n"
      "s=ssl.create_default_context().wrap_socket(socket.create_connection((\"api.example\",{0})),"
      "server_hostname=\"api.example\"); s.settimeout(20)\n"
      "s.sendall((\"GET /open HTTP/1.1\\r\\nHost: api.example:{0}\\r\\nUpgrade: websocket\\r\\nConnection: "
      "Upgrade\\r\\nAuthorization: \"+os.environ[\"TEST_TOKEN\"]+\"\\r\\n\\r\\n\").encode())\n"
      "print(s.recv(12)[:12]); s.sendall(b\"ping\")\ndata=b\"\"\n"
      "while not data.endswith(b\"ping\"):\n  more=s.recv(4096)\n  if not more: break\n  data+=more\n"
      "print(data[-4:])'",
      world->port(k_api)));
  EXPECT_EQ(open.out, "b'HTTP/1.1 101'\nb'ping'\n") << open;
  EXPECT_EQ(last_authorization(), k_token);
}

TEST_F(RequestSecrets, ThatAServerSendsBackDoNotComeIn) {
  up(body());
  EXPECT_TRUE(curl("/echo", "-D /tmp/head").starts_with("200"));
  EXPECT_EQ(last_authorization(), "Bearer " + k_token);
  EXPECT_NE(inside("grep X-Echo /tmp/head").out.find("Bearer pyro_placeholder_"), std::string::npos);
  expect_nowhere_inside();
}

TEST_F(RequestSecrets, ChangeInPlaceAndAreThereAfterEveryStart) {
  const auto text = body() + "services: {holds: {command: sleep 1000}}\n";
  up(text);
  const auto pid = json({"status"}).at("services").at(0).at("pid");
  const auto placeholder = inside("echo $TEST_TOKEN").out;
  ::setenv("TEST_TOKEN", "ghp_another", 1);
  const auto plan = expect(0, {"plan", "--trust"});
  EXPECT_NE(plan.out.find("secrets.token"), std::string::npos) << plan;
  up(text);
  EXPECT_EQ(json({"status"}).at("services").at(0).at("pid"), pid) << "nothing was restarted";
  EXPECT_TRUE(curl("/a").starts_with("200"));
  EXPECT_EQ(last_authorization(), "Bearer ghp_another");
  EXPECT_NE(expect(0, {"plan", "--trust"}).out.find("No changes"), std::string::npos);

  ::unsetenv("TEST_TOKEN"); // the value that the workspace has is used again
  const std::vector<Arguments> starts{{"reset", "--yes"}, {"undo"}};
  for (const auto& start : starts) {
    expect(0, start);
    EXPECT_TRUE(curl("/" + start.front()).starts_with("200")) << start.front();
    EXPECT_EQ(last_authorization(), "Bearer ghp_another") << start.front();
  }
  ::setenv("TEST_TOKEN", k_token.c_str(), 1);
  expect(0, {"stop"});
  expect(0, {"start"});
  EXPECT_TRUE(curl("/start").starts_with("200"));
  EXPECT_EQ(last_authorization(), "Bearer " + k_token);
  EXPECT_EQ(inside("echo $TEST_TOKEN").out, placeholder) << "for the life of the workspace";

  up(body("allow: [\"GET /b\"]") + "services: {holds: {command: sleep 1000}}\n");
  EXPECT_TRUE(curl("/a").starts_with("403")) << "a change of the file holds at once";
}

TEST_F(RequestSecrets, AreAForksAsWell) {
  up(body());
  expect(0, {"fork", "copy"});
  const auto forked = pyro(
      {"exec", "--workspace", "copy", "--", "sh", "-c",
       "curl -s -o /dev/null -w %{http_code} -H \"Authorization: $TEST_TOKEN\" " + url("/fork")});
  EXPECT_EQ(forked.out, "200") << forked;
  EXPECT_EQ(last_authorization(), k_token);
}

TEST_F(RequestSecrets, AreInTheRequestsOfSteps) {
  const auto step = [&](const std::string& script) {
    return fmt::format(
        "run: 'curl -sf -H \"Authorization: $TEST_TOKEN\" {} -o /etc/got && {}'", url("/step"), script);
  };
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nseed: {from: .}\nenvironment:\n  image: host\n  setup:\n  - {id: fetch, "
          + step("env > /etc/all") + ", secrets: [token], egress: [\"" + at("api.example", k_api) + "\", \""
          + at("127.0.0.1", k_api) + "\"]}\nprepare: [{" + step("true") + ", secrets: [token]}]\n" + body());
  expect(0, {"apply", "--yes", "--trust"});
  EXPECT_EQ(last_authorization(), k_token);
  EXPECT_EQ(world->visits("request").size(), 2U);
  EXPECT_NE(inside("cat /etc/all").out.find("TEST_TOKEN=pyro_placeholder_"), std::string::npos);
  expect_nowhere_inside();
  expect_nowhere_kept();
}

TEST_F(RequestSecrets, GoToNoServerThatThisMachineDoesNotTrust) {
  ::unsetenv("SSL_CERT_FILE");
  up(body());
  const auto refused = curl("/a");
  EXPECT_TRUE(refused.starts_with("502")) << refused;
  EXPECT_NE(refused.find("no certificate that this machine trusts"), std::string::npos) << refused;
  EXPECT_TRUE(world->visits("request").empty());
  EXPECT_TRUE(is_logged("no certificate that this machine trusts"));
}

TEST_F(RequestSecrets, WithoutOneThatIsSetNothingBegins) {
  ::unsetenv("TEST_TOKEN");
  spec(body());
  const auto refused = pyro({"apply", "--yes", "--trust"});
  EXPECT_NE(refused.status, 0) << refused;
  EXPECT_NE(refused.all().find("TEST_TOKEN"), std::string::npos) << refused;
  up(body("required: false"));
  const auto unset = curl("/a");
  EXPECT_TRUE(unset.starts_with("403")) << unset;
  EXPECT_NE(unset.find("the secret token is not set"), std::string::npos) << unset;
  ::setenv("TEST_TOKEN", "two\nlines", 1);
  spec(body());
  const auto lines = pyro({"apply", "--yes", "--trust"});
  EXPECT_NE(lines.all().find("cannot stand in a header"), std::string::npos) << lines;
}

TEST_F(RequestSecrets, OfAHostThatTheListLacksAreAnErrorOfTheFile) {
  spec("secrets:\n  token:\n    env: TEST_TOKEN\n    for: [api.github.com]\nnetwork: {egress: [npm]}\n");
  const auto refused = expect(65, {"validate"});
  EXPECT_NE(refused.all().find("network.egress does not list api.github.com"), std::string::npos) << refused;
  EXPECT_NE(refused.all().find("pyro.yaml:"), std::string::npos) << refused;
}

TEST_F(RequestSecrets, ToAnotherHostAreAgreedToAnew) {
  up(body());
  auto text = body();
  text.replace(text.find("api.example"), 11, "other.example");
  spec(text);
  const auto asked = pyro({"apply", "--yes"});
  EXPECT_EQ(asked.status, 7) << asked;
  EXPECT_NE(asked.all().find("TEST_TOKEN for " + at("other.example", k_api)), std::string::npos) << asked;
}

} // namespace
} // namespace pyro::testing

// environment.ca with programs that verify: a server whose certificate only the company's authority vouches
// for.
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class Certificates : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    for (const auto* program : {"/usr/bin/openssl", "/usr/bin/curl", "/usr/bin/python3"}) {
      if (!fs::exists(program)) {
        GTEST_SKIP() << program << " is not installed on this machine, whose root the test uses";
      }
    }
    make_authority();
    write_file(
        project() / "server.py",
        "import http.server, ssl\n"
        "server = http.server.HTTPServer(('', 8443), http.server.SimpleHTTPRequestHandler)\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\ncontext.load_cert_chain('server.pem', "
        "'server.key')\n"
        "server.socket = context.wrap_socket(server.socket, server_side=True)\nserver.serve_forever()\n");
    write_file(project() / "page", "verified\n");
  }

  void openssl(Arguments arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const auto result = command(arguments);
    ASSERT_EQ(result.status, 0) << result;
  }

  void make_authority() {
    openssl(
        {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=The Company", "-keyout",
         "ca.key", "-out", "ca.pem"});
    openssl(
        {"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=registry", "-keyout", "server.key", "-out",
         "server.csr"});
    write_file(project() / "names", "subjectAltName=DNS:registry,DNS:localhost\n");
    openssl(
        {"x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
         "2", "-extfile", "names", "-out", "server.pem"});
  }

  void apply(const std::string& ca) {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nenvironment: {image: host" + ca
            + "}\nseed: {from: .}\nservices:\n  registry:\n"
              "    command: [/usr/bin/python3, server.py]\n    readiness: {tcp: 8443}\n");
    expect(0, {"apply", "--yes"});
  }
};

TEST_F(Certificates, AreTrustedByProgramsWithTheirOwnBundleOrTheSystems) {
  const std::string page = "https://registry:8443/page";
  const auto python =
      "/usr/bin/python3 -c 'import urllib.request as r; print(r.urlopen(\"" + page + "\").read())'";
  const auto node =
      "command -v node >/dev/null || { echo verified; exit; }; node -e 'require(\"https\").get(\"" + page
      + "\", a => a.pipe(process.stdout))'";
  apply("");
  for (const auto& script : {"curl -s " + page, std::string(python)}) {
    EXPECT_NE(inside(script).status, 0) << script;
  }
  apply(", ca: ca.pem");
  for (const auto& script :
       {"curl -s " + page, "env -i curl -s " + page, std::string(python), "env -i " + std::string(python),
        node}) {
    const auto said = inside(script);
    EXPECT_TRUE(contains(said.out, "verified")) << script << said;
  }
}

} // namespace
} // namespace pyro::testing

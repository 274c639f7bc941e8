// Programs of all kinds through a list of hosts: package managers, static clients with resolvers of their
// own, large, many, slow and half-closed connections.
#include "egress_list.hpp"

#include <pyro/base/text.hpp>
#include <pyro/os/process.hpp>

#include <fstream>
#include <iterator>

namespace pyro::testing {
namespace {

class EgressPrograms : public EgressList {
protected:
  /// Another world than that of the lists; its servers all may be reached as "web.example".
  void reach(const std::vector<OutsideWorld::Server>& servers) {
    others = std::make_unique<OutsideWorld>(
        root() / "others", Json{{"web.example", {"127.0.0.1"}}, {"six.example", {"::1", "127.0.0.1"}}},
        servers);
    ::setenv("PYRO_NAME_SERVERS", others->name_server().c_str(), 1);
    std::string list;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      list += fmt::format(
          "\"web.example:{0}\", \"six.example:{0}\", \"127.0.0.1:{0}\", \"[::1]:{0}\", ", others->port(i));
    }
    up("network: {egress: [" + list + "]}\n");
  }

  Result python(const std::string& script) {
    write_file(project() / "client.py", "import hashlib, socket, sys, time\n" + script);
    expect(0, {"apply", "--yes", "--trust"});
    return inside("python3 client.py");
  }

  /// Of the process that carries everything, in KiB.
  long gateway_peak_kib() {
    const auto supervisor = json({"status"}).at("supervisor_pid").get<int>();
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto status = entry.path() / "status";
      std::ifstream file(status);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      if (text.starts_with("Name:\tpyro-gateway")
          && text.find(fmt::format("PPid:\t{}\n", supervisor)) != std::string::npos) {
        const auto at = text.find("VmHWM:");
        return at == std::string::npos ? -1 : std::strtol(text.c_str() + at + 6, nullptr, 10);
      }
    }
    return -1;
  }

  void expect_small_gateway() {
    const auto peak = gateway_peak_kib();
    EXPECT_GT(peak, 0) << "there is one";
    EXPECT_LT(peak, 64 << 10);
  }

  std::unique_ptr<OutsideWorld> others;
};

TEST_F(EgressPrograms, NpmInstallsFromARegistryOverTls) {
  if (!fs::exists("/usr/bin/npm")) {
    GTEST_SKIP() << "needs npm";
  }
  const auto registry = root() / "registry";
  write_file(
      registry / "package/package.json", R"({"name": "pyro-hello", "version": "1.0.0", "main": "index.js"})");
  write_file(registry / "package/index.js", "module.exports = 'pyro-hello from the registry';\n");
  os::Command pack{{"tar", "-czf", "pyro-hello-1.0.0.tgz", "package"}};
  pack.cwd = registry.string();
  os::run_checked(std::move(pack));
  reach({{"tls", "127.0.0.1", 0, registry.string()}, {"http"}});
  const auto url = fmt::format("https://web.example:{}", others->port(0));
  write_file(
      registry / "pyro-hello",
      Json{
          {"name", "pyro-hello"},
          {"dist-tags", {{"latest", "1.0.0"}}},
          {"versions",
           {{"1.0.0",
             {{"name", "pyro-hello"},
              {"version", "1.0.0"},
              {"main", "index.js"},
              {"dist", {{"tarball", url + "/pyro-hello-1.0.0.tgz"}}}}}}}}
          .dump());
  fs::copy_file(others->certificate(), project() / "npm-ca.pem");
  expect(0, {"apply", "--yes", "--trust"});
  const auto installed = inside(
      "npm install --no-audit --no-fund --no-update-notifier --cafile npm-ca.pem --registry " + url
      + " pyro-hello && node -p 'require(\"pyro-hello\")'");
  EXPECT_EQ(installed.status, 0) << installed;
  EXPECT_NE(installed.out.find("pyro-hello from the registry"), std::string::npos) << installed;
  EXPECT_TRUE(others->visits("http").empty());
}

TEST_F(EgressPrograms, AStaticClientWithAResolverOfItsOwn) {
  fs::copy_file(binary_dir() / "bin/attacks/client_static", project() / "client");
  reach({{"http"}, {"http", "::1"}});
  const auto of_four = inside(fmt::format("./client web.example {}", others->port(0)));
  EXPECT_EQ(of_four.out, "0 of IPv6, 1 of IPv4\nHTTP/1.1 200\n") << of_four;
  // Inside it is IPv4 whatever the host has; its real addresses are both.
  const auto of_six = inside(fmt::format("./client six.example {}", others->port(1)));
  EXPECT_EQ(of_six.out, "0 of IPv6, 1 of IPv4\nHTTP/1.1 200\n") << of_six;
  const auto refused = inside(fmt::format("./client evil.example {}", others->port(0)));
  EXPECT_EQ(refused.out, "0 of IPv6, 0 of IPv4\n") << refused;
  EXPECT_EQ(refused.status, 1);
}

TEST_F(EgressPrograms, RequestsOfOnePipelineAreAnsweredInTheirOrder) {
  reach({{"http"}});
  const auto answers = python(fmt::format(
      "s = socket.create_connection(('web.example', {0}))\n"
      "s.sendall(b''.join(b'GET /%d HTTP/1.1\\r\\nHost: web.example:{0}\\r\\n\\r\\n' % i for i in "
      "range(50)))\n"
      "s.shutdown(socket.SHUT_WR)\n"
      "got = b''\n"
      "while data := s.recv(65536):\n    got += data\n"
      "import re\nprint([int(n) for n in re.findall(rb'\"path\": \"/(\\d+)\"', got)] == list(range(50)))\n",
      others->port(0)));
  EXPECT_EQ(answers.out, "True\n") << answers;
}

TEST_F(EgressPrograms, AGibibyteEachWayArrivesWholeAndIsHeldByNobody) {
  reach({{"digest"}, {"source"}});
  const auto streams = python(fmt::format(
      "k = 1024\n"
      "def block(i):\n    return i.to_bytes(8, 'big') * (1 << 17)\n"
      "wanted = hashlib.sha256()\n"
      "s = socket.create_connection(('web.example', {}))\n"
      "for i in range(k):\n    data = block(i)\n    wanted.update(data)\n    s.sendall(data)\n"
      "s.shutdown(socket.SHUT_WR)\n"
      "print('up', s.makefile().read() == wanted.hexdigest())\n"
      "s = socket.create_connection(('web.example', {}))\n"
      "s.sendall(b'%d\\n' % k)\n"
      "got = hashlib.sha256()\n"
      "while data := s.recv(1 << 20):\n    got.update(data)\n"
      "print('down', got.hexdigest() == wanted.hexdigest())\n",
      others->port(0), others->port(1)));
  EXPECT_EQ(streams.out, "up True\ndown True\n") << streams;
  expect_small_gateway();
}

TEST_F(EgressPrograms, WhoReadsSlowlyHoldsUpTheServerAndNotTheGateway) {
  reach({{"source"}});
  const auto slow = python(fmt::format(
      "all = [socket.create_connection(('web.example', {})) for _ in range(16)]\n"
      "for s in all:\n    s.sendall(b'64\\n')\n"
      "time.sleep(2)\n" // nobody reads
      "total = 0\n"
      "for s in all:\n"
      "    while data := s.recv(1 << 16):\n        total += len(data)\n"
      "print(total == 16 * 64 << 20)\n",
      others->port(0)));
  EXPECT_EQ(slow.out, "True\n") << slow;
  expect_small_gateway();
}

TEST_F(EgressPrograms, EitherSideMayEndFirst) {
  reach({{"sink"}, {"early"}});
  const auto halves = python(fmt::format(
      "s = socket.create_connection(('web.example', {}))\n"
      "s.sendall(b'x' * 100000)\ns.shutdown(socket.SHUT_WR)\nprint(s.makefile().read())\n"
      "s = socket.create_connection(('web.example', {}))\n"
      "s.sendall(b'hello')\n"
      "print(s.recv(3), s.recv(1))\n" // its end
      "s.sendall(b'y' * 100000)\ns.close()\n",
      others->port(0), others->port(1)));
  EXPECT_EQ(halves.out, "100000\nb'bye' b''\n") << halves;
  ASSERT_TRUE(eventually([&] { return !others->visits("heard").empty(); }));
  EXPECT_EQ(others->visits("heard").front().at("bytes"), 100005);
}

TEST_F(EgressPrograms, AThousandConnectionsAtOnce) {
  reach({{"echo"}});
  const auto many = python(fmt::format(
      "import multiprocessing, os\nboth = multiprocessing.Barrier(2)\nos.fork()\n" // 1024 descriptors each
      "all = [socket.create_connection(('web.example', {})) for _ in range(500)]\n"
      "[s.sendall(b'x') for s in all]\nprint(sum(len(s.recv(1)) for s in all), flush=True)\n"
      "both.wait()\n",
      others->port(0)));
  EXPECT_EQ(many.out, "500\n500\n") << many;
  expect_small_gateway();
}

TEST_F(EgressPrograms, MoreThanThereAreDescriptorsForAreRefusedWithAReason) {
  reach({{"echo"}});
  expect(0, {"destroy", "--yes"});
  write_file(
      project() / "many.py",
      fmt::format(
          "import socket\nall = [socket.create_connection(('web.example', {})) for _ in range(60)]\n"
          "n = 0\nfor s in all:\n  try:\n    s.sendall(b'x'); n += len(s.recv(1))\n  except OSError: "
          "pass\nprint(n)\n",
          others->port(0)));
  const auto limited = command(
      {"sh", "-c", "ulimit -n 400; exec \"$0\" apply --yes --trust", (binary_dir() / "bin/pyro").string()});
  ASSERT_EQ(limited.status, 0) << limited;
  const auto many = inside("python3 many.py");
  EXPECT_EQ(many.out, "24\n") << many;
  EXPECT_NE(many.err.find("there are 24 connections already"), std::string::npos) << many;
}

} // namespace
} // namespace pyro::testing

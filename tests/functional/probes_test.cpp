// How HTTP and TCP probes talk with servers as they are.
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class Probes : public Functional {
protected:
  /// A server of one port that answers each request with these bytes (a Python expression) and notes in
  /// /tmp/asked what it was asked, in /tmp/trouble what went wrong.
  void with_server(
      const std::string& answer, const std::string& readiness, const std::string& address = "127.0.0.1") {
    write_file(
        project() / "server.py", "import socket\n"
                                 "def note(name, text):\n"
                                 "    with open('/tmp/' + name, 'a') as file: file.write(text)\n"
                                 "family = socket.AF_INET6 if ':' in '"
                                     + address
                                     + "' else socket.AF_INET\n"
                                       "server = socket.create_server(('"
                                     + address
                                     + "', 8080), family=family)\n"
                                       "while True:\n"
                                       "    client, _ = server.accept()\n"
                                       "    try:\n"
                                       "        note('asked', client.recv(65536).decode())\n"
                                       "        client.sendall("
                                     + answer
                                     + ")\n"
                                       "        client.shutdown(socket.SHUT_WR)\n"
                                       "        client.recv(1)\n"
                                       "    except OSError as error:\n"
                                       "        note('trouble', str(error))\n"
                                       "    client.close()\n");
    spec("services: {s: {command: exec python3 server.py, readiness: " + readiness + "}}\n");
    expect(0, {"apply"});
  }

  std::string read(const std::string& path) { return inside("cat " + path + " 2>/dev/null").out; }
};

TEST_F(Probes, InterimAnswersAreSkipped) {
  with_server(
      "b'HTTP/1.1 103 Early Hints\\r\\nLink: </a>\\r\\n\\r\\nHTTP/1.1 100 Continue\\r\\n\\r\\nHTTP/1.1 204 "
      "No "
      "Content\\r\\n\\r\\n'",
      "{http: {port: 8080, status: 204}, deadline: 10s}");
  EXPECT_TRUE(contains(read("/tmp/asked"), "GET / HTTP/1.1"));
}

TEST_F(Probes, TheWholeAnswerIsReadSoThatNoServerComplains) {
  with_server(
      "b'HTTP/1.1 200 OK\\r\\nContent-Length: 200000\\r\\n\\r\\n' + b'x' * 200000",
      "{http: {port: 8080}, deadline: 10s, successes: 3}");
  EXPECT_EQ(read("/tmp/trouble"), "");
}

TEST_F(Probes, AnAnswerWithoutEndIsJudgedByItsStatus) {
  with_server("b'HTTP/1.1 200 OK\\r\\n\\r\\n' + b'x' * (64 << 20)", "{http: {port: 8080}, deadline: 10s}");
}

TEST_F(Probes, AddressesOfIPv6WithAndWithoutBrackets) {
  const std::string answer = "b'HTTP/1.1 200 OK\\r\\n\\r\\n'";
  for (const auto* readiness :
       {"{http: {port: 8080, host: '::1'}, deadline: 10s}",
        "{http: {port: 8080, host: '[::1]'}, deadline: 10s}"}) {
    with_server(answer, readiness, "::1");
    EXPECT_TRUE(contains(read("/tmp/asked"), "Host: [::1]:8080\r\n")) << readiness;
    expect(0, {"destroy", "--yes"});
  }
  for (const auto* readiness : {"{tcp: '::1:8080', deadline: 10s}", "{tcp: '[::1]:8080', deadline: 10s}"}) {
    with_server(answer, readiness, "::1");
    expect(0, {"destroy", "--yes"});
  }
}

} // namespace
} // namespace pyro::testing

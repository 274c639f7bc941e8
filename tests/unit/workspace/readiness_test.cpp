#include <pyro/base/error.hpp>
#include <pyro/workspace/context/readiness.hpp>

#include <gtest/gtest.h>

namespace pyro::workspace {
namespace {

using protocol::ProbeKind;

protocol::Probe probe(const Json& readiness) {
  return readiness_probe(readiness, "/workspace", 30, 500).value();
}

std::string refusal(const Json& readiness, std::int64_t seconds = 30, std::int64_t interval = 500) {
  try {
    readiness_probe(readiness, "/workspace", seconds, interval);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "accepted";
}

TEST(Readiness, BecomesAProbe) {
  EXPECT_FALSE(readiness_probe(nullptr, "/workspace", 30, 500));
  const auto file = probe({{"type", "file"}, {"path", "run/up"}});
  EXPECT_EQ(file.kind, ProbeKind::file);
  EXPECT_EQ(file.file, "/workspace/run/up");
  EXPECT_EQ(file.deadline_ms, 30'000);
  EXPECT_EQ(file.interval_ms, 500);
  EXPECT_EQ(probe({{"type", "file"}, {"path", "/run/up"}}).file, "/run/up");
  const auto tcp = probe({{"type", "tcp"}, {"address", "[::1]:80"}});
  EXPECT_EQ(tcp.host, "::1");
  EXPECT_EQ(tcp.port, 80);
  EXPECT_EQ(tcp.timeout_ms, 1000);
  const auto http = probe({{"type", "http"}, {"url", "http://localhost:8080/a?b=1#c"}});
  EXPECT_EQ(http.host, "localhost");
  EXPECT_EQ(http.port, 8080);
  EXPECT_EQ(http.http_path, "/a?b=1");
  EXPECT_EQ(http.timeout_ms, 2000);
  EXPECT_EQ(probe({{"type", "http"}, {"url", "http://127.0.0.1"}}).port, 80);
  EXPECT_EQ(probe({{"type", "http"}, {"url", "http://127.0.0.1?x"}}).http_path, "/?x");
  EXPECT_EQ(probe({{"type", "command"}, {"command", "test -e x"}}).argv.back(), "test -e x");
  EXPECT_TRUE(probe({{"type", "log"}, {"pattern", "a[0-9]+"}}).regex);
  EXPECT_FALSE(probe({{"type", "log"}, {"text", "a[0"}}).regex);
}

TEST(Readiness, SaysWhatIsWrong) {
  const auto says = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  says(refusal({{"type", "smoke"}}), "one of: file, tcp, http, command");
  says(refusal(Json::object()), "one of: file, tcp, http, command");
  says(refusal({{"type", "file"}}), "path is required for file readiness");
  says(refusal({{"type", "http"}}), "url is required for http readiness");
  says(refusal({{"type", "command"}}), "command is required for command readiness");
  says(refusal({{"type", "tcp"}}), "address is required for tcp readiness");
  says(refusal({{"type", "log"}}), "pattern is required for log readiness");
  for (const auto* address : {"8080", "localhost", "localhost:", ":80", "a:0", "a:70000", "a:8x"}) {
    says(refusal({{"type", "tcp"}, {"address", address}}), "HOST:PORT format");
  }
  says(refusal({{"type", "http"}, {"url", "https://x/"}}), "http://");
  says(refusal({{"type", "http"}, {"url", "http://x/a b"}}), "spaces");
  says(refusal({{"type", "http"}, {"url", "http:///a"}}), "HOST:PORT format");
  says(refusal({{"type", "log"}, {"pattern", "a("}}), "no regular expression");
  says(refusal(nullptr, 0), "ready_timeout_seconds must be positive");
  says(refusal(nullptr, 30, 0), "ready_interval_ms must be positive");
}

} // namespace
} // namespace pyro::workspace

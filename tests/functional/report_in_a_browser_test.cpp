// The page of `pyro report` as a browser has it: on a desk and on a phone, by day and by night.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace pyro::testing {
namespace {

class ReportInABrowser : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (!IsSkipped() && !HasFatalFailure() && !fs::exists("/usr/bin/chromium")) {
      GTEST_SKIP() << "needs chromium";
    }
  }

  /// What browse.py tells of the page.
  Json seen_of(const fs::path& page) {
    Arguments words{
        "/usr/bin/python3", (source_dir() / "tests/functional/browse.py").string(), page.string()};
    if (const auto* directory = std::getenv("PYRO_TEST_SCREENSHOTS")) { // for who wants to see it too
      words.insert(words.end(), {"--screenshots", directory});
    }
    const auto result = command(words);
    EXPECT_EQ(result.status, 0) << result;
    return Json::parse(result.out);
  }

  /// 0 is black, 765 white.
  static int brightness_of(const std::string& color) {
    int red = 0;
    int green = 0;
    int blue = 0;
    EXPECT_EQ(std::sscanf(color.c_str(), "rgb(%d, %d, %d)", &red, &green, &blue), 3)
        << color; // NOLINT(cert-err34-c)
    return red + green + blue;
  }

  static void expect_in(const Json& view, const std::string& section, const std::vector<std::string>& texts) {
    const auto text = view["sections"].value(section, "");
    for (const auto& wanted : texts) {
      EXPECT_TRUE(contains(text, wanted)) << wanted << " is not in " << section << ":\n" << text;
    }
  }
};

TEST_F(ReportInABrowser, TellsWhatIsThereByDayByNightAndOnAPhone) {
  make_busybox_root(root() / "busybox");
  write_file(project() / "seed/first", "1\n");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\ndescription: \"<script>document.title = 'ran'</script>\"\n"
      "environment: {image: 'dir:../busybox'}\nseed: {from: seed}\n"
      "prepare:\n  - {id: build, run: 'echo made > made'}\n"
      "services:\n"
      "  web: {command: 'httpd -f -p 8080 -h /tmp', readiness: {http: {port: 8080, path: /, status: 404}}, "
      "ports: ['8080']}\n"
      "  worker: {command: sleep 1000, readiness: {exec: 'true'}, depends_on: [web]}\n"
      "snapshots: {start: {at: prepare}}\n");
  const RunOptions options{
      .env = {{"PYRO_TRUST", "1"}, {"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()}}};
  expect(0, {"apply"}, options);
  EXPECT_EQ(inside("echo x > '<script>alert(1)<'; echo y >> first", options).status, 0);
  write_file(project() / "seed/second", "2\n");
  const auto port = json({"status"}, options)["ports"][0];
  const auto page = root() / "report.html";
  expect(0, {"report", "-o", page.string()}, options);

  const auto found = seen_of(page);
  EXPECT_EQ(found["requests"], Json::array());
  EXPECT_EQ(found["complaints"], Json::array());
  ASSERT_EQ(found["seen"].size(), 4U);
  for (const auto& [how, view] : found["seen"].items()) {
    SCOPED_TRACE(how);
    EXPECT_EQ(view["title"], "test");
    EXPECT_TRUE(contains(view["heading"].get<std::string>(), "test")) << view["heading"];
    EXPECT_EQ(view["scripts"], 0);
    EXPECT_LE(view["width"].get<int>(), view["window"].get<int>());
    expect_in(view, "Plan", {"workspace", "reset", "discards 2 files", "second"});
    expect_in(
        view, "Timings of the last apply", {"prepare.build", "services.web", "what the rest waited for"});
    expect_in(view, "Layers", {"environment", "in the store"});
    expect_in(view, "Services", {"web", "worker", "ready", port["url"].get<std::string>()});
    expect_in(view, "Snapshots", {"start", "managed"});
    expect_in(view, "Drift", {"other 2", "/workspace/<script>alert(1)<", "modified", "/workspace/first"});
    ASSERT_EQ(view["drawings"].size(), 1U);
    const auto& drawing = view["drawings"][0];
    EXPECT_GT(drawing["width"].get<double>(), 200);
    EXPECT_GT(drawing["height"].get<double>(), 50);
    const auto texts = drawing["texts"].dump();
    for (const auto* wanted : {"prepare.build", "services.web", "services.worker", "snapshots.start"}) {
      EXPECT_TRUE(contains(texts, fmt::format("\"{}\"", wanted))) << wanted << " " << texts;
    }
    const bool is_dark = contains(how, "dark");
    constexpr int k_far = 450; // of 765
    const auto ground = brightness_of(view["background"]);
    const auto difference = brightness_of(view["color"]) - ground;
    EXPECT_GT(is_dark ? difference : -difference, k_far) << view["color"] << view["background"];
    EXPECT_EQ(brightness_of(drawing["fill"]) < k_far, is_dark) << drawing["fill"];
  }
}

} // namespace
} // namespace pyro::testing

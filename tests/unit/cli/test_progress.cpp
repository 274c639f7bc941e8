#include <pyro/cli/progress.hpp>

#include <gtest/gtest.h>

namespace pyro::cli {

namespace {

using std::chrono::milliseconds;

struct Recorder {
  std::string text;
  milliseconds time{1000};

  Write write() {
    return [this](std::string_view more) {
      text += more;
    };
  }

  ProgressOptions options(Log log = Log::last) {
    return {
        Style{}, log, [] { return 60; },
        [this] {
          return time;
        }};
  }
};

/// What a terminal shows after it got these bytes: only the two sequences that progress uses.
std::string screen_of(const std::string& bytes) {
  std::vector<std::string> lines{""};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n') {
      lines.emplace_back();
    } else if (bytes.compare(i, 2, "\x1b[") == 0) {
      const auto end = bytes.find_first_of("AJ", i);
      if (bytes[end] == 'A') {
        const auto up = std::stoul(bytes.substr(i + 2, end - i - 2));
        EXPECT_LT(up, lines.size());
        lines.resize(lines.size() - up);
        lines.back().clear();
      }
      i = end;
    } else {
      lines.back() += bytes[i];
    }
  }
  std::string text;
  for (const auto& line : lines) {
    text += line + "\n";
  }
  return text;
}

} // namespace

TEST(PlainProgress, LinesWithTimeAndAddress) {
  Recorder recorder;
  const auto progress = make_plain_progress(recorder.write(), recorder.options(Log::all));
  progress->handle({"plan", "", "pyro plan\n", {}});
  progress->handle({"action_start", "environment.setup.deps", "building", {}});
  recorder.time += milliseconds(3200);
  progress->handle({"log", "environment.setup.deps", "fetch \x1b[1mx", {}});
  progress->handle({"action_complete", "environment.setup.deps", "built", {}});
  progress->handle({"note", "", "kept", {}});
  EXPECT_TRUE(progress->plan_was_shown());
  EXPECT_EQ(recorder.text, R"(pyro plan

[  0.0 s] environment.setup.deps: building
[  3.2 s] environment.setup.deps: | fetch \x1b[1mx
[  3.2 s] environment.setup.deps: built (3.2 s)
[  3.2 s] kept
)");
}

TEST(PlainProgress, IsShortWithoutVerbose) {
  Recorder recorder;
  const auto progress = make_plain_progress(recorder.write(), recorder.options());
  progress->handle({"action_start", "services.db", "starting", {}});
  progress->handle({"log", "environment.setup.deps", "fetch x", {}});
  for (const auto* state : {"starting", "running", "ready"}) {
    progress->handle({"probe", "services.db", state, {}});
  }
  progress->handle({"action_complete", "services.db", "started", {}});
  progress->handle({"probe", "services.db", "unready", {}});
  EXPECT_EQ(
      recorder.text, "[  0.0 s] services.db: starting\n"
                     "[  0.0 s] services.db: started (0.0 s)\n"
                     "[  0.0 s] services.db: unready\n")
      << "what an action tells is not told twice";
}

TEST(LiveProgress, RunningLinesAreRedrawnFinishedOnesStay) {
  Recorder recorder;
  const auto progress = make_live_progress(recorder.write(), recorder.options());
  progress->handle({"action_start", "environment.setup.deps", "building", {}});
  progress->handle({"action_start", "services.db", "starting", {}});
  progress->handle({"log", "environment.setup.deps", "a long line that does not fit on the terminal", {}});
  EXPECT_EQ(
      screen_of(recorder.text), "  ⠋ environment.setup.deps  building  0.0 s  a long line t…\n"
                                "  ⠋ services.db  starting  0.0 s\n\n");
  recorder.time += milliseconds(3200);
  progress->handle({"action_complete", "environment.setup.deps", "built", {{"action", "build"}}});
  progress->handle({"action_error", "services.db", "exit 1", {{"action", "start"}}});
  progress->finish();
  EXPECT_EQ(
      screen_of(recorder.text),
      "  * environment.setup.deps  built  3.2 s\n  x services.db  exit 1  3.2 s\n\n");
}

TEST(LiveProgress, VerboseKeepsStepOutput) {
  Recorder recorder;
  const auto progress = make_live_progress(recorder.write(), recorder.options(Log::all));
  progress->handle({"action_start", "prepare.build", "building", {}});
  progress->handle({"log", "prepare.build", "one", {}});
  progress->handle({"log", "prepare.build", "two", {}});
  progress->finish();
  EXPECT_EQ(screen_of(recorder.text), "    prepare.build | one\n    prepare.build | two\n\n");
}

TEST(LiveProgress, TheTickerStopsWithIt) {
  std::string text;
  const auto progress =
      make_live_progress([&](std::string_view more) { text += more; }, {Style{}, Log::last, {}, {}});
  progress->handle({"action_start", "prepare.build", "building", {}});
  progress->finish(); // joins the thread: text is ours again
  EXPECT_EQ(screen_of(text), "\n");
}

TEST(JsonProgress, OneDocumentPerLine) {
  Recorder recorder;
  const auto progress = make_json_progress(recorder.write());
  progress->handle({"probe", "services.db", "refused \xff", {{"attempt", 2}}});
  const auto event = Json::parse(recorder.text);
  EXPECT_EQ(event["type"], "probe");
  EXPECT_EQ(event["address"], "services.db");
  EXPECT_EQ(event["data"]["attempt"], 2);
  EXPECT_EQ(event["ts"].get<std::string>().size(), 24U);
  EXPECT_TRUE(recorder.text.ends_with("\n"));
}

TEST(Progress, MarksAreThePlans) {
  EXPECT_EQ(mark_of({"action_complete", "x", "", {{"action", "restart"}}}), "!");
  EXPECT_EQ(mark_of({"action_complete", "x", "", {{"action", "replace"}}}), "-/+");
  EXPECT_EQ(mark_of({"action_complete", "x", "", {}}), "*");
}

} // namespace pyro::cli

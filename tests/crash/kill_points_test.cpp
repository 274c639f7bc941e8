// Every operation is killed at every place that it passes, and once more at the first place of what follows:
// then everything is as before or as after, nothing is left over, and the operation succeeds when it is run
// again.
#include "../support/sampling.hpp"
#include "scenarios.hpp"

#include <algorithm>
#include <fstream>

namespace pyro::testing {
namespace {

struct Place {
  std::string name;
  int nth = 1;

  std::string text() const { return name + ":" + std::to_string(nth); }
};

struct Kill {
  Place place;
  bool twice = false; // and what follows at its first place, too
};

constexpr std::size_t k_kills = 16; // in one run of `make check`

class Crash : public World, public ::testing::WithParamInterface<Scenario> {
protected:
  static std::vector<std::string> passed(const fs::path& log) {
    std::vector<std::string> names;
    std::ifstream in(log);
    for (std::string line; std::getline(in, line);) {
      names.push_back(line);
    }
    return names;
  }

  static std::vector<Place> places(const fs::path& log) {
    std::map<std::string, int> seen;
    std::vector<Place> found;
    for (const auto& name : passed(log)) {
      found.push_back({name, ++seen[name]});
    }
    return found;
  }

  Result run(RunOptions options = {}) {
    options.env.insert(GetParam().env.begin(), GetParam().env.end());
    return pyro(GetParam().command(*this), options);
  }

  RunOptions killed_at(const std::string& place) {
    fs::remove(m_log);
    return {.env = {{"PYRO_CRASH_AT", place}, {"PYRO_CRASH_LOG", m_log.string()}}};
  }

  void prepare() {
    renew_seed();
    GetParam().prepare(*this);
  }

  void round(const Place& place, bool twice) {
    SCOPED_TRACE(GetParam().name + " killed at " + place.text() + (twice ? ", and again" : ""));
    prepare();
    const auto killed = run(killed_at(place.text()));
    const auto reached = passed(m_log);
    if (std::count(reached.begin(), reached.end(), place.name) < place.nth) {
      EXPECT_EQ(killed.status, 0) << killed; // caches that settle with time make it pass fewer places
      clear();
      return;
    }
    ++m_kills;
    EXPECT_EQ(killed.err.find("internal"), std::string::npos) << killed;
    if (twice) {
      std::ignore = pyro({"workspace", "list"}, killed_at("*:1"));
      std::ignore = run(killed_at("*:1"));
    }
    expect(0, {"ls"});
    const auto now = observe();
    EXPECT_TRUE(is_between(now)) << "to before: " << difference(now, m_before)
                                 << "\nto after: " << difference(now, m_after) << "\n"
                                 << killed;
    expect_sound();
    // What was done and does something else the second time is left alone, and so is a part of several
    // things.
    const bool is_done = now == m_after && !GetParam().repeatable;
    if (is_done && !GetParam().toggles) {
      std::ignore = run(); // refused, but what the killed one left goes
    }
    if (!is_done && !(GetParam().one_by_one && now != m_before)) {
      const auto again = run();
      EXPECT_EQ(again.status, 0) << "the second time: " << again;
      const auto at_last = observe();
      EXPECT_EQ(at_last, m_after) << difference(at_last, m_after) << again;
    }
    expect_tidy();
    clear();
  }

  /// Each thing as before or as after; of an operation on several, each for itself.
  bool is_between(const Observed& now) const {
    if (GetParam().in_steps) {
      const auto content = without_snapshots(now);
      return content == without_snapshots(m_before) || content == without_snapshots(m_after);
    }
    if (!GetParam().one_by_one) {
      return now == m_before || now == m_after;
    }
    auto all = m_before;
    all.insert(m_after.begin(), m_after.end());
    const auto of = [](const Observed& observed, const std::string& name) {
      const auto found = observed.find(name);
      return found == observed.end() ? Json() : found->second;
    };
    return std::all_of(now.begin(), now.end(), [&](const auto& entry) { return all.contains(entry.first); })
           && std::all_of(all.begin(), all.end(), [&](const auto& entry) {
                const auto value = of(now, entry.first);
                return value == of(m_before, entry.first) || value == of(m_after, entry.first);
              });
  }

  static Observed without_snapshots(Observed observed) {
    for (auto& [name, what] : observed) {
      if (what.is_object()) {
        what.erase("snapshots");
      }
    }
    return observed;
  }

  fs::path m_log;
  std::size_t m_kills = 0;
  Observed m_before;
  Observed m_after;
};

TEST_P(Crash, AnywhereAndTwice) {
  m_log = root() / "passed.log";
  prepare(); // once for what only the first run has to do
  ASSERT_EQ(run().status, 0);
  clear();
  prepare();
  m_before = observe();
  const auto whole = run(killed_at("nowhere"));
  ASSERT_EQ(whole.status, 0) << whole;
  const auto all = places(m_log);
  m_after = observe();
  clear();
  ASSERT_FALSE(all.empty()) << "no place is passed";
  std::vector<Kill> kills;
  std::set<std::string> names;
  for (const auto& place : all) {
    kills.push_back({place, false});
    if (names.insert(place.name).second) {
      kills.push_back({place, true});
    }
  }
  const auto tried = sampled(kills, k_kills);
  for (const auto& kill : tried) {
    round(kill.place, kill.twice);
    if (HasFatalFailure() || ::testing::Test::HasFailure()) {
      return;
    }
  }
  EXPECT_GE(2 * m_kills, tried.size()) << "most places were not passed again";
}

INSTANTIATE_TEST_SUITE_P(Kill, Crash, ::testing::ValuesIn(scenarios()), [](const auto& info) {
  return info.param.name;
});

} // namespace
} // namespace pyro::testing

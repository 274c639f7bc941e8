// Records in the state directory: what a sandbox says never damages one, and a damaged or forged one neither
// hangs nor crashes pyro nor makes it touch what lies outside of the state directory. The oracle is a canary
// beside it.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <sys/stat.h>

#include <cctype>
#include <unistd.h>

namespace pyro::testing {
namespace {

class RecordAttacks : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    write_file(canary() / "secret", "host\n");
    write_file(canary() / "tree/deep/file", "host\n");
    write_file(canary() / "manifest.json", "{}");
    m_before = tree_of(canary());
    write_file(project() / "file", "one\n");
    spec("services: {keeper: {command: exec sleep 1000}}\n"
         "prepare: [{id: warm, cache: [/var/cache/made], run: 'echo x > /var/made'}]\n");
  }

  fs::path canary() const { return root() / "canary"; }

  /// With a snapshot, an older generation that undo would bring back, kept logs; stopped.
  void make_all_records() {
    expect(0, {"apply"});
    std::ignore = inside("echo changed > /workspace/file");
    expect(0, {"snapshot", "save", "mine"});
    expect(0, {"reset", "--yes"});
    expect(0, {"stop"});
    ASSERT_EQ(workspace_ids().size(), 1U);
  }

  fs::path workspace() const { return state() / "workspaces" / *workspace_ids().begin(); }

  Result bounded(const Arguments& arguments, const std::string& what) {
    RunOptions options;
    options.timeout = std::chrono::seconds(60);
    auto result = pyro(arguments, options);
    EXPECT_LT(result.status, 124) << what << ": " << result;
    EXPECT_EQ(result.all().find('\x1b'), std::string::npos) << what << ": " << result;
    EXPECT_EQ(tree_of(canary()), m_before) << what << " with pyro " << arguments[0];
    return result;
  }

  /// Everything that pyro wrote about itself: no layers, no writable directories.
  std::vector<fs::path> records() const {
    std::vector<fs::path> found;
    for (fs::recursive_directory_iterator it(state(), fs::directory_options::skip_permission_denied), end;
         it != end; ++it) {
      const auto name = it->path().filename().string();
      if (it->is_directory() && (name == "tree" || name == "gen" || name == "staging" || name == "runtime")) {
        it.disable_recursion_pending();
      } else if (it->is_regular_file() && !it->is_symlink() && !name.ends_with("lock") && name != "reserve") {
        found.push_back(it->path());
      }
    }
    return found;
  }

private:
  std::map<std::string, std::string> m_before;
};

TEST_F(RecordAttacks, WhatASandboxSaysStaysText) {
  spec("services:\n"
       "  bad:\n"
       "    command: \"printf '\\\\033]0;evil\\\\007\\\"}],{\\\\377\\\\302\\\\233\\\\n../../x\\\\000y\\\\n'; "
       "head -c 3000000 /dev/zero | tr '\\\\000' a; exit 3\"\n"
       "    restart: 'no'\n"
       "    readiness: {file: /never, deadline: 5s}\n");
  const auto applied = bounded({"apply", "--yes"}, "a service that says this");
  EXPECT_NE(applied.status, 0);
  EXPECT_LT(applied.all().size(), 200'000U);
  std::ignore = inside("printf '\\377\\033[2J\"}'; exit 77");
  EXPECT_EQ(pyro({"exec", "--", "/bin/sh", "-c", "exit 255"}).status, 255);
  bounded({"status"}, "status");
  bounded({"ls"}, "ls");
  bounded({"stop"}, "stop");
  for (const auto& words : std::vector<Arguments>{
           {"status", "--json"},
           {"ls", "--json"},
           {"workspace", "logs", "test", "--json"},
           {"workspace", "service", "list", "test", "--json"}}) {
    const auto said = bounded(words, words[0]);
    EXPECT_FALSE(Json::parse(said.out, nullptr, false).is_discarded()) << said.out.substr(0, 300);
  }
  for (const auto& path : records()) {
    if (path.extension() == ".json") {
      EXPECT_NO_THROW(parse_json(read_file(path), path.string())) << path;
    }
  }
}

TEST_F(RecordAttacks, ARecordThatIsNoneIsToldOfAndNothingElse) {
  make_all_records();
  const std::string deep(300'000, '[');
  const auto all = records();
  EXPECT_GT(all.size(), 5U);
  for (const auto& path : all) {
    if (!fs::exists(path)) {
      continue; // the lock of a build, which prune takes away
    }
    const auto good = read_file(path);
    const auto name = path.lexically_relative(state()).string();
    const auto huge = [&] {
      std::string text;
      for (std::size_t i = 0; i < good.size(); ++i) {
        const bool digit = std::isdigit(static_cast<unsigned char>(good[i])) != 0;
        if (digit && i > 0 && (good[i - 1] == ' ' || good[i - 1] == ':')) {
          text += "9223372036854775807";
        } else if (!digit || i == 0 || std::isalnum(static_cast<unsigned char>(good[i - 1])) == 0) {
          text += good[i];
        }
      }
      return text;
    }();
    for (const std::string& trap :
         {std::string("fifo"), std::string("link"), std::string("directory"), std::string(), deep, huge,
          std::string("{\"layout_version\":1e999}")}) {
      fs::remove(path);
      if (trap == "fifo") {
        ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
      } else if (trap == "link") {
        fs::create_symlink(canary() / "secret", path);
      } else if (trap == "directory") {
        fs::create_directory(path);
      } else {
        write_file(path, trap);
      }
      const auto what = name + " as " + trap.substr(0, 20);
      bounded({trap == "link" || trap == "fifo" ? "prune" : "status"}, what);
      fs::remove_all(path);
      write_file(path, good);
    }
  }
  EXPECT_EQ(bounded({"start"}, "all good again").status, 0);
  EXPECT_EQ(inside("cat file").out, "one\n");
}

/// Pointers to all texts and numbers in it.
void leaves(const Json& value, const Json::json_pointer& here, std::vector<Json::json_pointer>& found) {
  if (value.is_object()) {
    for (const auto& [key, part] : value.items()) {
      leaves(part, here / key, found);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      leaves(value[i], here / i, found);
    }
  } else {
    found.push_back(here);
  }
}

TEST_F(RecordAttacks, APathOrNumberInARecordLeadsNobodyOut) {
  make_all_records();
  const auto file = workspace() / "workspace.json";
  const auto up = "../../../" + canary().filename().string();
  std::vector<Json::json_pointer> all;
  leaves(parse_json(read_file(file), "record"), Json::json_pointer(), all);
  EXPECT_GT(all.size(), 20U);
  std::size_t turn = 0;
  for (const auto& pointer : all) {
    if (pointer.to_string().starts_with("/spec/")) {
      continue; // read by the plan, which is tried below with the file that made it
    }
    const auto good = parse_json(read_file(file), "record");
    if (!good.contains(pointer)) {
      continue;
    }
    auto forged = good;
    auto& value = forged[pointer];
    value = value.is_number() ? Json(++turn % 2 == 0 ? -1 : 2147483647)
                              : Json(++turn % 2 == 0 ? canary().string() : up);
    write_file(file, forged.dump());
    const auto what = pointer.to_string();
    bounded({"status"}, what);
    // What names or counts something on disk is followed by those who remove it.
    if (contains(what, "generation") || contains(what, "undo") || contains(what, "layers")
        || contains(what, "id")) {
      bounded({"prune"}, what);
      bounded({turn % 2 == 0 ? "reset" : "undo", "-w", workspace().filename().string()}, what);
    }
    Json now = Json::parse(read_file(file), nullptr, false);
    if (now.is_object() && now.value("revision", 0) != good.value("revision", 0) && now.contains(pointer)) {
      if (now[pointer] == forged[pointer]) {
        now[pointer] = good[pointer];
      }
      write_file(file, now.dump());
    } else {
      write_file(file, good.dump());
    }
  }
}

TEST_F(RecordAttacks, ADirectoryOfTheStateThatLeadsElsewhereIsNotEmptied) {
  make_all_records();
  std::vector<fs::path> places{state() / "stat-cache",    state() / "store/staging", state() / "caches",
                               workspace() / "snapshots", workspace() / "services",  workspace() / "secrets",
                               workspace() / "gen",       workspace() / "commands",  state() / "trust"};
  for (const auto* parent : {"store/layers", "caches", "store/recipes"}) {
    for (const auto& entry : fs::directory_iterator(state() / parent)) {
      places.push_back(entry.path());
    }
  }
  for (const auto& entry : fs::directory_iterator(workspace() / "gen")) {
    places.push_back(entry.path());
  }
  for (const auto& place : places) {
    const auto what = place.lexically_relative(state()).string();
    const auto aside = root() / "aside";
    const bool was_there = fs::exists(fs::symlink_status(place));
    if (was_there) {
      fs::rename(place, aside);
    }
    fs::create_directories(place.parent_path());
    fs::create_directory_symlink(canary(), place);
    const auto id = workspace().filename().string();
    bounded({"status"}, what);
    bounded({"prune"}, what);
    bounded({"start"}, what);
    bounded({"reset", "--yes"}, what);
    bounded({"stop"}, what);
    if (fs::is_symlink(place)) {
      fs::remove(place);
    }
    if (was_there && !fs::exists(place)) {
      fs::rename(aside, place);
    }
    fs::remove_all(aside);
  }
  fs::create_directory_symlink(canary(), state() / "store/staging/0123456789abcdef");
  fs::create_directory_symlink(canary(), state() / "caches/checkout-0123");
  fs::create_directory_symlink(canary(), workspace() / "gen/77");
  bounded({"prune"}, "links that look like leftovers");
  bounded({"destroy", "--yes", "--snapshots"}, "destroy");
  EXPECT_FALSE(fs::exists(fs::symlink_status(state() / "store/staging/0123456789abcdef")));
}

} // namespace
} // namespace pyro::testing

// --dry-run of the verbs that change one thing: they say what they would do, refuse what they would refuse,
// and leave everything as it was. That of apply, reset, destroy and prune is beside their other flags.
#include "flags.hpp"

#include <map>
#include <unistd.h>

namespace pyro::testing {
namespace {

/// What lies in the state directory, but for the journal of calls and locks, which every call leaves, and the
/// index that whoever looks for a workspace makes. Files of users inside are not ours to read.
std::map<std::string, std::string> kept_in(const fs::path& state) {
  std::map<std::string, std::string> kept;
  const auto options = fs::directory_options::skip_permission_denied;
  for (const auto& entry : fs::recursive_directory_iterator(state, options)) {
    const auto path = fs::relative(entry.path(), state).string();
    const bool is_of_calls =
        path.starts_with("events") || path.starts_with("index/") || contains(path, "lock");
    if (is_of_calls || !entry.is_regular_file() || entry.is_symlink()) {
      continue;
    }
    const bool is_ours = ::access(entry.path().c_str(), R_OK) == 0;
    kept[path] = std::to_string(entry.file_size()) + " " + (is_ours ? read_file(entry.path()) : "");
  }
  return kept;
}

class Unchanged {
public:
  explicit Unchanged(Flags& test) : m_test(test), m_kept(kept_in(test.state())) {}

  ~Unchanged() {
    const auto now = kept_in(m_test.state());
    for (const auto& [path, content] : now) {
      const auto before = m_kept.find(path);
      EXPECT_TRUE(before != m_kept.end() && before->second == content) << path << " is another or new";
    }
    EXPECT_EQ(now.size(), m_kept.size()) << "something is gone";
  }

  Unchanged(const Unchanged&) = delete;
  Unchanged& operator=(const Unchanged&) = delete;

private:
  Flags& m_test;
  std::map<std::string, std::string> m_kept;
};

/// "restart services.web, …" of those that change something.
std::string said_by(Flags& test, Arguments words) {
  words.emplace_back("--dry-run");
  const Unchanged unchanged(test);
  const auto text = test.expect(0, words).out;
  const auto document = test.json(words);
  EXPECT_EQ(document["dry_run"], true);
  EXPECT_EQ(document["text"], text);
  std::string said;
  for (const auto& action : document["plan"]["actions"]) {
    const std::string kind = action["action"];
    if (kind != "noop") {
      EXPECT_TRUE(contains(text, action["address"].get<std::string>())) << text;
      said += (said.empty() ? "" : ", ") + kind + " " + action["address"].get<std::string>();
    }
  }
  EXPECT_EQ(document["would_change"], !said.empty());
  return said;
}

/// The same refusal as without it.
void refuses_alike(Flags& test, const Arguments& words, int status) {
  auto dry = words;
  dry.emplace_back("--dry-run");
  const auto said = test.expect(status, dry).err;
  EXPECT_EQ(test.expect(status, words).err, said);
}

constexpr const char* k_services = "services:\n  web: {command: [sleep, '1000']}\n"
                                   "  api: {command: [sleep, '1000'], depends_on: {web: {condition: started, "
                                   "restart: true}}}\n  other: {command: [sleep, '1000']}\n";

/// `load` is done, so it is not restarted with `db`; `web`, which asked for it, is.
constexpr const char* k_over_a_oneshot =
    "services:\n  db: {command: [sleep, '1000']}\n"
    "  load: {command: 'true', oneshot: true, depends_on: {db: {restart: true}}}\n"
    "  web: {command: [sleep, '1000'], depends_on: {load: {restart: true}}}\n";

void says_what_it_would_stop(Flags& test, const std::string& command) {
  test.file(k_services);
  test.expect(0, {"apply"});
  EXPECT_EQ(
      said_by(test, {command}), "stop services.api, stop services.other, stop services.web, stop workspace");
  EXPECT_NE(test.service_status("web")["pid"], 0);
  test.expect(0, {command});
  EXPECT_EQ(said_by(test, {command}), "");
  test.expect(0, {"destroy"});
  refuses_alike(test, {command}, 1);
}

void says_what_it_would_fork(Flags& test, const Arguments& fork) {
  test.file();
  test.expect(0, {"apply"});
  auto words = fork;
  words.insert(words.end(), {"--count", "2"});
  EXPECT_EQ(said_by(test, words), "create workspaces.copy-1, create workspaces.copy-2");
  EXPECT_EQ(test.workspace_ids().size(), 1U);
  words.insert(words.end(), {"--snapshot", "none"});
  refuses_alike(test, words, test.pyro(words).status);
}

void says_that_it_would_save(Flags& test, const Arguments& save, const Arguments& remove) {
  test.file();
  test.expect(0, {"apply"});
  EXPECT_EQ(said_by(test, save), "take snapshots.point");
  test.expect(0, save);
  refuses_alike(test, save, 1);
  EXPECT_EQ(said_by(test, remove), "forget snapshots.point");
  test.expect(0, remove);
  refuses_alike(test, remove, test.pyro(remove).status);
  test.expect(0, {"stop"});
  refuses_alike(test, save, 1);
}

} // namespace

TEST_F(Flags, stop__dry_run) {
  says_what_it_would_stop(*this, "stop");
}

TEST_F(Flags, down__dry_run) {
  says_what_it_would_stop(*this, "down");
}

TEST_F(Flags, start__dry_run) {
  file(
      std::string("secrets: {key: {file: ./key}}\n") + k_services
      + "  last: {command: [sleep, '1000'], secrets: [key]}\n");
  write_file(project() / "key", "sesame\n");
  expect(0, {"apply"});
  EXPECT_EQ(said_by(*this, {"start"}), "");
  expect(0, {"stop"});
  EXPECT_EQ(
      said_by(*this, {"start"}),
      "start workspace, start services.api, start services.last, start services.other, start services.web");
  EXPECT_EQ(state_of_workspace(), "stopped");
  fs::remove(project() / "key");
  refuses_alike(*this, {"start"}, pyro({"start"}).status);
}

TEST_F(Flags, restart__dry_run) {
  file(k_services);
  expect(0, {"apply"});
  const auto pid = service_status("web")["pid"];
  EXPECT_EQ(said_by(*this, {"restart", "web"}), "restart services.api, restart services.web");
  EXPECT_EQ(said_by(*this, {"restart", "api"}), "restart services.api");
  EXPECT_EQ(
      said_by(*this, {"restart"}), "restart services.api, restart services.other, restart services.web");
  EXPECT_EQ(service_status("web")["pid"], pid);
  refuses_alike(*this, {"restart", "wbe"}, pyro({"restart", "wbe"}).status);

  file(k_over_a_oneshot);
  expect(0, {"apply"});
  const auto before = service_status("web")["pid"];
  EXPECT_EQ(said_by(*this, {"restart", "db"}), "restart services.db, restart services.web");
  expect(0, {"restart", "db"});
  EXPECT_TRUE(eventually([&] {
    const auto now = service_status("web")["pid"];
    return now != before && now != 0;
  })) << "it is restarted, as was said";
}

TEST_F(Flags, undo__dry_run) {
  file(k_services);
  expect(0, {"apply"});
  refuses_alike(*this, {"undo"}, 1);
  ASSERT_EQ(inside("echo one > one").status, 0);
  expect(0, {"reset"});
  ASSERT_EQ(inside("echo two > two").status, 0);
  const auto started = "reset workspace, start services.api, start services.other, start services.web";
  EXPECT_EQ(said_by(*this, {"undo"}), started);
  EXPECT_TRUE(contains(expect(0, {"undo", "--dry-run"}).out, "A /workspace/two"));
  EXPECT_EQ(inside("cat two").out, "two\n");
  expect(0, {"destroy"}); // which goes on removing files
  EXPECT_EQ(json({"undo", "--dry-run"})["plan"]["actions"][0]["action"], "create") << "it brings it back";
  EXPECT_EQ(state_of_workspace(), "destroyed");
  expect(0, {"undo"});
  EXPECT_EQ(inside("cat two").out, "two\n");
}

TEST_F(Flags, fork__dry_run) {
  says_what_it_would_fork(*this, {"fork", "copy"});
}

TEST_F(Flags, workspace_fork__dry_run) {
  says_what_it_would_fork(*this, {"workspace", "fork", "test", "--name", "copy"});
}

TEST_F(Flags, snapshot_save__dry_run) {
  says_that_it_would_save(*this, {"snapshot", "save", "point"}, {"snapshot", "rm", "point"});
}

TEST_F(Flags, snapshot_rm__dry_run) {
  file();
  expect(0, {"apply"});
  refuses_alike(*this, {"snapshot", "rm", "baseline"}, pyro({"snapshot", "rm", "baseline"}).status);
  expect(0, {"snapshot", "save", "point"});
  EXPECT_EQ(said_by(*this, {"snapshot", "rm", "point"}), "forget snapshots.point");
  EXPECT_TRUE(contains(pyro({"snapshot", "ls"}).out, "point"));
}

TEST_F(Flags, workspace_snapshot_create__dry_run) {
  says_that_it_would_save(
      *this, {"workspace", "snapshot", "create", "test", "point"},
      {"workspace", "snapshot", "delete", "test", "point"});
}

TEST_F(Flags, workspace_snapshot_delete__dry_run) {
  file();
  expect(0, {"apply"});
  expect(0, {"snapshot", "save", "point"});
  EXPECT_EQ(said_by(*this, {"workspace", "snapshot", "delete", "test", "point"}), "forget snapshots.point");
  EXPECT_TRUE(contains(pyro({"snapshot", "ls"}).out, "point"));
}

} // namespace pyro::testing

// What projects share on one machine and what they do not: layers of steps, caches, secrets in either. And
// that a snapshot of what is being written has the bytes of its moment.
#include "../support/home.hpp"

#include <nlohmann/json.hpp>

namespace pyro::testing {
namespace {

class Sharing : public Functional {
protected:
  /// Applied there, with this value of the secret; what the file holds inside afterwards, without its dashes,
  /// since the secret itself would not be shown.
  std::string applied(const fs::path& where, const std::string& body, const std::string& file) {
    RunOptions options;
    options.cwd = where;
    options.env["TEST_TOKEN"] = where.filename().string() + "-token";
    options.env["PYRO_TRUST"] = "1";
    spec(body, where);
    expect(0, {"apply", "--yes"}, options);
    return inside("tr -d - < " + file, options).out;
  }
};

TEST_F(Sharing, ALayerWithASecretIsOneCheckoutsOwn) {
  const auto other = another_project("other");
  const std::string body =
      "secrets: {token: {env: TEST_TOKEN}}\n"
      "prepare:\n"
      "  - {id: leak, secrets: [token], run: \"cp $TOKEN_FILE /var/leak; chmod 644 /var/leak\"}\n";
  EXPECT_EQ(applied(project(), body, "/var/leak"), "projecttoken");
  EXPECT_EQ(applied(other, body, "/var/leak"), "othertoken") << "the first project's layer was taken";
}

TEST_F(Sharing, ALayerOnTopOfOneWithASecretIsTheCheckoutsTo) {
  const auto other = another_project("other");
  const std::string body =
      "secrets: {token: {env: TEST_TOKEN}}\n"
      "prepare:\n"
      "  - {id: leak, secrets: [token], run: \"cp $TOKEN_FILE /var/leak; chmod 644 /var/leak\"}\n"
      "  - {id: copy, run: cp /var/leak /var/copy}\n";
  EXPECT_EQ(applied(project(), body, "/var/copy"), "projecttoken");
  EXPECT_EQ(applied(other, body, "/var/copy"), "othertoken");
}

TEST_F(Sharing, StepsThatTakeNothingOfTheirOwnAreShared) {
  const auto other = another_project("other");
  const std::string body = "prepare: [{id: made, run: \"date +%s%N > /var/made; hostname >> /var/made\"}]\n";
  const auto made = applied(project(), body, "/var/made");
  EXPECT_EQ(made.substr(made.find('\n')), "\nlocalhost\n")
      << "the name of one project would be in the layer of another";
  EXPECT_EQ(applied(other, body, "/var/made"), made);
}

TEST_F(Sharing, CachesAreOneCheckoutsOwn) {
  const auto other = another_project("other");
  const auto step = [](const std::string& run) {
    return "prepare: [{id: s, cache: [/var/cache/mine/], run: \"" + run + "\"}]\n";
  };
  applied(project(), step("echo poisoned > /var/cache/mine/f"), "/dev/null");
  EXPECT_EQ(applied(other, step("ls /var/cache/mine > /var/seen"), "/var/seen"), "");
  EXPECT_EQ(applied(project(), step("ls /var/cache/mine > /var/seen"), "/var/seen"), "f\n")
      << "what a cache is for";
  EXPECT_EQ(inside("ls /var/cache/mine").out, "") << "it is no part of the layer";
}

TEST_F(Sharing, ACacheOfTheMachineIsAgreedTo) {
  const auto other = another_project("other");
  const auto step = [](const std::string& run) {
    return "prepare: [{id: s, cache: [{path: /var/cache/ours, share: machine}], run: \"" + run + "\"}]\n";
  };
  applied(project(), step("echo there > /var/cache/ours/f"), "/dev/null");
  EXPECT_EQ(applied(other, step("cat /var/cache/ours/f > /var/seen"), "/var/seen"), "there\n");
}

TEST_F(Sharing, PruneRemovesCachesOfCheckoutsThatAreGone) {
  const auto other = another_project("other");
  const std::string body = "prepare: [{id: s, cache: [/var/cache/mine], run: echo x > /var/cache/mine/f}]\n";
  applied(project(), body, "/dev/null");
  applied(other, body, "/dev/null");
  RunOptions there;
  there.cwd = other;
  expect(0, {"destroy", "--yes", "--snapshots"}, there);
  const auto count = [&] {
    return std::distance(fs::directory_iterator(state() / "caches"), fs::directory_iterator());
  };
  EXPECT_EQ(count(), 2);
  fs::rename(other, root() / "moved");
  expect(0, {"prune"});
  EXPECT_EQ(count(), 1);
  fs::rename(root() / "moved", other);
}

TEST_F(Sharing, ThePlanSaysWhyAStepIsBuiltAgain) {
  spec("prepare: [{id: s, run: echo}]\n");
  expect(0, {"apply"});
  spec("prepare: [{id: s, run: echo, cache: [/var/cache/mine]}]\n");
  EXPECT_NE(expect(0, {"plan"}).out.find("cache /var/cache/mine added"), std::string::npos);
  EXPECT_NE(expect(0, {"why", "prepare.s"}).out.find("cache /var/cache/mine"), std::string::npos);
}

TEST_F(Sharing, ASnapshotHasWhatAMappingWasLastGiven) {
  write_file(project() / "writer.py", R"(import mmap, os, time
mapped = open('/workspace/mapped', 'w+b')
mapped.write(b'0' * 4096)
mapped.flush()
memory = mmap.mmap(mapped.fileno(), 4096)
plain = os.open('/workspace/plain', os.O_RDWR | os.O_CREAT)
count = 0
while True:
    count += 1
    memory[0:8] = b'%08d' % count
    os.pwrite(plain, b'%08d' % count, 0)
    time.sleep(0.001)
)");
  spec("services:\n  writer: {command: [python3, writer.py], readiness: {file: /workspace/plain}}\n");
  expect(0, {"apply"});
  const auto record = state() / "workspaces" / *workspace_ids().begin();
  long before = 0;
  for (const std::string name : {"one", "two", "three"}) {
    const auto wanted = before + 200; // long after the first store through a clean page
    ASSERT_TRUE(eventually([&] { return std::atol(inside("cat plain").out.c_str()) > wanted; }));
    expect(0, {"snapshot", "save", name});
    const auto layers = Json::parse(read_file(record / "snapshots" / (name + ".json")))["layers"];
    const auto tree = state() / "store" / "layers" / layers.back().get<std::string>() / "tree" / "workspace";
    const auto mapped = std::atol(read_file(tree / "mapped").substr(0, 8).c_str());
    before = std::atol(read_file(tree / "plain").c_str());
    EXPECT_GT(before, wanted);
    EXPECT_TRUE(mapped == before || mapped == before + 1)
        << mapped << " in the mapping, " << before << " beside it";
  }
}

} // namespace
} // namespace pyro::testing

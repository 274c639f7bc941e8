// What was changed inside: by whom, from which layer, and which of it somebody wants to see.
#include "../support/files.hpp"
#include "flags.hpp"

namespace pyro::testing {
namespace {

class Drift : public Flags {
public:
  /// Every path that differs with one member of its entry.
  std::map<std::string, std::string> diff_by(const std::string& member, const Arguments& more = {}) {
    Arguments arguments{"diff"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::map<std::string, std::string> found;
    const auto document = json(arguments);
    for (const auto& entry : document["entries"]) {
      found[entry["path"]] = entry[member].is_string() ? entry[member].get<std::string>() : "-";
    }
    return found;
  }

  std::string names(const Arguments& paths) {
    Arguments arguments{"diff", "--name-only"};
    arguments.insert(arguments.end(), paths.begin(), paths.end());
    return expect(0, arguments).out;
  }
};

/// As dpkg, pip and npm write their databases.
constexpr auto k_install = R"(
mkdir -p /var/lib/dpkg/info /usr/bin /usr/lib/python3/dist-packages/six-1.16.0.dist-info /usr/lib/node_modules/cowsay
printf 'Package: hello\nStatus: install ok installed\nArchitecture: all\nVersion: 2.10\n\n' > /var/lib/dpkg/status
printf '/.\n/usr\n/usr/bin/hello\n' > /var/lib/dpkg/info/hello.list
echo hello > /usr/bin/hello
cd /usr/lib/python3/dist-packages
echo pip > six-1.16.0.dist-info/INSTALLER
printf 'six.py,,\nsix-1.16.0.dist-info/INSTALLER,,\n' > six-1.16.0.dist-info/RECORD
echo 'x = 1' > six.py
echo '{"name": "cowsay", "version": "1.0.0"}' > /usr/lib/node_modules/cowsay/package.json
)";

TEST_F(Drift, IsGroupedByWhoMadeIt) {
  file();
  expect(0, {"apply"});
  EXPECT_EQ(inside(k_install).status, 0);
  EXPECT_EQ(
      inside("mkdir -p build; echo 1 > build/a.bin; echo 1 > main.o; echo x >> first; echo c > /etc/c")
          .status,
      0);
  const auto causes = diff_by("cause");
  const std::map<std::string, std::string> wanted{
      {"/usr/bin/hello", "apt"},
      {"/var/lib/dpkg/status", "apt"},
      {"/usr/lib/python3/dist-packages/six.py", "pip"},
      {"/usr/lib/python3/dist-packages/six-1.16.0.dist-info/RECORD", "pip"},
      {"/usr/lib/node_modules/cowsay/package.json", "npm"},
      {"/workspace/build/a.bin", "build"},
      {"/workspace/main.o", "build"},
      {"/workspace/first", "command"},
      {"/etc/c", "command"}};
  for (const auto& [path, cause] : wanted) {
    EXPECT_EQ(causes.contains(path) ? causes.at(path) : "not there", cause) << path;
  }
  const auto text = expect(0, {"diff"}).out;
  EXPECT_TRUE(contains(text, "by apt: 3\n") && contains(text, "by commands: 2\n")) << text;
  const auto drift = json({"status"})["drift"];
  EXPECT_EQ(drift["count"], causes.size());
  EXPECT_EQ(drift["causes"].size(), 5U) << drift;
  EXPECT_TRUE(contains(expect(0, {"status"}).out, "inside: ")) << drift;
  const auto plan = expect(0, {"plan"}).out;
  EXPECT_TRUE(contains(plan, "2 by commands") && contains(plan, "3 by apt")) << plan;
}

TEST_F(Drift, WhatCannotBeToldIsOther) {
  file("services: {web: {command: 'echo w > /srv/w; sleep 1000', readiness: {file: /srv/w}}}\n");
  write_file(project() / "root/srv/.keep", "");
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo x >> first; rm /etc/passwd").status, 0);
  for (const auto& [path, cause] : diff_by("cause")) {
    EXPECT_EQ(cause, "other") << path << ": a service runs beside the commands";
  }
}

TEST_F(Drift, TheLayerThatAFileCameFromIsNamed) {
  file("prepare:\n  - {id: make, run: echo made > made}\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo x >> first; echo x >> made; echo x >> /etc/passwd; echo x > /etc/new").status, 0);
  const std::map<std::string, std::string> wanted{
      {"/workspace/first", "seed"},
      {"/workspace/made", "prepare.make"},
      {"/etc/passwd", "environment"},
      {"/etc/new", "-"}};
  EXPECT_EQ(diff_by("origin"), wanted);
  EXPECT_TRUE(contains(expect(0, {"diff", "--verbose"}).out, "M /workspace/made  from prepare.make\n"));
}

TEST_F(Drift, PathsArePatternsAsGitHasThem) {
  file();
  expect(0, {"apply"});
  EXPECT_EQ(
      inside("mkdir -p src/gen docs; for f in src/a.c src/b.h src/gen/c.c docs/a.md 'odd[1].c' top.c; do "
             "echo x > $f; done")
          .status,
      0);
  EXPECT_EQ(names({"src"}), "/workspace/src/a.c\n/workspace/src/b.h\n/workspace/src/gen/c.c\n");
  EXPECT_EQ(names({"src", ":!src/gen"}), "/workspace/src/a.c\n/workspace/src/b.h\n");
  EXPECT_EQ(names({"src/*.c"}), "/workspace/src/a.c\n/workspace/src/gen/c.c\n") << "stars cross slashes";
  EXPECT_EQ(names({":(glob)src/*.c"}), "/workspace/src/a.c\n");
  EXPECT_EQ(names({"*.md", "/workspace/top.c"}), "/workspace/docs/a.md\n/workspace/top.c\n");
  EXPECT_EQ(names({"*.c", ":^*/gen/*", ":(exclude)top.c"}), "/workspace/odd[1].c\n/workspace/src/a.c\n");
  EXPECT_EQ(names({":(literal)odd[1].c"}), "/workspace/odd[1].c\n");
  EXPECT_EQ(names({":!*.c"}), "/workspace/docs/a.md\n/workspace/src/b.h\n");
  EXPECT_EQ(names({"nothing/here"}), "");
  for (const auto* wrong : {":(icase)src", ":src", ":(glob"}) {
    EXPECT_TRUE(contains(expect(64, {"diff", wrong}).err, wrong));
  }
}

TEST_F(Drift, WhatIsNeverReportedIsInTheConfig) {
  file();
  const auto ignored = json({"config"})["drift"]["built_in_ignore"];
  EXPECT_TRUE(contains(joined(ignored), "/var/log/")) << ignored;
  EXPECT_TRUE(contains(expect(0, {"config"}).out, "# Never reported as drift:\n#   /tmp/*\n"));
}

} // namespace
} // namespace pyro::testing

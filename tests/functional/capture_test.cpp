// From what was tried by hand to steps of the file that do the same, and whether steps do the same each time.
#include "../support/files.hpp"
#include "capture.hpp"

namespace pyro::testing {
namespace {

constexpr auto k_edits = R"(set -e
echo 'host = "${HOST}" # $$ it'\''s' > /etc/app.conf
printf 'no newline at the end' > /etc/app.tail
printf '\tindented\n\n  twice  \n' >> /etc/passwd
printf '\001\002\377' > /etc/app.bin
: > /etc/app.empty
mkdir -p /srv/data/deep '/srv/with space'
chmod 700 /srv/data
echo x > /srv/data/deep/file; chmod 4750 /srv/data/deep/file
echo y > "/srv/with space/it's"
ln -s ../etc/app.conf /srv/link
mkdir /srv/empty
rm -r /root
)";

TEST_F(Capture, WhatItProposesMakesTheSameTree) {
  write_file(project() / "root/root/old", "old\n");
  file("# a comment that stays\nprepare:\n  - {id: make, run: echo made > made} # and one more\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside(k_edits).status, 0);
  EXPECT_EQ(inside("echo mine >> first; head -c 40000 /dev/zero > /srv/large; mkfifo /srv/fifo").status, 0);
  const auto seen = tree("/etc /srv ! -name large ! -name fifo");
  const auto proposal = json({"capture"});
  EXPECT_EQ(proposal["checkout"], Json::array({"/workspace/first"})) << proposal;
  EXPECT_EQ(joined(proposal["not_reproduced"], "path"), "/srv/fifo /srv/large") << proposal;
  EXPECT_FALSE(proposal["written"].get<bool>());

  const auto patch = expect(0, {"capture"});
  EXPECT_TRUE(contains(patch.err, "/srv/large: it is larger than 32 KiB")) << patch;
  const auto applied = command({"git", "apply", "--verbose", "-"}, {.input = patch.out});
  ASSERT_EQ(applied.status, 0) << applied << patch;
  const auto text = read_file(project() / "pyro.yaml");
  EXPECT_TRUE(contains(text, "# a comment that stays\n") && contains(text, "} # and one more\n")) << text;
  EXPECT_EQ(tree_made_anew("/etc /srv ! -name large ! -name fifo"), seen);
  EXPECT_EQ(inside("ls -d /root").status, 1);
  EXPECT_EQ(json({"capture"})["steps"].size(), 0U) << "nothing is left to capture";
}

TEST_F(Flags, capture__write) {
  file();
  expect(0, {"apply"});
  const auto before = read_file(project() / "pyro.yaml");
  EXPECT_EQ(inside("echo a > /etc/a").status, 0);
  expect(0, {"capture"});
  EXPECT_EQ(read_file(project() / "pyro.yaml"), before);
  EXPECT_TRUE(contains(expect(0, {"capture", "--write"}).err, "written to"));
  EXPECT_TRUE(contains(read_file(project() / "pyro.yaml"), "captured-files"));
  expect(0, {"validate"});
}

/// A package of one file, of which apt is told by a repository that is a directory.
constexpr auto k_repository = R"sh(set -e
mkdir -p /opt/repo && cd /opt/repo
for v in 1.0 2.0; do
  for p in pyro-hello pyro-needed; do
    mkdir -p b/DEBIAN b/usr/share/$p
    echo "$p $v" > b/usr/share/$p/file
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' $p $v > b/DEBIAN/control
    [ $p = pyro-needed ] || echo "Depends: pyro-needed" >> b/DEBIAN/control
    dpkg-deb --root-owner-group -b b $p-$v.deb > /dev/null
    rm -r b
  done
done
for d in *.deb; do
  dpkg-deb -f $d; echo "Filename: ./$d"; echo "Size: $(stat -c %s $d)"
  echo "SHA256: $(sha256sum < $d | cut -d' ' -f1)"; echo
done > Packages
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/opt/repo ./' > /etc/apt/sources.list
echo 'APT::Sandbox::User "root";' > /etc/apt/apt.conf.d/99-root
)sh";

TEST_F(Capture, PackagesOfAptComeBackWithTheirVersions) {
  if (!fs::exists("/usr/bin/apt-get") || !fs::exists("/usr/bin/dpkg-deb")) {
    GTEST_SKIP() << "needs a machine with apt";
  }
  std::string script(k_repository);
  for (std::size_t at = 0; (at = script.find('\n', at)) != std::string::npos; at += 9) {
    script.replace(at, 1, "\n        ");
  }
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment:\n  image: host\n  setup:\n    - id: repo\n      run: |\n        "
          + script + "\nseed: {from: seed}\n");
  expect(0, {"apply"});
  const auto installed =
      inside("apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y pyro-hello=1.0");
  ASSERT_EQ(installed.status, 0) << installed;
  const auto causes = json({"diff", "/usr", "/var/lib/dpkg"});
  for (const auto& entry : causes["entries"]) {
    EXPECT_EQ(entry["cause"], "apt") << entry;
  }
  const auto proposal = json({"capture", "--write"});
  ASSERT_EQ(proposal["steps"].size(), 1U) << proposal;
  const auto run = proposal["steps"][0]["run"].get<std::string>();
  EXPECT_TRUE(contains(run, "pyro-hello=1.0 pyro-needed=2.0")) << run;
  EXPECT_TRUE(contains(run, "apt-mark auto pyro-needed")) << run;
  const auto state = "dpkg-query -W; apt-mark showauto; cat /usr/share/pyro-*/file";
  const auto seen = inside(state).out;
  expect(0, {"destroy", "--yes", "--snapshots"});
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside(state).out, seen);
  EXPECT_EQ(joined(json({"diff"})["entries"], "path"), "");
}

TEST_F(Capture, VerifyNamesEachFileThatDiffersAndWhatItLooksLike) {
  file("prepare:\n"
       "  - id: same\n    run: echo same > same; touch empty\n"
       "  - id: differs\n    run: |\n"
       "      mkdir -p /out\n"
       "      date > /out/date; date +%s > /out/epoch\n"
       "      cat /proc/sys/kernel/random/uuid > /out/uuid\n"
       "      echo > /out/name-$(cat /proc/sys/kernel/random/uuid)\n"
       "      t=$(date +%s); while [ $(date +%s) = $t ]; do :; done\n");
  expect(0, {"apply"});
  const auto before = json({"status"});
  EXPECT_TRUE(before["verified"].is_null());
  const auto verified = pyro({"verify", "--json"});
  EXPECT_EQ(verified.status, 8) << verified;
  std::map<std::string, std::string> classes;
  const auto document = Json::parse(verified.out, nullptr, false);
  for (const auto& entry : document["differing"]) {
    EXPECT_EQ(entry["step"], "prepare.differs") << entry;
    classes[entry["path"].get<std::string>().substr(0, 9)] = entry["class"];
  }
  const std::map<std::string, std::string> wanted{
      {"/out/date", "time"}, {"/out/epoc", "time"}, {"/out/name", "random"}, {"/out/uuid", "random"}};
  EXPECT_EQ(classes, wanted) << document;

  const auto after = json({"status"});
  EXPECT_EQ(after["verified"]["count"], document["count"]);
  EXPECT_TRUE(after["verified"]["current"].get<bool>());
  EXPECT_EQ(after["generation"], before["generation"]);
  EXPECT_TRUE(contains(expect(0, {"status"}).out, "of two builds differed"));
  EXPECT_TRUE(contains(expect(0, {"why", "prepare.differs"}).out, "/out/uuid (random)"));
  EXPECT_TRUE(contains(expect(0, {"why", "prepare.same"}).out, "it was the same"));
  EXPECT_EQ(expect(0, {"plan"}).status, 0);
  EXPECT_TRUE(json({"plan"})["plan"]["empty"].get<bool>()) << "the cache is as it was";
}

TEST_F(Capture, VerifySaysThatTwoBuildsAreTheSame) {
  file("prepare:\n  - {id: same, run: echo same > same}\n");
  const auto document = json({"verify"});
  EXPECT_TRUE(document["reproducible"].get<bool>()) << document;
  EXPECT_EQ(json({"ls"})["count"], 0) << "no workspace is made for it";
  expect(0, {"apply"});
  EXPECT_TRUE(contains(expect(0, {"status"}).out, "the same twice"));
  file("prepare:\n  - {id: same, run: echo other > same}\n");
  expect(0, {"apply", "--yes"});
  EXPECT_TRUE(contains(expect(0, {"status"}).out, "the steps are others now"));
}

TEST_F(Flags, verify__timeout) {
  file("prepare:\n  - {id: long, run: sleep 1000}\n");
  expect(124, {"verify", "--timeout", "300ms"});
}

} // namespace
} // namespace pyro::testing

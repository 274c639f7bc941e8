// What each field of pyro.yaml does: the environment, its steps and caches, and the seed.
#include "fields.hpp"

#include <sys/utsname.h>

namespace pyro::testing {
namespace {

TEST_F(Fields, environment__image) {
  write_file(root() / "busybox/etc/marker", "of this image\n");
  up("");
  EXPECT_EQ(see("cat /etc/marker"), "of this image");
}

TEST_F(Fields, environment__platform) {
  utsname name{};
  ::uname(&name);
  const bool is_arm = std::string(std::data(name.machine)) == "aarch64";
  up_with(is_arm ? "  platform: linux/arm64\n" : "  platform: linux/amd64\n");
  file(is_arm ? "  platform: linux/amd64\n" : "  platform: linux/arm64\n", "");
  const auto refused = run({"plan"});
  EXPECT_EQ(refused.status, 10) << refused;
  EXPECT_TRUE(contains(refused.all(), "do not run")) << refused;
}

TEST_F(Fields, environment__user) {
  up("");
  if (!has_users(m_options)) {
    GTEST_SKIP() << "one user only: no range of ids for us";
  }
  EXPECT_EQ(see("id -un"), "root");
  up_with("  user: nobody\n");
  EXPECT_EQ(see("id -un"), "nobody");
}

TEST_F(Fields, environment__workdir) {
  up("");
  EXPECT_EQ(see("pwd"), "/workspace");
  up_with("  workdir: /etc\n");
  EXPECT_EQ(see("pwd"), "/etc");
}

TEST_F(Fields, environment__env) {
  up_with(
      "  env: {COLOUR: green}\n  setup: [{run: 'echo \"<$COLOUR>\" > /seen_by_setup'}]\n",
      "services: {s: {command: 'echo $COLOUR > /tmp/seen', oneshot: true}}\n");
  EXPECT_EQ(see("echo $COLOUR; cat /tmp/seen /seen_by_setup"), "green\ngreen\n<>");
  up_with("  env: &vars {COLOUR: red}\n", "prepare: [{run: 'echo $COLOUR > prepared', env: *vars}]\n");
  EXPECT_EQ(see("echo $COLOUR; cat prepared"), "red\nred") << "said once";
}

TEST_F(Fields, resources__cpus) {
  up_with("  resources: {cpus: 1}\n");
  EXPECT_EQ(read({"status"}).at("vcpu_count"), 1);
  up_with("  resources: {cpus: 2}\n");
  EXPECT_EQ(read({"status"}).at("vcpu_count"), 2);
}

TEST_F(Fields, resources__memory) {
  up_with("  resources: {memory: 64MiB}\n");
  EXPECT_EQ(read({"status"}).at("mem_mib"), 64);
  const auto limits = Json::parse(run({"doctor", "--json"}).out, nullptr, false);
  const auto hungry = "head -c 200m /dev/zero | tail -c 190m | wc -c"; // tail holds it all
  if (contains(limits.dump(), "\"limits\":\"enforced\"")) {
    EXPECT_NE(see(hungry), "199229440");
  }
}

TEST_F(Fields, resources__disk) {
  up_with("  resources: {disk: 32MiB}\n");
  // In pieces: where a watcher holds it, the whole of it is in memory before the watcher looks.
  const auto* pieces =
      "for i in $(seq 40); do dd if=/dev/zero of=/workspace/big$i bs=1M count=10 || exit 1; sleep 0.1; done";
  EXPECT_NE(inside(pieces, m_options).status, 0);
  EXPECT_TRUE(contains(expect_run(0, {"status"}).all(), "disk"));
  up_with("  resources: {disk: 1GiB}\n");
  expect_run(0, {"reset", "--yes"});
  EXPECT_EQ(inside("dd if=/dev/zero of=/workspace/big bs=1M count=60", m_options).status, 0);
}

TEST_F(Fields, resources__pids) {
  up_with("  resources: {pids: 64}\n");
  const std::string many = "i=0; while [ $i -lt 200 ]; do sleep 2 & i=$((i+1)); done; wait";
  EXPECT_NE(inside(many, m_options).status, 0);
  up_with("  resources: {pids: 1024}\n");
  EXPECT_EQ(inside(many, m_options).status, 0);
}

// --- setup

TEST_F(Fields, setup_step__id) {
  file("  setup: [{id: tools, run: 'true'}, {run: 'true'}]\n", "");
  const auto plan = expect_run(0, {"plan"}).out;
  EXPECT_TRUE(contains(plan, "environment.setup.tools")) << plan;
  EXPECT_TRUE(contains(plan, "environment.setup.2")) << plan;
}

/// A program in the image that notes how it was called, and what it found.
void note_calls_of(const fs::path& program, const std::string& note) {
  write_file(program, "#!/bin/sh\necho \"" + note + "\" >> /asked\n");
  fs::permissions(
      program, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
}

TEST_F(Fields, setup_step__apt) {
  note_calls_of(root() / "busybox/bin/apt-get", "$DEBIAN_FRONTEND $*");
  up_with("  setup: [{id: tools, apt: [git, libpq-dev]}]\n");
  EXPECT_EQ(
      see("cat /asked"), "noninteractive update\nnoninteractive install -y --no-install-recommends git "
                         "libpq-dev\nnoninteractive clean");
}

TEST_F(Fields, setup_step__npm) {
  note_calls_of(root() / "busybox/bin/npm", "$* $(ls | tr '\\n' ' ')");
  write_file(project() / "package.json", "{}");
  write_file(project() / "package-lock.json", "{}");
  up_with("  setup: [{id: own, npm: ci}]\n");
  EXPECT_EQ(see("cat /asked"), "ci package-lock.json package.json ");
  up_with("  setup: [{id: own, npm: install}]\n");
  EXPECT_EQ(see("cat /asked"), "install package.json ");
}

TEST_F(Fields, setup_step__pip) {
  note_calls_of(root() / "busybox/bin/python3", "$* $(cat requirements.txt) $(ls | wc -l)");
  write_file(project() / "requirements.txt", "flask");
  up_with("  setup: [{id: own, pip: requirements.txt}]\n");
  EXPECT_EQ(see("cat /asked"), "-m pip install --no-cache-dir -r requirements.txt flask 1");
}

TEST_F(Fields, setup_step__tools) {
  write_file(project() / "mise.toml", "[tools]\nnode = '22'\n");
  file("  setup: [{id: tools, tools: mise.toml}]\n", "");
  const auto without = run({"apply", "--yes"});
  EXPECT_EQ(without.status, 1) << without;
  EXPECT_TRUE(contains(without.err, "This environment has no mise: take an image")) << without;
  EXPECT_TRUE(contains(without.err, "mise.run")) << without;

  note_calls_of(root() / "busybox/bin/mise", "$* $(cat mise.toml) $(ls | wc -l)");
  up_with("  setup: [{id: tools, tools: mise.toml}]\n");
  EXPECT_EQ(see("cat /asked"), "trust mise.toml [tools]\nnode = '22' 1\ninstall [tools]\nnode = '22' 1");
  EXPECT_TRUE(contains(expect_run(0, {"config"}).out, "mise install")) << "an ordinary step";
}

TEST_F(Fields, setup_step__run) {
  up_with("  setup: [{run: echo made > /made}]\n");
  EXPECT_EQ(see("cat /made"), "made");
}

TEST_F(Fields, setup_step__user) {
  up("");
  if (!has_users(m_options)) {
    GTEST_SKIP() << "one user only: no range of ids for us";
  }
  up_with("  setup: [{run: id -un > /tmp/who, user: nobody}]\n");
  EXPECT_EQ(see("cat /tmp/who"), "nobody");
}

TEST_F(Fields, setup_step__env) {
  up_with("  setup: [{run: echo $LEVEL > /level, env: {LEVEL: high}}]\n");
  EXPECT_EQ(see("cat /level"), "high");
}

TEST_F(Fields, setup_step__inputs) {
  write_file(project() / "other.txt", "other\n");
  up_with("  setup: [{run: ls /workspace > /listed, inputs: [seeded.txt]}]\n");
  EXPECT_EQ(see("cat /listed"), "seeded.txt");
}

TEST_F(Fields, setup_step__cache) {
  up_with("  setup: [{run: 'ls /var/keep > /found; touch /var/keep/one', cache: [/var/keep]}]\n");
  EXPECT_EQ(see("cat /found; ls /var/keep 2>/dev/null"), "") << "it is left out of the layer";
  up_with("  setup: [{run: 'ls /var/keep > /found; touch /var/keep/two', cache: [/var/keep]}]\n");
  EXPECT_EQ(see("cat /found"), "one") << "it is kept between builds";
}

TEST_F(Fields, setup_step__timeout) {
  file("  setup: [{run: sleep 60, timeout: 300ms}]\n", "");
  const auto result = run({"apply"});
  EXPECT_NE(result.status, 0);
  EXPECT_TRUE(contains(result.all(), "did not end within 300ms")) << result;
}

TEST_F(Fields, setup_step__retries) {
  const std::string second_time =
      "run: '[ -e /var/keep/tried ] || { touch /var/keep/tried; exit 1; }', cache: [/var/keep]";
  file("  setup: [{" + second_time + "}]\n", "");
  EXPECT_NE(run({"apply"}).status, 0);
  const std::string third_time =
      "run: 'echo x >> /var/keep/tries; [ $(wc -l < /var/keep/tries) = 3 ]', cache: [/var/keep]";
  up_with("  setup: [{" + third_time + ", retries: 2}]\n");
}

TEST_F(Fields, setup_step__secrets) {
  m_options.env["TEST_TOKEN"] = "secret-text";
  up_with(
      "  setup: [{run: rev < /run/secrets/token > /got, secrets: [token]}, {run: 'ls /run/secrets > /left || "
      "true'}]\n",
      "secrets: {token: {env: TEST_TOKEN}}\n");
  EXPECT_EQ(see("cat /got /left"), "txet-terces");
}

TEST_F(Fields, setup_step__egress) {
  up_with("  setup: [{run: 'grep -c : /proc/net/dev > /none', egress: none}, {run: 'grep -c : /proc/net/dev "
          "> /all', "
          "egress: all}]\n");
  EXPECT_EQ(see("cat /none /all"), "1\n2");
}

// --- caches

TEST_F(Fields, cache__path) {
  file("  setup: [{run: 'true', cache: [{path: relative}]}]\n", "");
  EXPECT_EQ(run({"plan"}).status, 65);
  up_with("  setup: [{run: 'df /var/keep > /seen; touch /var/keep/one', cache: [{path: /var/keep}]}]\n");
  EXPECT_NE(see("cat /seen"), "");
  EXPECT_EQ(see("ls /var/keep 2>/dev/null"), "");
}

TEST_F(Fields, cache__share) {
  const auto other = another_project("other");
  const auto found_by_other = [&](const std::string& share) {
    const auto text = [&](const std::string& name) {
      return "version: 1\nname: test\nenvironment:\n  image: dir:" + (root() / "busybox").string()
             + "\n  setup: [{run: 'ls /var/keep > /found; touch /var/keep/" + name
             + "', cache: [{path: /var/keep, share: " + share + "}]}]\n";
    };
    write_file(project() / "pyro.yaml", text("of_one_" + share));
    expect_run(0, {"apply", "--yes"});
    write_file(other / "pyro.yaml", text("of_other_" + share));
    auto there = m_options;
    there.cwd = other;
    expect(0, {"apply", "--yes"}, there);
    return inside("cat /found", there).out;
  };
  EXPECT_EQ(found_by_other("checkout"), "");
  EXPECT_EQ(found_by_other("machine"), "of_one_machine\n");
}

// --- prepare

TEST_F(Fields, prepare_step__id) {
  file("", "prepare: [{id: build, run: 'true'}, {run: 'true'}]\n");
  const auto plan = expect_run(0, {"plan"}).out;
  EXPECT_TRUE(contains(plan, "prepare.build")) << plan;
  EXPECT_TRUE(contains(plan, "prepare.2")) << plan;
}

TEST_F(Fields, prepare_step__run) {
  up("prepare: [{run: rev seeded.txt > turned.txt}]\n");
  EXPECT_EQ(see("cat turned.txt"), "dedees");
}

TEST_F(Fields, prepare_step__user) {
  up("");
  if (!has_users(m_options)) {
    GTEST_SKIP() << "one user only: no range of ids for us";
  }
  up("prepare: [{run: id -un > /tmp/who, user: nobody}]\n");
  EXPECT_EQ(see("cat /tmp/who"), "nobody");
}

TEST_F(Fields, prepare_step__env) {
  up("prepare: [{run: echo $LEVEL > level, env: {LEVEL: high}}]\n");
  EXPECT_EQ(see("cat level"), "high");
}

TEST_F(Fields, prepare_step__inputs) {
  const std::string step = "prepare: [{run: 'ls > /tmp/listed; cat /proc/sys/kernel/random/uuid > token', "
                           "inputs: [seeded.txt]}]\n";
  write_file(project() / "other.txt", "other\n");
  up(step);
  EXPECT_EQ(see("cat /tmp/listed"), "seeded.txt") << "nothing else is there while it runs";
  EXPECT_EQ(see("ls"), "other.txt\nseeded.txt\ntoken");
  const auto token = see("cat token");
  write_file(project() / "other.txt", "another\n");
  up(step);
  EXPECT_EQ(see("cat token other.txt"), token + "\nanother") << "it is not repeated";
}

TEST_F(Fields, prepare_step__cache) {
  up("prepare: [{run: 'ls /var/keep > found; touch /var/keep/one', cache: [/var/keep]}]\n");
  up("prepare: [{run: 'ls /var/keep > found; touch /var/keep/two', cache: [/var/keep]}]\n");
  EXPECT_EQ(see("cat found; ls /var/keep 2>/dev/null"), "one");
}

TEST_F(Fields, prepare_step__timeout) {
  file("", "prepare: [{run: sleep 60, timeout: 300ms}]\n");
  const auto result = run({"apply"});
  EXPECT_NE(result.status, 0);
  EXPECT_TRUE(contains(result.all(), "did not end within 300ms")) << result;
}

TEST_F(Fields, prepare_step__retries) {
  const std::string third_time =
      "run: 'echo x >> /var/keep/tries; [ $(wc -l < /var/keep/tries) = 3 ]', cache: [/var/keep]";
  file("", "prepare: [{" + third_time + "}]\n");
  EXPECT_NE(run({"apply"}).status, 0);
  up("prepare: [{" + third_time + ", retries: 1}]\n");
}

TEST_F(Fields, prepare_step__secrets) {
  m_options.env["TEST_TOKEN"] = "secret-text";
  up("secrets: {token: {env: TEST_TOKEN}}\nprepare: [{run: rev < /run/secrets/token > got, secrets: "
     "[token]}, {run: 'ls "
     "/run/secrets > left || true'}]\n");
  EXPECT_EQ(see("cat got left"), "txet-terces");
}

// --- seed

TEST_F(Fields, seed__from) {
  write_file(project() / "files/inner.txt", "inner\n");
  up_with("", "", "{from: files}");
  EXPECT_EQ(see("ls"), "inner.txt");
}

TEST_F(Fields, seed__to) {
  up_with("", "", "{from: ., to: /srv/app}");
  EXPECT_EQ(see("ls /srv/app"), "seeded.txt");
}

TEST_F(Fields, seed__git) {
  const auto git = [&](Arguments arguments) {
    arguments.insert(arguments.begin(), {"git", "-c", "user.name=t", "-c", "user.email=t@t"});
    EXPECT_EQ(command(arguments).status, 0) << arguments.back();
  };
  git({"init", "-q"});
  write_file(project() / ".gitignore", "ignored.txt\n");
  git({"add", "seeded.txt", ".gitignore"});
  git({"commit", "-qm", "first"});
  write_file(project() / "untracked.txt", "untracked\n");
  write_file(project() / "ignored.txt", "ignored\n");
  up_with("", "", "{from: ., git: tracked}");
  EXPECT_EQ(see("ls"), "seeded.txt");
  up_with("", "", "{from: ., git: tracked+untracked}");
  EXPECT_EQ(see("ls"), "seeded.txt\nuntracked.txt");
  up_with("", "", "{from: ., git: all}");
  EXPECT_EQ(see("ls -d *.txt .git"), ".git\nignored.txt\nseeded.txt\nuntracked.txt");
}

namespace {

constexpr const char* k_certificate = "-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n";

} // namespace

TEST_F(Fields, environment__ca) {
  const std::string kept =
      "SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS";
  const auto each_has_it =
      "for v in " + kept + "; do grep -c TUlJQg== $(env | sed -n s,^$v=,,p); done | sort -u";
  write_file(root() / "busybox/etc/ssl/certs/ca-certificates.crt", "the system's\n");
  write_file(project() / "ca.pem", std::string("a comment\r\n") + k_certificate);
  const std::string steps = "  ca: ca.pem\n  setup: [{id: set, run: '" + each_has_it + " > /set'}]\n";
  up_with(steps, "prepare: [{id: prepare, run: '" + each_has_it + " > /workspace/prepared'}]\n");
  EXPECT_EQ(see(each_has_it + "; cat /set prepared"), "1\n1\n1");
  EXPECT_EQ(
      see("head -n1 $SSL_CERT_FILE; head -n1 $NODE_EXTRA_CA_CERTS"),
      "the system's\n-----BEGIN CERTIFICATE-----");
  // A comment is no change, another certificate is.
  write_file(project() / "ca.pem", std::string("another comment\n") + k_certificate);
  EXPECT_EQ(read({"why", "environment.setup.ca"})["cached"], true);
  write_file(project() / "ca.pem", "-----BEGIN CERTIFICATE-----\nTUlJQw==\n-----END CERTIFICATE-----\n");
  EXPECT_EQ(read({"why", "environment.setup.ca"})["cached"], false);
}

TEST_F(Fields, environment__ca__where_the_image_has_none_and_what_the_file_says_comes_first) {
  write_file(project() / "ca.pem", k_certificate);
  up_with("  ca: ca.pem\n  env: {SSL_CERT_FILE: /mine}\n");
  EXPECT_EQ(
      see("echo $SSL_CERT_FILE; grep -c TUlJQg== $CURL_CA_BUNDLE /usr/local/share/ca-certificates/pyro.crt"),
      "/mine\n/etc/pyro/ca-bundle.pem:1\n/usr/local/share/ca-certificates/pyro.crt:1");
}

TEST_F(Fields, environment__ca__is_beneath_the_checkout_or_agreed_to) {
  write_file(root() / "outside.pem", k_certificate);
  file("  ca: ../outside.pem\n", "");
  auto options = m_options;
  options.env["PYRO_TRUST"] = "";
  const auto refused = pyro({"apply", "--yes"}, options);
  EXPECT_TRUE(refused.status == 7 && contains(refused.err, "outside.pem")) << refused;
  expect_run(0, {"plan"});
  fs::create_symlink(root() / "outside.pem", project() / "link.pem");
  file("  ca: link.pem\n", "");
  EXPECT_EQ(run({"plan"}).status, 77);
  write_file(project() / "key.pem", "-----BEGIN PRIVATE KEY-----\n");
  file("  ca: key.pem\n", "");
  EXPECT_TRUE(contains(expect_run(65, {"plan"}).err, "no certificate"));
  file("  ca: missing.pem\n", "");
  EXPECT_TRUE(contains(expect_run(66, {"plan"}).err, "pyro.yaml:5"));
}

/// The text, or the map with the same words.
TEST_F(Fields, git__files) {
  write_file(project() / ".gitignore", "ignored.txt\n");
  write_file(project() / "untracked.txt", "untracked\n");
  write_file(project() / "ignored.txt", "ignored\n");
  EXPECT_EQ(command(git_command(project(), {"init", "-q"})).status, 0);
  EXPECT_EQ(command(git_command(project(), {"add", "seeded.txt"})).status, 0);
  up_with("", "", "{from: ., git: {files: tracked}}");
  EXPECT_EQ(see("ls"), "seeded.txt");
  up_with("", "", "{from: ., git: {files: all}}");
  EXPECT_EQ(see("ls"), "ignored.txt\nseeded.txt\nuntracked.txt");
}

TEST_F(Fields, git__history) {
  write_file(project() / ".gitignore", "ignored.txt\n");
  write_file(project() / "ignored.txt", "ignored\n");
  EXPECT_EQ(command(git_command(project(), {"init", "-q"})).status, 0);
  up_with("", "", "{from: ., git: {history: false}}");
  EXPECT_EQ(see("ls -d .git *.txt 2>/dev/null"), "seeded.txt");
  up_with("", "", "{from: ., git: {history: true}}");
  EXPECT_EQ(see("ls -d .git *.txt"), ".git\nseeded.txt");
}

TEST_F(Fields, seed__exclude) {
  write_file(project() / "large.bin", "x\n");
  up_with("", "", "{from: ., exclude: ['*.bin']}");
  EXPECT_EQ(see("ls"), "seeded.txt");
}

TEST_F(Fields, seed__owner) {
  up("");
  EXPECT_EQ(see("stat -c %U seeded.txt"), "root");
  if (!has_users(m_options)) {
    GTEST_SKIP() << "one user only: no range of ids for us";
  }
  up_with("", "", "{from: ., owner: nobody}");
  EXPECT_EQ(see("stat -c %U seeded.txt"), "nobody");
}

TEST_F(Fields, seed__on_change) {
  const auto after_a_change = [&](const std::string& mode) {
    write_file(project() / "seeded.txt", "seeded\n");
    up_with("", "", "{from: ., on_change: " + mode + "}");
    expect_run(0, {"reset", "--yes"});
    inside("echo mine > mine.txt", m_options);
    write_file(project() / "seeded.txt", "changed\n");
    expect_run(0, {"apply", "--yes"});
    return see("cat seeded.txt mine.txt 2>/dev/null");
  };
  EXPECT_EQ(after_a_change("keep"), "seeded\nmine");
  EXPECT_EQ(after_a_change("sync"), "changed\nmine");
  EXPECT_EQ(after_a_change("reset"), "changed");
}

} // namespace
} // namespace pyro::testing

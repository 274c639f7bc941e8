// pyro in containers of podman, as root's and as an ordinary user's, each with exactly the flags that
// docs/ci.md names. The image is made of this machine's own files: a shell, Python, curl, and pyro as its
// package lays it out.
#include "../support/home.hpp"
#include "../support/sampling.hpp"

#include <pyro/base/text.hpp>

#include <csignal>
#include <unistd.h>

namespace pyro::testing {
namespace {

/// Files with their libraries, below a root with merged /usr; pyro without what only debuggers read.
constexpr const char* k_make_image = R"SH(
set -e
image=$1 bin=$2 sources=$3
mkdir -p $image/usr/bin $image/usr/lib64 $image/usr/lib/x86_64-linux-gnu $image/usr/libexec/pyro $image/etc $image/tmp $image/root
for name in bin lib lib64; do ln -s usr/$name $image/$name; done
for program in sh cat cp rm ls python3 curl; do
  cp -L /usr/bin/$program $image/usr/bin/$program
  echo /usr/bin/$program
done > $image/programs
echo $bin/pyro >> $image/programs
xargs ldd < $image/programs | grep -o ' /[^ ]*\|^\s/[^ ]*' | sort -u | while read -r library; do
  case $library in /usr/*) cp -L $library $image$library ;; *) cp -L $library $image/usr$library ;; esac
done
rm $image/programs
cp -r --parents /usr/lib/python3.* $image
strip -o $image/usr/bin/pyro $bin/pyro
for helper in pyro-agent pyro-supervisor pyro-gateway pyro-launcher; do strip -o $image/usr/libexec/pyro/$helper $bin/$helper; done
printf 'root:x:0:0:root:/root:/bin/sh\n' > $image/etc/passwd
printf 'root:x:0:\n' > $image/etc/group
cp -r $sources/examples/quickstart $image/quickstart
)SH";

class Containers : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    for (const auto* program : {"podman", "runc"}) {
      if (!os::find_program(program)) {
        GTEST_SKIP() << program << " is not installed";
      }
    }
    m_made = true;
    fs::create_directories(m_place = root() / "podman");
    fs::create_directories(m_place / "home");
    fs::create_directories(m_place / "xdg");
    fs::permissions(m_place / "xdg", fs::perms::owner_all);
    // Limits that nobody has to raise, and no locks in the memory of the machine.
    write_file(
        m_place / "containers.conf",
        "[containers]\ndefault_ulimits = [\"nofile=1024:4096\", \"nproc=4096:4096\"]\npids_limit = 0\n"
        "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\nlock_type = \"file\"\nruntime = "
        "\"runc\"\n");
  }

  void TearDown() override {
    if (m_made) {
      podman({"rmi", "--all", "--force"});
      podman({"volume", "rm", "--all", "--force"});
      // Files of other ids than the user's own go where these are its own.
      const Arguments removal{"rm", "-rf", (m_place / "root").string()};
      ::geteuid() == 0 ? command(removal) : podman({"unshare", removal[0], removal[1], removal[2]});
      if (fs::exists(m_place / "tmp/pause.pid")) {
        ::kill(std::stoi(read_file(m_place / "tmp/pause.pid")), SIGKILL); // it keeps its user namespace
      }
    }
    Functional::TearDown();
  }

  Result podman(const Arguments& arguments) {
    const auto at = [this](const char* name) {
      return (m_place / name).string();
    };
    Arguments words{"podman",   "--root",  at("root"),         "--runroot", at("run"),
                    "--tmpdir", at("tmp"), "--storage-driver", "overlay"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return command(
        words, {.env = {
                    {"CONTAINERS_CONF", at("containers.conf")},
                    {"XDG_RUNTIME_DIR", at("xdg")},
                    {"HOME", at("home")}}});
  }

  void make_image() {
    const auto tree = root() / "image";
    must({"sh", "-c", k_make_image, "sh", tree.string(), bin.string(), source_dir().string()});
    const auto packed = command(
        {"tar", "-C", tree.string(), "--owner=0", "--group=0", "-cf", (root() / "image.tar").string(), "."});
    ASSERT_EQ(packed.status, 0) << packed;
    import("image.tar");
  }

  void import(const std::string& archive) {
    const auto imported = podman({"import", "-q", (root() / archive).string(), "localhost/pyro"});
    ASSERT_EQ(imported.status, 0) << imported;
  }

  std::string must(const Arguments& words) {
    const auto done = command(words, {.cwd = "/", .timeout = std::chrono::seconds(800)});
    EXPECT_EQ(done.status, 0) << done;
    return done.out;
  }

  /// The flags of each row "| `podman run FLAGS` | … |" of the documentation.
  static std::vector<Arguments> documented() {
    std::vector<Arguments> rows;
    const std::string start = "| `podman run ";
    const auto text = read_file(source_dir() / "docs/ci.md");
    for (const auto line : lines_of(text)) {
      if (line.starts_with(start)) {
        const auto end = line.find('`', start.size());
        rows.push_back(fields_of(line.substr(start.size(), end - start.size()), ' '));
      }
    }
    return rows;
  }

  Result run(const Arguments& flags, const std::string& script) {
    Arguments words{"run", "--rm", "--network", "none"};
    words.insert(words.end(), flags.begin(), flags.end());
    words.insert(words.end(), {"localhost/pyro", "sh", "-ec", script});
    return podman(words);
  }

  fs::path m_place;
  bool m_made = false;
};

TEST_F(Containers, TheQuickstartRunsInPodmanWithTheFlagsOfTheDocumentation) {
  make_image();
  const auto rows = documented();
  ASSERT_GE(rows.size(), 2U) << "docs/ci.md lists the flags";
  for (const auto& flags : rows) {
    const auto told =
        run(flags, "cp -r /quickstart /work; cd /work; pyro apply; pyro exec -- curl -s "
                   "http://127.0.0.1:8080/price/fig; "
                   "pyro exec -- rm -r /workspace/data; pyro reset; pyro exec -- ls data; pyro destroy --yes "
                   "--snapshots");
    EXPECT_EQ(told.status, 0) << ::testing::PrintToString(flags) << told;
    EXPECT_TRUE(contains(told.out, "{\"fig\": 2.18}\n")) << told;
    EXPECT_TRUE(contains(told.out, "\nprices.json\n")) << told;
  }
}

TEST_F(Containers, WithoutFlagsDoctorNamesThem) {
  make_image();
  const auto told =
      run({}, "cd /quickstart; pyro doctor || echo \"exit $?\"; pyro apply || echo \"exit $?\"");
  EXPECT_EQ(told.status, 0) << told;
  EXPECT_TRUE(contains(told.out, "hint: proc: podman run --security-opt unmask=/proc/*")) << told;
  EXPECT_TRUE(contains(told.out, "hint: state-directory: a volume for it: podman or docker run -v pyro:"))
      << told;
  EXPECT_TRUE(contains(told.out, "hint: tun: podman or docker run --device /dev/net/tun")) << told;
  EXPECT_TRUE(contains(told.out, "exit 10\n")) << told;
  EXPECT_TRUE(contains(told.err, "unmask=/proc/*")) << "apply says so too: " << told;
}

using NetworkContainers = Containers;

/// What `make package` makes beside the packages, where the C library is that of 2020: built, and unpacked
/// anywhere.
TEST_F(NetworkContainers, ThePortableArchiveRunsInDebian11) {
  if (!all_cases()) {
    GTEST_SKIP() << "make check-long: it links everything anew";
  }
  if (::access(binary_dir().c_str(), W_OK) != 0) {
    GTEST_SKIP() << "the build belongs to somebody else";
  }
  if (const auto reason = why_no_network(); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  must({"cmake", "--build", binary_dir().string(), "--target", "portable"});
  auto archive = must({source_dir() / ".ci/portable-archive", binary_dir()});
  ASSERT_TRUE(archive.ends_with(".tar.zst\n")) << archive;
  archive.pop_back();
  fs::create_directories(root() / "any where");
  must({"tar", "-C", root() / "any where", "--strip-components=1", "-xf", archive});
  fs::remove(archive);
  must(
      {"mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,curl", "bullseye",
       (root() / "debian11.tar").string()});
  import("debian11.tar");
  auto flags = documented().at(0);
  flags.insert(
      flags.end(), {"-v", (root() / "any where").string() + ":/any where:ro", "-v",
                    (source_dir() / "examples/quickstart").string() + ":/quickstart:ro"});
  const auto told = run(
      flags, "ldd --version; cp -r /quickstart /work; cd /work; PATH=\"/any where/bin:$PATH\"; pyro apply; "
             "pyro exec -- curl -s http://127.0.0.1:8080/price/fig; pyro destroy --yes --snapshots");
  EXPECT_EQ(told.status, 0) << told;
  EXPECT_TRUE(contains(told.out, "GLIBC 2.31")) << told;
  EXPECT_TRUE(contains(told.out, "{\"fig\": 2.18}\n")) << told;
}

} // namespace
} // namespace pyro::testing

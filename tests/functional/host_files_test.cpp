// The environment `host` shows this machine's /usr and /opt live (docs/decisions/0036): what not everybody
// may read there must not be readable inside, whenever it came or was closed, while all the rest can be used
// and changed.
#include "../support/home.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace pyro::testing {
namespace {

constexpr const char* k_canary = "private to the host";

class HostFiles : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root can put files into /opt and /usr";
    }
    for (const auto* parent : {"/opt", "/usr/local/lib"}) {
      const auto place = fs::path(parent) / ("pyro-test-" + std::to_string(::getpid()));
      fs::create_directories(place);
      fs::permissions(place, fs::perms(0755));
      m_places.push_back(place);
    }
    spec();
  }

  void TearDown() override {
    Functional::TearDown();
    for (const auto& place : m_places) {
      fs::remove_all(place);
    }
  }

  void put(const std::string& name, const char* content, int mode, gid_t group = 0) {
    for (const auto& place : m_places) {
      fs::create_directories((place / name).parent_path());
      write_file(place / name, std::string(content) + "\n");
      ASSERT_EQ(::chown((place / name).c_str(), 0, group), 0);
      fs::permissions(place / name, fs::perms(mode));
    }
  }

  void set_mode(const std::string& name, int mode) {
    for (const auto& place : m_places) {
      fs::permissions(place / name, fs::perms(mode));
    }
  }

  /// Everything that can be had of the places, by root inside, with all means of a shell.
  Result take_all() {
    std::string script;
    for (const auto& place : m_places) {
      script +=
          "cd " + place.string()
          + " || exit 9; ls -laR . ; find . -type f -exec cat {} +; for f in $NAMES; do cat $f; cp $f "
            "/tmp/taken "
            "&& cat /tmp/taken; chmod 644 $f && cat $f; ln $f /tmp/linked && cat /tmp/linked; mv $f moved && "
            "cat moved; chown 0:0 $f && cat $f; done; chmod 755 closed later-closed; cat closed/f "
            "later-closed/f "
            "later-closed/g later-closed/h; ";
    }
    return inside(
        "NAMES='private group acl later later-chmodded new/private closed/f later-closed/f later-closed/g "
        "later-closed/h'; "
        + script + "true");
  }

  void expect_nothing_private() {
    const auto taken = take_all();
    EXPECT_EQ(taken.status, 0) << taken;
    EXPECT_EQ(taken.all().find(k_canary), std::string::npos) << taken;
    EXPECT_NE(taken.out.find("public to all"), std::string::npos)
        << "nothing could be read at all: " << taken;
  }

  std::vector<fs::path> m_places;
};

TEST_F(HostFiles, WhatIsPrivateOutsideIsRefusedInsideAtAnyTime) {
  constexpr gid_t k_adm = 4;
  put("public", "public to all", 0644);
  put("private", k_canary, 0600);
  put("group", k_canary, 0640, k_adm);
  put("acl", k_canary, 0600);
  for (const auto& place : m_places) {
    std::ignore = command({"setfacl", "-m", "u:1234:r", (place / "acl").string()}); // where it is installed
  }
  put("closed/f", k_canary, 0644);
  set_mode("closed", 0700);
  put("later-chmodded", "not yet", 0644);
  put("later-closed/f", "not yet", 0644);
  put("later-closed/g", "not yet", 0644);
  expect(0, {"apply"});
  for (const auto& place : m_places) { // known to the kernel inside before they are closed
    EXPECT_EQ(
        inside("cd " + place.string() + " && cat later-chmodded later-closed/f && ls later-closed").out,
        "not yet\nnot yet\nf\ng\n");
  }
  put("later", k_canary, 0600);
  put("new/private", k_canary, 0640, k_adm);
  set_mode("later-chmodded", 0600);
  put("later-chmodded", k_canary, 0600);
  set_mode("later-closed", 0750);
  // f was looked at before: for those who keep a public file open no closed directory matters, here or
  // outside.
  put("later-closed/g", k_canary, 0644);
  put("later-closed/h", k_canary, 0644);
  expect_nothing_private();
  expect(0, {"reset", "--yes"});
  expect_nothing_private();
  expect(0, {"env", "pull", "host", "--refresh"});
  expect(0, {"reset", "--yes"});
  expect_nothing_private();
  for (const auto& place : m_places) {
    EXPECT_EQ(read_file(place / "private"), std::string(k_canary) + "\n");
  }
}

TEST_F(HostFiles, WhatIsPublicCanBeMovedAndChangedInside) {
  put("public", "public to all", 0644);
  put("tree/below", "public to all", 0644);
  expect(0, {"apply"});
  for (const auto& place : m_places) {
    const auto result = inside(
        "cd " + place.string()
        + " && chmod 600 public && echo more >> public && mv public moved && ln moved linked && mv "
          "tree/below tree/b "
          "&& touch tree/new && rm -r tree && chown 1000 linked && cat linked && ls && stat -c %u moved");
    EXPECT_EQ(result.out, "public to all\nmore\nlinked\nmoved\n1000\n") << result;
    EXPECT_EQ(read_file(place / "public"), "public to all\n");
    EXPECT_TRUE(fs::exists(place / "tree/below"));
  }
}

TEST_F(HostFiles, PipesAndSocketsOfTheHostAreNotReached) {
  expect(0, {"apply"}); // before they are there: nothing masks them
  const auto& place = m_places.front();
  const auto fifo = (place / "fifo").string();
  const auto path = (place / "socket").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0666), 0);
  fs::permissions(fifo, fs::perms(0666));
  const os::Fd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const os::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  fs::permissions(path, fs::perms(0777));
  const auto result = inside(
      "echo x | dd oflag=nonblock conv=notrunc of=" + fifo
      + "; perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) or die; print connect(S, sockaddr_un(shift)) "
        "? "
        "\"connected\" : \"refused: $!\", \"\\n\"' "
      + path);
  EXPECT_EQ(result.out, "refused: Connection refused\n") << result;
  EXPECT_NE(result.err.find("No such device or address"), std::string::npos) << result;
  pollfd waiting{listener.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 0) << "somebody connected";
  char byte = 0;
  EXPECT_LE(::read(reader.get(), &byte, 1), 0) << "somebody wrote";
}

} // namespace
} // namespace pyro::testing

// What packages and images expect in /run is there before anything of theirs runs.
#include "flags.hpp"

namespace pyro::testing {
namespace {

class RunFiles : public Flags {
protected:
  void configuration(const std::string& name, const std::string& text) {
    write_file(project() / "root" / name, text);
  }

  std::string look(const std::string& path) {
    auto said = pyro({"exec", "-u", "root", "--", "stat", "-c", "%F %a %U", path}).out;
    return said.empty() ? said : said.substr(0, said.size() - 1);
  }
};

TEST_F(RunFiles, TmpfilesOfPackagesAreMadeBeforeServicesStart) {
  configuration(
      "usr/lib/tmpfiles.d/app.conf", "# as Debian's packages have them\n"
                                     "d /run/app 2775 nobody nogroup - -\n"
                                     "d /var/run/app/deeper 0700 nobody\n"
                                     "f /run/app/hello 0640 - - - hello there\n"
                                     "L /run/link - - - - app/hello\n"
                                     "d /var/lock/subsys 0755 root root - -\n");
  file("services:\n  app:\n    user: nobody\n    command: 'echo $$ > /run/app/pid; exec sleep 1000'\n"
       "    readiness: {file: /run/app/pid}\n");
  expect(0, {"apply"});
  const bool users = has_users();
  EXPECT_EQ(look("/run/app"), users ? "directory 2775 nobody" : "directory 2775 root");
  EXPECT_EQ(look("/run/app/deeper"), users ? "directory 700 nobody" : "directory 700 root");
  EXPECT_EQ(look("/run/app/hello"), "regular file 640 root");
  EXPECT_EQ(inside("cat /run/link").out, "hello there");
  EXPECT_EQ(look("/run/lock/subsys"), "directory 755 root");
  EXPECT_EQ(look("/run/lock"), "directory 1777 root") << "what pyro has there is as it was";
  expect(0, {"reset"});
  EXPECT_TRUE(contains(look("/run/app"), "directory 2775")) << "in each sandbox anew";
}

TEST_F(RunFiles, TheMachinesOwnConfigurationHidesThatOfPackages) {
  configuration("usr/lib/tmpfiles.d/one.conf", "d /run/one 0755\n");
  configuration("usr/lib/tmpfiles.d/two.conf", "d /run/two 0755\n");
  configuration("etc/tmpfiles.d/one.conf", "d /run/other 0700\n");
  fs::create_symlink("/dev/null", project() / "root/etc/tmpfiles.d/two.conf");
  file();
  expect(0, {"apply"});
  EXPECT_EQ(look("/run/other"), "directory 700 root");
  EXPECT_EQ(look("/run/one"), "");
  EXPECT_EQ(look("/run/two"), "");
}

TEST_F(RunFiles, NothingLeadsOutOfRun) {
  configuration(
      "usr/lib/tmpfiles.d/evil.conf", "L /run/out - - - - /etc\n"
                                      "d /run/out/made 0777\n"
                                      "f /run/out/passwd 0666 - - - root::0:0::/:/bin/sh\n"
                                      "d /run/../etc/made 0777\n"
                                      "d /etc/made 0777\n"
                                      "d /run/secrets 0777 nobody\n"
                                      "f /run/secrets/one 0666 - - - mine\n"
                                      "z /etc/passwd 0666\n"
                                      "d /run/unknown 0755 no-such-user\n"
                                      "d /run/good 0755\n");
  file();
  expect(0, {"apply"});
  EXPECT_EQ(look("/etc/made"), "");
  EXPECT_EQ(look("/etc/passwd"), "regular file 644 root");
  EXPECT_EQ(look("/run/secrets"), "directory 711 root");
  EXPECT_EQ(look("/run/secrets/one"), "");
  EXPECT_EQ(look("/run/good"), "directory 755 root") << "one bad line spoils nothing";
}

TEST_F(RunFiles, DirectoriesThatTheImageHasInRunAreThere) {
  fs::create_directories(project() / "root/run/postgresql/deeper");
  fs::permissions(project() / "root/run/postgresql", fs::perms(03775));
  write_file(project() / "root/run/postgresql/old.pid", "1\n");
  fs::create_directories(project() / "root/run/secrets/inner");
  fs::create_symlink("postgresql", project() / "root/run/pg");
  file();
  expect(0, {"apply"});
  EXPECT_EQ(look("/run/postgresql"), "directory 3775 root");
  EXPECT_EQ(inside("ls /run/pg").out, "deeper\n") << "files were of processes that are gone";
  EXPECT_EQ(look("/run/secrets"), "directory 711 root");
  EXPECT_EQ(look("/run/secrets/inner"), "");
}

} // namespace
} // namespace pyro::testing

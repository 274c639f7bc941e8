#include <pyro/agent/tmpfiles.hpp>

#include <gtest/gtest.h>

namespace pyro::agent {
namespace {

std::string paths(std::string_view text) {
  std::string all;
  for (const auto& file : run_files_in(text)) {
    all += file.path + " ";
  }
  return all;
}

TEST(Tmpfiles, LinesOfPackages) {
  const auto files = run_files_in("# comment\n\n"
                                  "d /run/postgresql 2775 postgres postgres - -\n"
                                  "D! /var/run/mysqld ~0755 mysql :adm\n"
                                  "f+ \"%t/a b/c\"\t0644 - - - text with %% and spaces \n"
                                  "L /run/initctl - - - - /dev/initctl\n");
  ASSERT_EQ(files.size(), 4U);
  EXPECT_EQ(files[0].path, "postgresql");
  EXPECT_EQ(files[0].mode, 02775);
  EXPECT_EQ(files[0].user + ":" + files[0].group, "postgres:postgres");
  EXPECT_EQ(files[1].path, "mysqld");
  EXPECT_EQ(files[1].mode, 0755);
  EXPECT_EQ(files[1].user + ":" + files[1].group, "mysql:adm");
  EXPECT_EQ(files[2].path, "a b/c");
  EXPECT_EQ(files[2].kind, RunFile::Kind::file);
  EXPECT_EQ(files[2].argument, "text with % and spaces");
  EXPECT_EQ(files[2].user + files[2].group, "");
  EXPECT_EQ(files[3].kind, RunFile::Kind::link);
  EXPECT_EQ(files[3].argument, "/dev/initctl");
  EXPECT_FALSE(files[3].mode);
}

TEST(Tmpfiles, OtherPlacesAndKindsAreLeftOut) {
  EXPECT_EQ(
      paths("d /var/lib/x\nd /run\nd /run/\nd /runner/x\nz /run/x\nx /run/x\nr /run/x\nb /run/x\nd\nd \n"),
      "");
  EXPECT_EQ(paths("d /run/../etc/x\nd /run/a/../../etc\n"), "");
  EXPECT_EQ(paths("d /run/%i\nd /run/%\nL /run/x - - - - %h/y\nL /run/x\n"), "");
  EXPECT_EQ(paths("d \"/run/x\nd '/run/x"), "");
}

TEST(Tmpfiles, OursAreLeftOut) {
  EXPECT_EQ(
      paths("d /run/secrets 0777\nd /run/secrets/x\nd /run//pyro/./x\nd /run/lock 0755\nd /var/lock/ 0755\n"),
      "");
  EXPECT_EQ(paths("d /var/lock/subsys\nd /run/lock/x\nd /run/secrets2\n"), "lock/subsys lock/x secrets2 ");
}

TEST(Tmpfiles, WhatSaysThatAMachineBootsIsLeftOut) {
  EXPECT_EQ(
      paths("f /run/nologin 0644 - - - not yet\nd /run/systemd/seats\nd /run/systemd\nd /run/dbus\n"),
      "dbus ");
}

TEST(Tmpfiles, BadModesCountAsNone) {
  const auto files = run_files_in("d /run/a 99\nd /run/b 77777\nd /run/c -\nd /run/d u=rwx\n");
  ASSERT_EQ(files.size(), 4U);
  for (const auto& file : files) {
    EXPECT_FALSE(file.mode) << file.path;
  }
}

} // namespace
} // namespace pyro::agent

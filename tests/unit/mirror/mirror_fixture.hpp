// A directory that stands for the writable layer of a guest, the real agent that serves it, and a mirror of
// it. Everything happens in the ids of the inside, as it does in pyro.
#pragma once

#include <pyro/mirror/mirror.hpp>
#include <pyro/os/directory.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <random>
#include <string>

namespace pyro::mirror {

class MirrorFixture : public ::testing::Test {
protected:
  MirrorFixture();
  ~MirrorFixture() override;

  // The guest's side. Paths are relative to its root; parents are made.
  void make_directory(const std::string& path, mode_t mode = 0755) const;
  void make_file(const std::string& path, const std::string& content, mode_t mode = 0644) const;
  void make_sparse(const std::string& path, off_t size) const;
  void make_symlink(const std::string& path, const std::string& target) const;
  void make_whiteout(const std::string& path) const;
  void make_fifo(const std::string& path) const;
  void make_socket(const std::string& path) const;
  void make_link(const std::string& first, const std::string& path) const;
  void set_attribute(const std::string& path, const std::string& name, const std::string& value) const;
  void set_time(const std::string& path, std::int64_t nanoseconds) const;
  void rename(const std::string& from, const std::string& to) const;
  void remove(const std::string& path) const;
  /// A file below `count` directories of that name; returns the length of its path.
  std::size_t make_deep(const std::string& path, int count, const std::string& name) const;
  void change_at_random(std::mt19937& random, int changes);
  /// Another process makes, renames and removes things until it is stopped.
  void start_churn();
  void stop_churn();

  // The mirror.
  MirrorReport refresh(const MirrorOptions& options = {});
  /// Again and again until nothing of it is in doubt.
  void refresh_settled();
  /// False: it had ended by then.
  bool refresh_killed_after(std::chrono::microseconds time);
  struct stat status_in_mirror(const std::string& path) const;
  std::int64_t blocks_of(const std::string& path) const;
  void write_in_mirror(const std::string& path, const std::string& content) const;
  void forget_in_mirror(const std::string& path) const;
  void note_change_begun() const;
  void write_index(const std::string& content) const;

  /// The first lines in which the two sides differ; empty: none.
  std::string difference() const;

  std::string source(const std::string& path) const { return m_uppers + "/root/upper/" + path; }

  std::string mirrored(const std::string& path) const { return m_generation + "/root/upper/" + path; }

  std::string generation() const { return m_generation; }

  std::string directory() const { return m_directory.path(); }

  /// In the ids of the inside, with a connection right to an agent.
  MirrorReport with_agent(const std::function<MirrorReport(backend::ControlClient& client)>& work) const;

  /// Options for such a connection.
  static MirrorOptions direct(MirrorOptions options = {}) {
    options.agent = "";
    return options;
  }

private:
  os::TempDir m_directory;
  std::string m_uppers;
  std::string m_generation;
  pid_t m_churn = 0;
  int m_names = 0;
};

} // namespace pyro::mirror

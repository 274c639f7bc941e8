// The host as an oracle: what an attack from inside would have to change, and services that it would have to
// reach.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

namespace pyro::testing {

/// Kernel settings, mounts, host name and a few programs of the host, comparable.
class HostState {
public:
  static HostState now();
  /// "core_pattern: a -> b; …", or empty.
  std::string changes_since(const HostState& after) const;

private:
  std::map<std::string, std::string> m_facts;
};

/// A TCP listener on 127.0.0.1, a Unix socket by path, one by abstract name, and a SysV shared memory
/// segment, all of this process; counts who connects.
class HostServices {
public:
  explicit HostServices(const std::filesystem::path& socket_path);
  ~HostServices();
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;

  int port() const { return m_port; }

  const std::string& abstract_name() const { return m_abstract; }

  const std::string& path() const { return m_path; }

  int memory_key() const { return m_key; }

  int connections() const { return m_connections; }

private:
  int m_tcp = -1;
  int m_by_path = -1;
  int m_by_name = -1;
  int m_stop = -1;
  int m_port = 0;
  int m_key = 0;
  int m_segment = -1;
  std::string m_path;
  std::string m_abstract;
  std::atomic<int> m_connections{0};
  std::thread m_thread;
};

} // namespace pyro::testing

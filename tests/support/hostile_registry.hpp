// A registry over which a test has every word, and an image that it may tell lies about.
#pragma once

#include <pyro/os/fd.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pyro::testing {

inline constexpr const char* k_manifest_type = "application/vnd.oci.image.manifest.v1+json";

struct Answer {
  std::string head = "200 OK"; // status, and more header lines
  std::string body;
  bool is_endless = false; // the body again and again, of no length
  bool is_silent = false;  // nothing at all
};

/// HTTP/1.1 on a free port, one request per connection.
class HostileRegistry {
public:
  /// Gets the path, and all of the request's head.
  using Handler = std::function<Answer(const std::string& path, const std::string& head)>;

  /// Listens in the network namespace of the caller; "::" is every address of both families.
  explicit HostileRegistry(Handler handler, const std::string& address = "127.0.0.1", int port = 0);
  ~HostileRegistry();
  HostileRegistry(const HostileRegistry&) = delete;
  HostileRegistry& operator=(const HostileRegistry&) = delete;

  /// "127.0.0.1:40123"
  const std::string& address() const { return m_address; }

  int port() const { return m_port; }

  int connections() const { return m_connections; }

  int requests() const { return m_requests; }

  std::size_t bytes_sent() const { return m_sent; }

  /// How many of them had this in their head.
  int requests_with(const std::string& text) const;

private:
  bool wait_for(int fd, short events) const;
  void accept_all();
  void serve(const os::Fd& socket);
  bool send_all(const os::Fd& socket, std::string_view text) const;

  Handler m_handler;
  os::Fd m_listener;
  std::string m_address;
  int m_port = 0;
  std::atomic<bool> m_stopped{false};
  std::atomic<int> m_connections{0};
  std::atomic<int> m_requests{0};
  mutable std::atomic<std::size_t> m_sent{0};
  mutable std::mutex m_mutex;
  std::vector<std::string> m_heads;
  std::vector<std::thread> m_servers;
  std::thread m_acceptor;
};

/// One image of one layer, each part of which a test may replace by a lie.
struct Image {
  std::string layer;
  std::string config;
  std::map<std::string, std::string> blobs; // by digest
  std::string manifest;

  static std::string descriptor(const std::string& digest, std::size_t size);
  static std::string manifest_of(const std::string& config, const std::string& layers);
  std::string put(const std::string& bytes);
  void finish(const std::string& process = "{}");
  std::string config_part() const;
  /// As an honest registry has it.
  Answer operator()(const std::string& path, const std::string& head = "") const;
};

} // namespace pyro::testing

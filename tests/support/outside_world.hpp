// Servers that stand for the world outside of a workspace (outside/servers.py): a name server whose names a
// test says, and others that write down who came to them.
#pragma once

#include "files.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/process.hpp>

#include <string>
#include <vector>

namespace pyro::testing {

class OutsideWorld {
public:
  struct Server {
    std::string kind; // http, tls, echo, greet, sink, files, digest, source, early
    std::string address = "127.0.0.1";
    int port = 0;                   // 0: a free one
    std::string root = {};          // of `files`, and of `tls` that has some
    std::string authorization = {}; // without this header it answers 401
  };

  /// Starts them in the network namespace of the caller. `names`: {"web.example": ["127.0.0.1"],
  /// "*.tree.example": …}; each has a place in the certificate of `tls` servers, which is self-signed:
  /// certificate().
  OutsideWorld(const fs::path& directory, Json names, const std::vector<Server>& servers, int dns_port = 0);
  ~OutsideWorld();
  OutsideWorld(const OutsideWorld&) = delete;
  OutsideWorld& operator=(const OutsideWorld&) = delete;

  /// Of the server at this place of the list.
  int port(std::size_t index) const { return m_ports.at(index); }

  /// "127.0.0.1:5353", for PYRO_NAME_SERVERS.
  std::string name_server() const;

  fs::path certificate() const { return m_directory / "cert.pem"; }

  /// From now on the names are these.
  void set_names(const Json& names);

  /// What was written down so far, of that kind ("http", "request", "dns", …).
  std::vector<Json> visits(const std::string& kind) const;
  /// A name counts once: what is allowed may be asked for again when its answer has become old.
  std::size_t count_of_visits() const;

private:
  fs::path m_directory;
  Json m_world;
  os::Child m_process;
  os::Fd m_input; // its end ends them
  std::vector<int> m_ports;
  int m_dns_port = 0;
};

} // namespace pyro::testing

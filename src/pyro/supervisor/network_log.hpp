// What a sandbox asked of the network, as lines of JSON in `network.jsonl` of its runtime directory; what is
// older, in `network.jsonl.1`. Together they hold the last thousands of lines.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>

#include <cstddef>
#include <string>

namespace pyro::supervisor {

class NetworkLog {
public:
  /// Goes on with what is there.
  explicit NetworkLog(const std::string& runtime_dir);

  /// One record of gateway/access_log.hpp; "at" is added to it. A full disk loses it.
  void add(const Json& record);

private:
  void open();

  std::string m_path;
  os::Fd m_file;
  std::size_t m_size = 0;
};

} // namespace pyro::supervisor

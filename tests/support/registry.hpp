// Debian's docker-registry on the loopback interface, for one test.
#pragma once

#include <pyro/os/process.hpp>

#include <filesystem>
#include <string>

namespace pyro::testing {

class Registry {
public:
  /// Starts it on a free port with its data below `directory`; throws where it does not answer in time.
  explicit Registry(const std::filesystem::path& directory);

  /// "127.0.0.1:40123"
  const std::string& address() const { return m_address; }

private:
  std::string m_address;
  os::Child m_process; // killed with it
};

} // namespace pyro::testing

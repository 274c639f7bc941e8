#include "network_log.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>

#include <sys/stat.h>

#include <cstdio>
#include <fcntl.h>

namespace pyro::supervisor {

namespace {

constexpr std::size_t k_most_log_bytes = 1 << 20;

} // namespace

NetworkLog::NetworkLog(const std::string& runtime_dir) : m_path(runtime_dir + "/network.jsonl") {
}

void NetworkLog::open() {
  m_file = os::open_file(m_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);

  struct stat status {};

  m_size = ::fstat(m_file.get(), &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

void NetworkLog::add(const Json& record) {
  try {
    if (!m_file) {
      open();
    }
    if (m_size > k_most_log_bytes) {
      std::ignore = ::rename(m_path.c_str(), (m_path + ".1").c_str());
      open();
    }
    auto line = record;
    line["at"] = os::now_epoch();
    const auto text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    os::write_all(m_file.get(), text);
    m_size += text.size();
  } catch (const Error&) {
    m_file.reset(); // tried anew with the next one
  }
}

} // namespace pyro::supervisor

// What a sandbox can put before its agent outside the channel: user databases, tmpfiles.d, answers to probes,
// output of services.
#include "../support/require.hpp"

#include <pyro/agent/http_probe.hpp>
#include <pyro/agent/service_log.hpp>
#include <pyro/agent/tmpfiles.hpp>
#include <pyro/agent/users.hpp>
#include <pyro/base/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pyro::agent;
  std::string text(reinterpret_cast<const char*>(data), size);

  auto status = parse_status_line(text);
  require(status == -1 || status == 0 || (status >= 100 && status <= 999), "a status is a status");
  require(parse_status_line("HTTP/1.1 204 \r\n" + text) == 204, "what follows does not matter");

  UserDatabase database{text, text};
  for (auto name : {"", "root", "0", "0:0", "a:b", ":", "4294967295", "99999999999"}) {
    try {
      auto user = resolve_user(name, database);
      require(user.uid != UINT32_MAX && user.gid != UINT32_MAX, "never the id that means 'unchanged'");
      require(!user.groups.empty() && user.groups.size() <= 1024, "a bounded list of groups");
    } catch (const pyro::Error& error) {
      require(error.code() == pyro::ErrorCode::not_found, "unknown is the only complaint");
    }
  }

  for (const auto& file : run_files_in(text)) {
    require(!file.path.empty() && file.path.front() != '/' && file.path.back() != '/', "a path below /run");
    require(("/" + file.path + "/").find("/../") == std::string::npos, "it stays below");
    require(!file.path.starts_with("secrets") || file.path.find('/') != 7, "nothing among our secrets");
    require(file.mode.value_or(0) <= 07777, "a mode is a mode");
  }

  ServiceLog log;
  std::size_t heard = 0;
  log.listen([&](const LogLine& line) { heard += line.text.size() + 1; });
  for (int start = 0; start < 3; ++start) {
    log.mark_start();
    for (std::size_t i = 0; i < text.size(); i += 97) {
      log.append(i % 2 ? LogStream::out : LogStream::err, std::string_view(text).substr(i, 97));
    }
    log.append(LogStream::out, std::string(40000, static_cast<char>(size)));
  }
  log.finish_lines();
  std::size_t kept = 0;
  for (auto& line : log.lines()) {
    require(line.text.size() <= ServiceLog::k_max_line, "lines are bounded");
    kept += line.text.size() + 1;
  }
  require(kept <= ServiceLog::k_capacity + ServiceLog::k_max_line, "the log is bounded");
  require(kept + log.dropped_bytes() == heard, "it says how much it dropped");
  require(log.tail(20).size() <= 20, "a tail is no longer than asked");
  return 0;
}

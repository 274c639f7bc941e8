#include "mcp_http_front.hpp"

#include <pyro/cli/interrupts.hpp>
#include <pyro/mcp/http.hpp>
#include <pyro/mcp/http_access.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/store/layout.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <utility>

namespace pyro::app {

namespace {

constexpr std::size_t k_token_bytes = 32;

/// A file that is there while this lives. It is named by where we listen, so that the next server there takes
/// over one that was left.
class MadeFile {
public:
  MadeFile() = default;

  ~MadeFile() { remove(); }

  MadeFile(const MadeFile&) = delete;
  MadeFile& operator=(const MadeFile&) = delete;

  void is_at(std::string path) { m_path = std::move(path); }

private:
  void remove() {
    std::error_code ignored;
    if (!m_path.empty()) {
      std::filesystem::remove(m_path, ignored);
    }
  }

  std::string m_path;
};

std::string token_in(const mcp::HttpAddress& address, MadeFile& file) {
  const auto base = store::Base::from_environment();
  base.prepare();
  const auto directory = base.root() + "/mcp";
  os::make_directories(directory);
  const auto path = fmt::format("{}/{}-{}.token", directory, address.ip, address.port);
  auto token = os::random_hex(k_token_bytes);
  os::write_file_atomically(path, token + "\n");
  file.is_at(path);
  fmt::print(stderr, "the token is in {}\n", path);
  return token;
}

} // namespace

bool serve_mcp_http(mcp::Server& server, const cli::McpServeRequest& request) {
  mcp::HttpOptions options;
  options.address = mcp::parse_http_address(request.http);
  if (!request.token_file.empty()) {
    options.token = mcp::read_token(request.token_file);
  }
  options.listener = mcp::listen_at(options.address);
  MadeFile socket;
  MadeFile token;
  if (!options.address.unix_path.empty()) {
    socket.is_at(options.address.unix_path);
  } else if (!options.token) {
    options.token = token_in(options.address, token);
  }
  if (!options.address.is_loopback()) {
    fmt::print(
        stderr,
        "warning: other machines can reach {}, and nothing there is encrypted: who sees the traffic "
        "has the token\n",
        options.address.ip);
  }
  fmt::print(stderr, "serving MCP at {}\n", mcp::url_of(options.address));
  return mcp::serve_http(server, std::move(options), cli::interrupted);
}

} // namespace pyro::app

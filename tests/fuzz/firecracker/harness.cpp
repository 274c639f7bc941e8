// Any bytes as the answer of Firecracker's vsock; and as what the fake Firecracker of the tests is sent,
// which must not let anything through that is not in the description.
#include "../../support/firecracker/http_server.hpp"
#include "../support/require.hpp"

#include <pyro/backend/firecracker/vsock_channel.hpp>
#include <pyro/base/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto port = pyro::backend::firecracker::parse_vsock_answer(text);
    require(fmt::format("OK {}", port).size() <= text.size(), "an answer is a number");
  } catch (const pyro::Error& error) {
    require(error.code() == pyro::ErrorCode::protocol, "rubbish is a protocol error");
    require(error.message().size() < 200, "rubbish is not repeated at length");
  }
  pyro::testing::firecracker::MachineModel machine("fuzz");
  pyro::testing::firecracker::HttpConnection connection;
  const auto out = connection.feed(text, machine);
  require(out.empty() || out.starts_with("HTTP/1.1 "), "answers are HTTP");
  return 0;
}

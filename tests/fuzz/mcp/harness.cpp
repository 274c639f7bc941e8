// Any bytes as lines of a client of the MCP server: each is answered at most once, by a message that is one,
// and a ping is answered afterwards.
#include "../support/require.hpp"

#include <pyro/base/json_text.hpp>
#include <pyro/mcp/server.hpp>

#include <atomic>

namespace {

using pyro::Json;

/// Every operation returns at once.
class Nothing : public pyro::operations::Caller {
public:
  Json call(
      std::string_view operation, const Json& parameters, const pyro::operations::CallSettings& /*settings*/,
      const pyro::operations::Callbacks& callbacks) override {
    callbacks.events({"note", "", std::string(operation), nullptr});
    return {{"parameters", parameters}};
  }
};

std::size_t requests_in(const Json& document) {
  if (!document.is_array()) {
    return 1;
  }
  return document.size();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pyro::mcp;
  static Nothing nothing;
  std::atomic<std::size_t> answers = 0;
  std::atomic<bool> has_ponged = false;
  std::size_t most = 1;
  {
    Server server(nothing, {});
    const auto client = std::make_shared<Connection>(Outlet{[&](const Json& message) {
      require(pyro::maybe_parse_json(to_line(message)).has_value(), "what is sent is JSON");
      const auto is_notice = message.is_object() && message.contains("method");
      answers += is_notice ? 0 : 1;
      has_ponged = has_ponged || (message.is_object() && message.value("id", Json()) == "the last ping");
    }});
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    for (int lines = 0; !rest.empty() && lines < 32; ++lines) {
      const auto end = rest.find('\n');
      if (const auto document = pyro::maybe_parse_json(rest.substr(0, end))) {
        most += requests_in(*document) + 1;
        server.handle(*document, client);
      }
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    server.handle({{"jsonrpc", "2.0"}, {"id", "the last ping"}, {"method", "ping"}}, client);
  }
  require(has_ponged, "the next request is answered");
  require(answers <= most, "nothing is answered twice");
  return 0;
}

#include "revision.hpp"

#include <algorithm>
#include <iterator>

namespace pyro::mcp {

namespace {

constexpr std::string_view k_version_key = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view k_capabilities_key = "io.modelcontextprotocol/clientCapabilities";

bool declares_tasks(const Json& capabilities) {
  const auto extensions = capabilities.find("extensions");
  return extensions != capabilities.end() && extensions->is_object()
         && extensions->contains(k_tasks_extension);
}

void read_modern(const Json& meta, const Json& version, RequestContext& context) {
  context.era = Era::modern;
  if (!version.is_string()) {
    throw RpcError(k_invalid_params, "_meta: " + std::string(k_version_key) + " is a text");
  }
  if (version != k_modern_revision) {
    throw unsupported_revision(version.get<std::string>());
  }
  const auto capabilities = meta.find(k_capabilities_key);
  if (capabilities == meta.end() || !capabilities->is_object()) {
    throw RpcError(k_invalid_params, "_meta: " + std::string(k_capabilities_key) + " is missing");
  }
  context.takes_tasks = declares_tasks(*capabilities);
}

} // namespace

const std::vector<std::string>& supported_revisions() {
  static const std::vector<std::string> all{
      std::string(k_modern_revision), std::string(k_newest_legacy_revision), "2025-06-18", "2025-03-26",
      "2024-11-05"};
  return all;
}

bool is_legacy_revision(std::string_view revision) {
  const auto& all = supported_revisions();
  return std::find(std::next(all.begin()), all.end(), revision) != all.end();
}

RpcError unsupported_revision(const std::string& requested) {
  return {
      k_unsupported_version,
      "the protocol version " + requested + " is not supported",
      {{"supported", supported_revisions()}, {"requested", requested}}};
}

std::optional<std::string> revision_said_in(const Json& params) {
  const auto meta = params.find("_meta");
  if (meta == params.end() || !meta->is_object()) {
    return std::nullopt;
  }
  const auto version = meta->find(k_version_key);
  return version == meta->end() || !version->is_string() ? std::nullopt
                                                         : std::optional(version->get<std::string>());
}

std::string agreed_revision(std::string_view wished) {
  return std::string(is_legacy_revision(wished) ? wished : k_newest_legacy_revision);
}

RequestContext context_of(const Json& params) {
  RequestContext context;
  const auto meta = params.find("_meta");
  if (meta == params.end()) {
    return context;
  }
  if (!meta->is_object()) {
    throw RpcError(k_invalid_params, "_meta is an object");
  }
  if (const auto token = meta->find("progressToken"); token != meta->end()) {
    if (!token->is_string() && !token->is_number_integer()) {
      throw RpcError(k_invalid_params, "_meta: progressToken is a text or a whole number");
    }
    context.progress_token = *token;
  }
  if (const auto version = meta->find(k_version_key); version != meta->end()) {
    read_modern(*meta, *version, context);
  }
  return context;
}

} // namespace pyro::mcp

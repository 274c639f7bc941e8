// Any bytes as each of the documents of an OCI image: refused as malformed, or values that hold what their
// types promise and that survive being written and read again.
#include "../support/require.hpp"

#include <pyro/base/error.hpp>
#include <pyro/oci/document.hpp>
#include <pyro/store/layers.hpp>

namespace {

using namespace pyro::store;
using namespace pyro::oci;

void check(const OciDescriptor& descriptor) {
  require(is_digest(descriptor.digest), "a digest is a file name");
}

void check_index(std::string_view text) {
  const auto index = parse_oci_index(text, "input");
  for (const auto& manifest : index.manifests) {
    check(manifest);
  }
}

void check_manifest(std::string_view text) {
  const auto manifest = parse_oci_manifest(text, "input");
  require(manifest.layers.size() <= k_max_oci_layers, "the limit of layers holds");
  check(manifest.config);
  for (const auto& layer : manifest.layers) {
    check(layer);
  }
}

void check_config(std::string_view text) {
  const auto config = parse_oci_config(text, "input");
  require(config.diff_ids.size() <= k_max_oci_layers, "the limit of layers holds");
  for (const auto& id : config.diff_ids) {
    require(is_digest(id), "a DiffID is a digest");
  }
  for (const auto& [name, value] : config.env) {
    require(!name.empty() && name.find('=') == std::string::npos, "a variable has a name");
    require((name + value).find('\0') == std::string::npos, "no NUL reaches a process");
  }
  require((config.user + config.workdir).find('\0') == std::string::npos, "no NUL reaches a process");
  const auto again = parse_oci_config(to_text(config, {}), "ours");
  require(again.env == config.env && again.diff_ids == config.diff_ids, "what we write we read");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto parse : {check_index, check_manifest, check_config}) {
    try {
      parse(text);
    } catch (const pyro::Error& error) {
      require(error.code() == pyro::ErrorCode::invalid_argument, "malformed is the only complaint");
      require(!error.message().empty(), "a refusal says why");
    }
  }
  return 0;
}

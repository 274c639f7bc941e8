#include "document.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/layers.hpp>

#include <sys/utsname.h>

#include <array>

namespace pyro::oci {

namespace {

constexpr std::string_view k_digest_prefix = "sha256:";
constexpr std::string_view k_ref_name = "org.opencontainers.image.ref.name";
constexpr std::size_t k_max_manifests = 10'000;
constexpr std::size_t k_max_variables = 10'000;

[[noreturn]] void malformed(const std::string& what, const std::string& why) {
  throw Error(ErrorCode::invalid_argument, "{} is no valid OCI document: {}", what, why);
}

/// Runs `read` on the document; whatever is wrong with it is one kind of error.
template <typename Read>
auto parse_document(std::string_view text, const std::string& what, const Read& read) {
  if (text.size() > k_max_oci_document) {
    malformed(what, "it is too long");
  }
  try {
    const auto document = parse_json(text, what);
    if (!document.is_object()) {
      malformed(what, "it is no object");
    }
    return read(document);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::invalid_argument) {
      throw;
    }
    malformed(what, error.message());
  }
}

const Json& array_at(const Json& object, std::string_view key, std::size_t limit) {
  const auto& array = value_at(object, key);
  if (!array.is_array() || array.size() > limit) {
    throw Error(ErrorCode::protocol, "'{}' is no list of at most {} entries", key, limit);
  }
  return array;
}

HexDigest digest_of(const std::string& text) {
  if (!text.starts_with(k_digest_prefix) || !store::is_digest(text.substr(k_digest_prefix.size()))) {
    throw Error(ErrorCode::protocol, "'{}' is no SHA-256 digest", text.substr(0, 100));
  }
  return text.substr(k_digest_prefix.size());
}

OciPlatform platform_of(const Json& value) {
  return {string_or(value, "os", ""), string_or(value, "architecture", ""), string_or(value, "variant", "")};
}

OciDescriptor descriptor_of(const Json& value) {
  if (!value.is_object()) {
    throw Error(ErrorCode::protocol, "a descriptor is no object");
  }
  OciDescriptor descriptor;
  descriptor.media_type = string_or(value, "mediaType", "");
  descriptor.digest = digest_of(get_string(value, "digest"));
  const auto size = get_int(value, "size");
  if (size < 0) {
    throw Error(ErrorCode::protocol, "a blob has a negative size");
  }
  descriptor.size = static_cast<std::uint64_t>(size);
  if (const auto platform = value.find("platform"); platform != value.end() && platform->is_object()) {
    descriptor.platform = platform_of(*platform);
  }
  const auto annotations = value.find("annotations");
  if (annotations != value.end() && annotations->is_object()) {
    descriptor.ref_name = string_or(*annotations, k_ref_name, "");
  }
  return descriptor;
}

Json to_json(const OciDescriptor& descriptor) {
  Json value{
      {"mediaType", descriptor.media_type},
      {"digest", std::string(k_digest_prefix) + descriptor.digest},
      {"size", descriptor.size}};
  if (descriptor.platform) {
    value["platform"] = {
        {"os", descriptor.platform->os}, {"architecture", descriptor.platform->architecture}};
  }
  if (!descriptor.ref_name.empty()) {
    value["annotations"] = {{std::string(k_ref_name), descriptor.ref_name}};
  }
  return value;
}

/// Processes get these: text that no environment, path or user name can hold is refused.
std::string plain_text(std::string text, std::string_view key) {
  if (text.find('\0') != std::string::npos) {
    throw Error(ErrorCode::protocol, "'{}' holds a NUL", key);
  }
  return text;
}

void read_process(const Json& document, OciConfig& config) {
  const auto process = document.find("config");
  if (process == document.end() || process->is_null()) {
    return;
  }
  config.user = plain_text(string_or(*process, "User", ""), "User");
  config.workdir = plain_text(string_or(*process, "WorkingDir", ""), "WorkingDir");
  const auto variables = strings_or_empty(*process, "Env");
  if (variables.size() > k_max_variables) {
    throw Error(ErrorCode::protocol, "'Env' has too many entries");
  }
  for (const auto& variable : variables) {
    const auto equals = variable.find('=');
    if (equals == 0 || equals == std::string::npos) {
      continue; // what runtimes do with such an entry differs; no process can see it
    }
    config.env[plain_text(variable.substr(0, equals), "Env")] =
        plain_text(variable.substr(equals + 1), "Env");
  }
  for (const auto* key : {"Entrypoint", "Cmd"}) {
    for (auto& word : strings_or_empty(*process, key)) {
      config.entrypoint.push_back(std::move(word));
    }
  }
}

} // namespace

std::string to_string(const OciPlatform& platform) {
  return fmt::format(
      "{}/{}{}{}", platform.os, platform.architecture, platform.variant.empty() ? "" : "/", platform.variant);
}

OciPlatform host_platform() {
  utsname name{};
  ::uname(&name);
  const std::string machine(std::data(name.machine));
  return {"linux", machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine, ""};
}

bool OciDescriptor::is_index() const {
  return media_type == k_oci_index_type
         || media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

OciIndex parse_oci_index(std::string_view text, const std::string& what) {
  return parse_document(text, what, [](const Json& document) {
    if (get_int(document, "schemaVersion") != 2) {
      throw Error(ErrorCode::protocol, "it is of another schema version than 2");
    }
    OciIndex index;
    for (const auto& manifest : array_at(document, "manifests", k_max_manifests)) {
      index.manifests.push_back(descriptor_of(manifest));
    }
    return index;
  });
}

OciManifest parse_oci_manifest(std::string_view text, const std::string& what) {
  return parse_document(text, what, [](const Json& document) {
    if (get_int(document, "schemaVersion") != 2) {
      throw Error(ErrorCode::protocol, "it is of another schema version than 2");
    }
    OciManifest manifest;
    manifest.config = descriptor_of(value_at(document, "config"));
    for (const auto& layer : array_at(document, "layers", k_max_oci_layers)) {
      manifest.layers.push_back(descriptor_of(layer));
    }
    return manifest;
  });
}

OciConfig parse_oci_config(std::string_view text, const std::string& what) {
  return parse_document(text, what, [](const Json& document) {
    OciConfig config;
    config.platform = platform_of(document);
    const auto& rootfs = value_at(document, "rootfs");
    if (!rootfs.is_object() || string_or(rootfs, "type", "") != "layers") {
      throw Error(ErrorCode::protocol, "its root file system is not made of layers");
    }
    for (const auto& id : array_at(rootfs, "diff_ids", k_max_oci_layers)) {
      if (!id.is_string()) {
        throw Error(ErrorCode::protocol, "a DiffID is no text");
      }
      config.diff_ids.push_back(digest_of(id.get<std::string>()));
    }
    read_process(document, config);
    return config;
  });
}

std::string to_text(const OciIndex& index) {
  Json manifests = Json::array();
  for (const auto& manifest : index.manifests) {
    manifests.push_back(to_json(manifest));
  }
  return dump_json(
      {{"schemaVersion", 2}, {"mediaType", std::string(k_oci_index_type)}, {"manifests", manifests}});
}

std::string to_text(const OciManifest& manifest) {
  Json layers = Json::array();
  for (const auto& layer : manifest.layers) {
    layers.push_back(to_json(layer));
  }
  return dump_json(
      {{"schemaVersion", 2},
       {"mediaType", std::string(k_oci_manifest_type)},
       {"config", to_json(manifest.config)},
       {"layers", layers}});
}

std::string to_text(const OciConfig& config, const std::vector<std::string>& history) {
  Json process = Json::object();
  for (const auto& [name, value] : config.env) {
    process["Env"].push_back(name + "=" + value);
  }
  if (!config.user.empty()) {
    process["User"] = config.user;
  }
  if (!config.workdir.empty()) {
    process["WorkingDir"] = config.workdir;
  }
  if (!config.entrypoint.empty()) {
    process["Cmd"] = config.entrypoint;
  }
  Json ids = Json::array();
  for (const auto& id : config.diff_ids) {
    ids.push_back(std::string(k_digest_prefix) + id);
  }
  Json lines = Json::array();
  for (const auto& line : history) {
    lines.push_back({{"created_by", line}});
  }
  return dump_json(
      {{"architecture", config.platform.architecture},
       {"os", config.platform.os},
       {"config", process},
       {"rootfs", {{"type", "layers"}, {"diff_ids", ids}}},
       {"history", lines}});
}

} // namespace pyro::oci

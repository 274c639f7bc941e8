#include "kernel_manifest.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/layers.hpp>

namespace pyro::guest_images {

namespace {

constexpr std::int64_t k_manifest_version = 1;

/// Names in a manifest become paths.
bool is_kernel_file(const std::string& name) {
  constexpr std::string_view k_modules = "modules/";
  return name == k_kernel_file
         || (name.starts_with(k_modules) && store::is_safe_name(name.substr(k_modules.size())));
}

} // namespace

void to_json(Json& json, const KernelFile& file) {
  json = {{"name", file.name}, {"digest", file.digest}, {"size_bytes", file.size_bytes}};
}

HexDigest InstalledKernel::digest_of_files() const {
  Sha256 sha;
  sha.field("guest kernel").field(version);
  for (const auto& file : files) {
    sha.field(file.name).field(file.digest);
  }
  return sha.finish();
}

std::uint64_t InstalledKernel::size_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& file : files) {
    bytes += file.size_bytes;
  }
  return bytes;
}

std::vector<std::string> InstalledKernel::load_order() const {
  std::vector<std::string> names;
  for (const auto& file : files) {
    if (file.name != k_kernel_file) {
      names.push_back(file.name.substr(file.name.find('/') + 1));
    }
  }
  return names;
}

Json to_json(const InstalledKernel& kernel) {
  return {
      {"version", k_manifest_version},
      {"kernel_version", kernel.version},
      {"created_at", kernel.created_at},
      {"packages", kernel.packages},
      {"files", kernel.files}};
}

InstalledKernel installed_kernel_from_json(const Json& value) {
  if (get_int(value, "version") != k_manifest_version) {
    throw Error(ErrorCode::protocol, "a kernel manifest of another version");
  }
  InstalledKernel kernel;
  kernel.version = get_string(value, "kernel_version");
  kernel.created_at = get_double(value, "created_at");
  kernel.packages = value_at(value, "packages");
  for (const auto& item : value_at(value, "files")) {
    KernelFile file{
        get_string(item, "name"), get_string(item, "digest"),
        static_cast<std::uint64_t>(get_int(item, "size_bytes"))};
    if (!is_kernel_file(file.name) || !store::is_digest(file.digest)) {
      throw Error(ErrorCode::protocol, "a kernel manifest that names '{}'", file.name);
    }
    kernel.files.push_back(std::move(file));
  }
  if (kernel.files.empty() || kernel.files.front().name != k_kernel_file || !kernel.packages.is_array()) {
    throw Error(ErrorCode::protocol, "a kernel manifest without a kernel or its packages");
  }
  kernel.digest = kernel.digest_of_files();
  return kernel;
}

} // namespace pyro::guest_images

#include "git_blob.hpp"

#include <openssl/sha.h>

#include <array>

namespace pyro {

std::string git_blob_name(std::string_view content, GitHash hash) {
  auto object = "blob " + std::to_string(content.size());
  object += '\0';
  object += content;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(object.data());
  std::array<unsigned char, SHA256_DIGEST_LENGTH> name{};
  if (hash == GitHash::sha1) {
    ::SHA1(bytes, object.size(), name.data());
  } else {
    ::SHA256(bytes, object.size(), name.data());
  }
  return {
      reinterpret_cast<const char*>(name.data()),
      hash == GitHash::sha1 ? std::size_t{SHA_DIGEST_LENGTH} : std::size_t{SHA256_DIGEST_LENGTH}};
}

} // namespace pyro

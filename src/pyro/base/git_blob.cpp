#include "git_blob.hpp"

#include <openssl/sha.h>

#include <array>

namespace pyro {

namespace {

using Name = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

// In parts: the one call for all of it would bring the whole of libcrypto into static programs.
Name sha1_of(std::string_view head, std::string_view content) {
  Name name{};
  SHA_CTX state;
  ::SHA1_Init(&state);
  ::SHA1_Update(&state, head.data(), head.size());
  ::SHA1_Update(&state, content.data(), content.size());
  ::SHA1_Final(name.data(), &state);
  return name;
}

Name sha256_of_object(std::string_view head, std::string_view content) {
  Name name{};
  SHA256_CTX state;
  ::SHA256_Init(&state);
  ::SHA256_Update(&state, head.data(), head.size());
  ::SHA256_Update(&state, content.data(), content.size());
  ::SHA256_Final(name.data(), &state);
  return name;
}

} // namespace

std::string git_blob_name(std::string_view content, GitHash hash) {
  auto head = "blob " + std::to_string(content.size());
  head += '\0';
  const bool is_sha1 = hash == GitHash::sha1;
  const auto name = is_sha1 ? sha1_of(head, content) : sha256_of_object(head, content);
  return {
      reinterpret_cast<const char*>(name.data()),
      is_sha1 ? std::size_t{SHA_DIGEST_LENGTH} : std::size_t{SHA256_DIGEST_LENGTH}};
}

} // namespace pyro

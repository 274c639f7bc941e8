#include "file_change.hpp"

#include "requests.hpp"

#include <pyro/base/error.hpp>

#include <array>
#include <limits>

namespace pyro::protocol {

namespace {

constexpr std::array<std::string_view, 7> k_kinds{"directory", "file",   "symlink", "hardlink",
                                                  "remove",    "expect", "commit"};

FileRecord::Kind kind_of(const std::string& name) {
  for (std::size_t index = 0; index < k_kinds.size(); ++index) {
    if (k_kinds[index] == name) {
      return static_cast<FileRecord::Kind>(index);
    }
  }
  throw Error(ErrorCode::protocol, "there is no file record of kind '{}'", name);
}

std::string path_from(const Json& value, std::string_view key) {
  const auto text = maybe_string(value, key);
  return text ? base64_decode(*text) : "";
}

std::uint64_t count_from(const Json& value, std::string_view key, std::int64_t otherwise) {
  const auto number = int_or(value, key, otherwise);
  if (number < 0) {
    throw Error(ErrorCode::protocol, "'{}' must not be negative", key);
  }
  return static_cast<std::uint64_t>(number);
}

std::optional<std::uint32_t> id_from(const Json& value, std::string_view key) {
  const auto number = maybe_int(value, key);
  if (number && (*number < 0 || *number >= std::numeric_limits<std::uint32_t>::max())) {
    throw Error(ErrorCode::protocol, "'{}' is no id", key);
  }
  return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

} // namespace

Json to_json(const FileChangeRequest& value) {
  return {{"root", value.root}, {"staging", value.staging}, {"user", value.user}};
}

FileChangeRequest file_change_request_from_json(const Json& value) {
  FileChangeRequest request;
  request.root = string_or(value, "root", request.root);
  request.staging = string_or(value, "staging", request.staging);
  request.user = string_or(value, "user", "");
  return request;
}

Json to_json(const FileChangeResult& value) {
  return {
      {"added", value.added},
      {"replaced", value.replaced},
      {"removed", value.removed},
      {"unchanged", value.unchanged},
      {"bytes", value.bytes}};
}

FileChangeResult file_change_result_from_json(const Json& value) {
  return {
      count_from(value, "added", 0), count_from(value, "replaced", 0), count_from(value, "removed", 0),
      count_from(value, "unchanged", 0), count_from(value, "bytes", 0)};
}

std::string encode_record(const FileRecord& record) {
  Json json{{"kind", k_kinds[static_cast<std::size_t>(record.kind)]}};
  const auto put = [&json](const char* key, const auto& value) {
    if (value) {
      json[key] = *value;
    }
  };
  if (!record.path.empty()) {
    json["path"] = base64_encode(record.path);
  }
  if (!record.target.empty()) {
    json["target"] = base64_encode(record.target);
  }
  if (record.kind == FileRecord::Kind::directory || record.kind == FileRecord::Kind::file) {
    json["mode"] = record.mode;
  }
  if (record.size > 0) {
    json["size"] = record.size;
  }
  put("mtime_ns", record.mtime_ns);
  put("uid", record.uid);
  put("gid", record.gid);
  for (const auto& [name, value] : record.xattrs) {
    json["xattrs"][base64_encode(name)] = base64_encode(value);
  }
  if (record.prune) {
    json["prune"] = true;
  }
  if (record.absent) {
    json["absent"] = true;
  }
  const auto text = json.dump();
  if (text.size() > k_max_record) {
    throw Error(ErrorCode::invalid_argument, "the attributes of a file are too large to be sent");
  }
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((text.size() >> shift) & 0xff);
  }
  return bytes + text;
}

FileRecord record_from_json(const Json& value) {
  FileRecord record;
  record.kind = kind_of(get_string(value, "kind"));
  record.path = path_from(value, "path");
  record.target = path_from(value, "target");
  record.size = count_from(value, "size", 0);
  record.mode = static_cast<std::uint32_t>(count_from(value, "mode", 0644) & 0777);
  record.mtime_ns = maybe_int(value, "mtime_ns");
  record.uid = id_from(value, "uid");
  record.gid = id_from(value, "gid");
  for (const auto& [name, attribute] : string_map_or_empty(value, "xattrs")) {
    record.xattrs[base64_decode(name)] = base64_decode(attribute);
  }
  record.prune = bool_or(value, "prune", false);
  record.absent = bool_or(value, "absent", false);
  return record;
}

std::size_t record_length(std::string_view four_bytes) {
  std::size_t length = 0;
  for (const char octet : four_bytes.substr(0, 4)) {
    length = length << 8 | static_cast<unsigned char>(octet);
  }
  if (length > k_max_record) {
    throw Error(ErrorCode::protocol, "a file record of {} bytes is above the limit", length);
  }
  return length;
}

} // namespace pyro::protocol

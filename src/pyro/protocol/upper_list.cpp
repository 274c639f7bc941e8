#include "upper_list.hpp"

#include "octets.hpp"

#include <limits>

namespace pyro::protocol {

namespace {

constexpr std::size_t k_max_name = 255;
constexpr std::size_t k_max_target = 4095;
constexpr std::size_t k_max_attributes = 1024;
constexpr std::uint8_t k_left_out = 1;

[[noreturn]] void refuse(std::string_view what) {
  throw Error(ErrorCode::protocol, "the list of the writable layer: {}", what);
}

std::string fields_of(const UpperEntry& entry) {
  std::string text;
  put_number(text, entry.depth);
  text += static_cast<char>(entry.kind);
  text += static_cast<char>(entry.attributes_left_out ? k_left_out : 0);
  put_number(text, entry.mode);
  put_number(text, entry.uid);
  put_number(text, entry.gid);
  put_number(text, entry.links);
  put_number(text, entry.inode);
  put_number(text, entry.size);
  put_number(text, entry.mtime_ns);
  put_number(text, entry.ctime_ns);
  put_text(text, entry.name);
  put_text(text, entry.target);
  put_number(text, static_cast<std::uint32_t>(entry.xattrs.size()));
  for (const auto& [name, value] : entry.xattrs) {
    put_text(text, name);
    put_text(text, value);
  }
  return text;
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= k_max_name && name != "." && name != ".."
         && name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

void read_attributes(OctetReader& fields, UpperEntry& entry) {
  const auto count = fields.number<std::uint32_t>();
  if (count > k_max_attributes) {
    refuse("too many attributes");
  }
  for (std::uint32_t index = 0; index < count; ++index) {
    auto name = fields.text();
    if (name.empty() || name.size() > k_max_name || name.find('\0') != std::string::npos) {
      refuse("an attribute without a proper name");
    }
    entry.xattrs[std::move(name)] = fields.text();
  }
}

UpperEntry entry_from(OctetReader fields) {
  UpperEntry entry;
  entry.depth = fields.number<std::uint32_t>();
  const auto kind = fields.number<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(UpperEntry::Kind::other)) {
    refuse("an entry of an unknown kind");
  }
  entry.kind = static_cast<UpperEntry::Kind>(kind);
  entry.attributes_left_out = fields.number<std::uint8_t>() == k_left_out;
  entry.mode = fields.number<std::uint32_t>();
  entry.uid = fields.number<std::uint32_t>();
  entry.gid = fields.number<std::uint32_t>();
  entry.links = fields.number<std::uint32_t>();
  entry.inode = fields.number<std::uint64_t>();
  entry.size = fields.number<std::uint64_t>();
  entry.mtime_ns = fields.number<std::int64_t>();
  entry.ctime_ns = fields.number<std::int64_t>();
  entry.name = fields.text();
  entry.target = fields.text();
  read_attributes(fields, entry);
  if (!fields.at_end()) {
    refuse("a record with more than its fields");
  }
  if (entry.mode > 07777 || entry.size > std::numeric_limits<std::int64_t>::max()) {
    refuse("a mode or size that cannot be");
  }
  constexpr auto k_no_id = std::numeric_limits<std::uint32_t>::max(); // chown(2): leave it
  if (entry.uid == k_no_id || entry.gid == k_no_id) {
    refuse("an owner that cannot be");
  }
  const bool is_symlink = entry.kind == UpperEntry::Kind::symlink;
  if (is_symlink == entry.target.empty() || entry.target.size() > k_max_target
      || entry.target.find('\0') != std::string::npos) {
    refuse("a symlink without a proper target");
  }
  return entry;
}

} // namespace

Json to_json(const UpperListResult& value) {
  return {{"identity", value.identity}, {"began_ns", value.began_ns}};
}

UpperListResult upper_list_result_from_json(const Json& value) {
  UpperListResult result{get_string(value, "identity"), get_int(value, "began_ns")};
  if (result.identity.empty() || result.identity.size() > 200) {
    refuse("a disk without a proper identity");
  }
  return result;
}

std::string encode_upper_entry(const UpperEntry& entry) {
  auto fields = fields_of(entry);
  if (fields.size() > k_max_upper_record || entry.xattrs.size() > k_max_attributes) {
    auto bare = entry;
    bare.attributes_left_out = true;
    std::erase_if(
        bare.xattrs, [](const auto& attribute) { return attribute.first != "user.overlay.opaque"; });
    fields = fields_of(bare);
  }
  std::string record;
  put_text(record, fields);
  return record;
}

std::optional<UpperEntry> UpperListReader::next() {
  if (m_rest.empty()) {
    if (m_count == 0) {
      refuse("it is empty");
    }
    return std::nullopt;
  }
  OctetReader whole(m_rest);
  const auto length = whole.number<std::uint32_t>();
  if (length > k_max_upper_record) {
    refuse("a record above the limit");
  }
  auto entry = entry_from(OctetReader(whole.bytes(length)));
  m_rest.remove_prefix(sizeof length + length);
  place(entry);
  return entry;
}

void UpperListReader::place(const UpperEntry& entry) {
  if (++m_count > m_limits.entries) {
    throw Error(ErrorCode::failed, "the writable layer holds more than {} entries", m_limits.entries);
  }
  if (m_count == 1) {
    if (entry.depth != 0 || !entry.name.empty() || entry.kind != UpperEntry::Kind::directory) {
      refuse("it does not begin with its root");
    }
  } else {
    if (entry.depth == 0 || entry.depth > m_directories.size() || !is_name(entry.name)) {
      refuse("an entry in no directory of it, or without a proper name");
    }
    auto& parent = m_directories[entry.depth - 1];
    if (entry.name <= parent.last_name) {
      refuse("an entry twice or out of order");
    }
    m_directories.resize(entry.depth);
    m_directories.back().last_name = entry.name;
    m_path.resize(m_directories.back().path_length);
    m_path += m_path.empty() ? "" : "/";
    m_path += entry.name;
  }
  m_path_bytes += m_path.size();
  if (m_path_bytes > m_limits.path_bytes) {
    throw Error(
        ErrorCode::failed, "the paths of the writable layer have more than {} bytes together",
        m_limits.path_bytes);
  }
  if (entry.depth > m_limits.depth) {
    throw Error(
        ErrorCode::failed, "the writable layer holds directories deeper than {} levels", m_limits.depth);
  }
  if (entry.kind == UpperEntry::Kind::directory) {
    m_directories.push_back({m_path.size(), {}});
  }
}

} // namespace pyro::protocol

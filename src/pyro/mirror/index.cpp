#include "index.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/protocol/octets.hpp>

namespace pyro::mirror {

namespace {

constexpr int k_version = 1;
constexpr std::size_t k_max_size = std::size_t{4} << 30;

std::vector<MirrorMark> marks_from(protocol::OctetReader octets, std::uint64_t count) {
  std::vector<MirrorMark> marks;
  while (!octets.at_end()) {
    MirrorMark mark;
    mark.in_doubt = octets.number<std::uint8_t>() != 0;
    mark.inode = octets.number<std::uint64_t>();
    mark.ctime_ns = octets.number<std::int64_t>();
    marks.push_back(mark);
  }
  if (marks.size() != count) {
    throw Error(ErrorCode::protocol, "{} marks for {} entries", marks.size(), count);
  }
  return marks;
}

MirrorIndex index_from(std::string_view text) {
  const auto line_end = text.find('\n');
  const auto header = parse_json(text.substr(0, line_end), "the header of a mirror's index");
  if (line_end == std::string_view::npos || get_int(header, "version") != k_version) {
    throw Error(ErrorCode::protocol, "an index of another version");
  }
  MirrorIndex index;
  index.identity = get_string(header, "identity");
  index.boot_id = get_string(header, "boot_id");
  protocol::OctetReader rest(text.substr(line_end + 1));
  index.list = rest.bytes(static_cast<std::size_t>(get_int(header, "list_bytes")));
  const auto count = static_cast<std::uint64_t>(get_int(header, "entries"));
  constexpr std::size_t k_mark = 17;
  index.marks = marks_from(protocol::OctetReader(rest.bytes(count * k_mark)), count);
  return index;
}

} // namespace

std::optional<MirrorIndex> load_mirror_index(const std::string& path) {
  const auto text = os::maybe_read_file(path, k_max_size);
  try {
    return text ? std::optional(index_from(*text)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt; // half written on a full disk: all is fetched again
  }
}

void save_mirror_index(const std::string& path, const MirrorIndex& index) {
  os::AtomicFile file(path);
  const Json header{
      {"version", k_version},
      {"identity", index.identity},
      {"boot_id", index.boot_id},
      {"list_bytes", index.list.size()},
      {"entries", index.marks.size()}};
  std::string marks;
  for (const auto& mark : index.marks) {
    protocol::put_number(marks, static_cast<std::uint8_t>(mark.in_doubt ? 1 : 0));
    protocol::put_number(marks, mark.inode);
    protocol::put_number(marks, mark.ctime_ns);
  }
  file.write(header.dump() + "\n");
  file.write(index.list);
  file.write(marks);
  file.commit(os::Durable::no);
}

} // namespace pyro::mirror

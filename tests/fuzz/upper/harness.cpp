// What a guest says of its writable layer: lists, and contents. The first byte chooses.
#include "../support/require.hpp"

#include <pyro/base/error.hpp>
#include <pyro/protocol/upper_content.hpp>
#include <pyro/protocol/upper_list.hpp>

#include <set>

namespace {

using namespace pyro;
using namespace pyro::protocol;

void read_list(std::string_view bytes) {
  std::string again;
  std::vector<UpperEntry> entries;
  std::set<std::string> paths;
  std::set<std::string> directories;
  UpperListReader reader(bytes, {500, 40});
  try {
    while (const auto entry = reader.next()) {
      const auto& path = reader.path();
      require(paths.insert(path).second, "no path twice");
      require(("/" + path + "/").find("/../") == std::string::npos, "no way up");
      require(path.find('\0') == std::string::npos && !path.starts_with("/"), "a relative path");
      if (entry->depth > 0) {
        const auto slash = path.rfind('/');
        require(
            directories.contains(slash == std::string::npos ? "" : path.substr(0, slash)),
            "its directory came before");
      }
      if (entry->kind == UpperEntry::Kind::directory) {
        directories.insert(path);
      }
      again += encode_upper_entry(*entry);
      entries.push_back(*entry);
      require(entry->depth <= 40 && paths.size() <= 500, "within the limits");
    }
    UpperListReader reread(again, {500, 40});
    for (const auto& entry : entries) {
      require(reread.next() == entry, "a list round trips");
    }
  } catch (const Error& error) {
    require(
        error.code() == ErrorCode::protocol || error.code() == ErrorCode::failed,
        "rubbish is a protocol error, too much a failure");
  }
}

struct Heard {
  std::string text;
  bool is_fine = true;

  bool operator==(const Heard&) const = default;
};

Heard read_content(std::string_view bytes, std::size_t step) {
  Heard heard;
  std::uint64_t left = 0;
  const auto take = [&](std::uint64_t length) {
    require(length <= left, "never more than announced");
    left -= length;
  };
  UpperContentDecoder decoder({
      [&](const UpperFile& file) {
        left = file.size;
        heard.text += file.is_there ? "F" : "G";
      },
      [&](std::string_view data) {
        take(data.size());
        heard.text += data;
      },
      [&](std::uint64_t length) {
        take(length);
        heard.text += "H";
      },
      [&](UpperChanged changed) {
        require(changed == UpperChanged::yes || left == 0, "all of it came");
        heard.text += "E";
      },
  });
  try {
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      decoder.feed(bytes.substr(at, step));
    }
  } catch (const Error& error) {
    require(error.code() == ErrorCode::protocol, "rubbish is a protocol error");
    heard.is_fine = false;
  }
  return heard;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    read_list(bytes);
  } else {
    require(read_content(bytes, 1) == read_content(bytes, 4096), "how it is cut does not matter");
  }
  return 0;
}

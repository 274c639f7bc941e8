// Tar archives built byte by byte, as no tar program would write them.
#pragma once

#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>

namespace pyro::os::testing {

struct Member {
  std::string name;
  char type = '0';
  std::string data = {};
  std::string link = {};
  unsigned mode = 0644;
  std::string size_field = {}; // verbatim, 12 bytes; empty: the true size in octal
  std::string mtime_field = {};
};

inline std::string padded(std::string data) {
  data.resize((data.size() + 511) / 512 * 512);
  return data;
}

/// One ustar header and its data.
inline std::string tar_member(const Member& member) {
  std::string header(512, '\0');
  auto put = [&](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, member.name.substr(0, 100));
  put(100, fmt::format("{:07o}", member.mode));
  put(108, "0000000");
  put(116, "0000000");
  put(124, member.size_field.empty() ? fmt::format("{:011o}", member.data.size()) : member.size_field);
  put(136, member.mtime_field.empty() ? "00000001750" : member.mtime_field);
  header[156] = member.type;
  put(157, member.link.substr(0, 100));
  put(257, std::string("ustar\0", 6) + "00");
  std::memset(header.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (char c : header) {
    sum += static_cast<unsigned char>(c);
  }
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header + padded(member.data);
}

/// A pax header with one record, for the member that follows.
inline std::string pax_record(const std::string& key, const std::string& value) {
  auto rest = " " + key + "=" + value + "\n";
  auto size = rest.size() + 1;
  while (std::to_string(size).size() + rest.size() != size) {
    ++size;
  }
  return std::to_string(size) + rest;
}

inline std::string pax_header(const std::string& records) {
  return tar_member({.name = "pax", .type = 'x', .data = records});
}

inline std::string end_mark() {
  return std::string(1024, '\0');
}

} // namespace pyro::os::testing

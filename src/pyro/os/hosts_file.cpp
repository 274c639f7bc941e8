#include "hosts_file.hpp"

#include "regular_file.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <sstream>
#include <vector>

namespace pyro::os {

namespace {

constexpr std::size_t k_most = 1 << 20;
constexpr std::string_view k_mark = " # the name of this sandbox, by pyro";
constexpr std::string_view k_service_mark = " # a service, by pyro";

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line.substr(0, line.find('#')));
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

} // namespace

std::optional<std::string> maybe_read_hosts(int root) {
  try {
    const auto file = maybe_open_regular_beneath(root, "etc/hosts");
    return file ? std::optional(read_all(file->get(), k_most)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt; // whatever it is: the environment's business
  }
}

std::string hosts_with_name(std::string_view own, const std::string& hostname) {
  bool has_localhost = false;
  bool has_name = false;
  std::string text;
  std::istringstream lines{std::string(own)};
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(k_mark)) {
      continue;
    }
    text += line + '\n';
    const auto words = words_of(line);
    const auto names = [&](const std::string& name) {
      return std::find(words.begin() + (words.empty() ? 0 : 1), words.end(), name) != words.end();
    };
    has_name = has_name || names(hostname);
    has_localhost = has_localhost || names("localhost");
  }
  if (!has_localhost) {
    text += "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  }
  if (!has_name && hostname != "localhost") {
    text += "127.0.0.1\t" + hostname + std::string(k_mark) + "\n";
  }
  return text;
}

bool is_hosts_with_name(std::string_view text) {
  return text.find(std::string(k_mark) + "\n") != std::string_view::npos;
}

std::string hosts_with_services(std::string_view text, const std::set<std::string>& services) {
  auto missing = services;
  std::string result;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(k_service_mark)) {
      continue;
    }
    result += line + '\n';
    for (const auto& word : words_of(line)) {
      missing.erase(word);
    }
  }
  for (const auto& name : missing) {
    result += "127.0.0.1\t" + name + std::string(k_service_mark) + "\n";
  }
  return result;
}

} // namespace pyro::os

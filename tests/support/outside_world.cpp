#include "outside_world.hpp"

#include <pyro/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace pyro::testing {

namespace {

void make_certificate(const fs::path& directory, const Json& names) {
  std::string alternatives = "IP:127.0.0.1";
  for (const auto& [name, addresses] : names.items()) {
    alternatives += ",DNS:" + name;
  }
  os::run_checked(
      {{"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
        "/CN=outside world", "-addext", "subjectAltName=" + alternatives, "-keyout",
        (directory / "key.pem").string(), "-out", (directory / "cert.pem").string()}});
}

} // namespace

OutsideWorld::OutsideWorld(
    const fs::path& directory, Json names, const std::vector<Server>& servers, int dns_port)
    : m_directory(directory) {
  fs::create_directories(directory);
  Json list = Json::array();
  for (const auto& server : servers) {
    list.push_back({{"kind", server.kind}, {"address", server.address}, {"port", server.port}});
    if (!server.root.empty()) {
      list.back()["root"] = server.root;
    }
    if (!server.authorization.empty()) {
      list.back()["authorization"] = server.authorization;
    }
    if (server.kind == "tls" && !fs::exists(certificate())) {
      make_certificate(directory, names);
    }
  }
  m_world = {{"names", std::move(names)}, {"dns", {"127.0.0.1", dns_port}}, {"servers", list}};
  write_file(directory / "world.json", m_world.dump());
  auto input = os::make_pipe();
  os::Command command{
      {"python3", (source_dir() / "tests/support/outside/servers.py").string(), directory.string()}};
  command.fds = {{0, input.read_end.get()}, {1, 1}, {2, 2}};
  command.die_with_parent = true;
  m_process = os::spawn(command);
  m_input = std::move(input.write_end);
  if (!eventually([&] { return fs::exists(directory / "ready.json"); })) {
    throw std::runtime_error("the servers of the outside world do not come up");
  }
  const auto ready = parse_json(read_file(directory / "ready.json"), "ready.json");
  m_dns_port = static_cast<int>(get_int(ready, "dns"));
  m_ports = value_at(ready, "ports").get<std::vector<int>>();
}

OutsideWorld::~OutsideWorld() {
  m_input.reset();
  std::ignore = m_process.wait();
}

std::string OutsideWorld::name_server() const {
  return fmt::format("127.0.0.1:{}", m_dns_port);
}

void OutsideWorld::set_names(const Json& names) {
  m_world["names"] = names;
  write_file(m_directory / "world.new", m_world.dump());
  fs::rename(m_directory / "world.new", m_directory / "world.json");
}

std::vector<Json> OutsideWorld::visits(const std::string& kind) const {
  std::vector<Json> found;
  const auto text = fs::exists(m_directory / "visits.jsonl") ? read_file(m_directory / "visits.jsonl") : "";
  for (const auto line : lines_of(text)) {
    auto visit = parse_json(std::string(line), "a visit");
    if (kind.empty() || get_string(visit, "kind") == kind) {
      found.push_back(std::move(visit));
    }
  }
  return found;
}

std::size_t OutsideWorld::count_of_visits() const {
  const auto all = visits("");
  std::set<std::string> names;
  const auto others = std::count_if(all.begin(), all.end(), [&](const Json& visit) {
    const bool is_name = get_string(visit, "kind") == "dns";
    if (is_name) {
      names.insert(get_string(visit, "name"));
    }
    return !is_name;
  });
  return static_cast<std::size_t>(others) + names.size();
}

} // namespace pyro::testing

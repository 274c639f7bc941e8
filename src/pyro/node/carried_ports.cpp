#include "carried_ports.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>

namespace pyro::node {

namespace {

constexpr std::size_t k_largest = 1U << 20U;

} // namespace

std::string carried_ports_path(const place::PlacedRecords& records, const place::Placed& placed) {
  return records.beside_record(placed, ".ports");
}

void save(const CarriedPorts& carried, const std::string& path) {
  const Json value{{"process", carried.process},       {"job_id", carried.job_id},
                   {"ports", carried.ports},           {"problems", carried.problems},
                   {"remembered", carried.remembered}, {"refused", carried.refused}};
  os::write_file_atomically(path, dump_json(value), 0600, os::Durable::no);
}

std::optional<CarriedPorts> maybe_load_carried(const std::string& path) {
  const auto text = os::maybe_read_file(path, k_largest);
  if (!text) {
    return std::nullopt;
  }
  try {
    const auto value = parse_json(*text, path);
    return CarriedPorts{get_int(value, "process"),     get_string(value, "job_id"),
                        value_at(value, "ports"),      value_at(value, "problems"),
                        value_at(value, "remembered"), value.value("refused", Json())};
  } catch (const Error&) { // not synced when the machine stopped: it is written anew
    return std::nullopt;
  }
}

bool is_same_publication(const Json& left, const Json& right) {
  return get_string(left, "service") == get_string(right, "service")
         && get_string(left, "address") == get_string(right, "address")
         && get_int(left, "port") == get_int(right, "port");
}

} // namespace pyro::node

#include "placed.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/random.hpp>

#include <algorithm>
#include <unistd.h>

namespace pyro::place {

namespace {

constexpr std::int64_t k_format = 1;
constexpr std::size_t k_largest = 4U << 20U;
constexpr std::string_view k_suffix = ".json";

} // namespace

Json to_json(const Placed& placed) {
  return {
      {"format", k_format},
      {"workspace_id", placed.workspace_id},
      {"name", placed.name},
      {"identity", placed.identity},
      {"checkout", placed.checkout},
      {"place", to_string(placed.place)},
      {"job_name", placed.job_name},
      {"job_id", placed.job_id},
      {"node", placed.node},
      {"submitted_at", placed.submitted_at},
      {"addresses", placed.addresses},
      {"last", placed.last},
      {"ended", placed.ended}};
}

Placed placed_from_json(const Json& value) {
  if (get_int(value, "format") != k_format) {
    throw Error(ErrorCode::bad_state, "a newer pyro wrote the record of a placed workspace");
  }
  Placed placed;
  placed.workspace_id = get_string(value, "workspace_id");
  placed.name = get_string(value, "name");
  placed.identity = get_string(value, "identity");
  placed.checkout = get_string(value, "checkout");
  placed.place = parse_place(get_string(value, "place"));
  placed.job_name = get_string(value, "job_name");
  placed.job_id = get_string(value, "job_id");
  placed.node = get_string(value, "node");
  placed.submitted_at = get_double(value, "submitted_at");
  placed.addresses = strings_or_empty(value, "addresses");
  placed.last = value.value("last", Json());
  placed.ended = value.value("ended", Json());
  return placed;
}

std::vector<Placed> PlacedRecords::all() const {
  std::vector<Placed> found;
  for (const auto& file : os::list_directory(m_directory)) {
    if (!file.ends_with(k_suffix)) {
      continue;
    }
    const auto path = m_directory + "/" + file;
    if (const auto text = os::maybe_read_file(path, k_largest)) { // removed meanwhile otherwise
      try {
        found.push_back(placed_from_json(parse_json(*text, path)));
      } catch (Error& error) {
        throw error.add_context(fmt::format("while reading {}", path));
      }
      found.back().key = file.substr(0, file.size() - k_suffix.size());
    }
  }
  std::sort(found.begin(), found.end(), [](const Placed& left, const Placed& right) {
    return left.submitted_at < right.submitted_at;
  });
  return found;
}

std::optional<Placed> PlacedRecords::of_identity(const std::string& identity) const {
  for (auto& placed : all()) {
    if (placed.identity == identity) {
      return std::move(placed);
    }
  }
  return std::nullopt;
}

std::optional<Placed> PlacedRecords::of_key(const std::string& key) const {
  for (auto& placed : all()) {
    if (placed.key == key) {
      return std::move(placed);
    }
  }
  return std::nullopt;
}

std::string PlacedRecords::beside_record(const Placed& placed, std::string_view suffix) const {
  return m_directory + "/" + placed.key + std::string(suffix);
}

std::optional<Placed> PlacedRecords::named(const std::string& wanted) const {
  std::vector<Placed> found;
  for (auto& placed : all()) {
    if (placed.workspace_id == wanted && !wanted.empty()) {
      return std::move(placed);
    }
    if (placed.name == wanted || (!placed.workspace_id.empty() && placed.workspace_id.starts_with(wanted))) {
      found.push_back(std::move(placed));
    }
  }
  if (found.size() > 1) {
    throw Error(ErrorCode::invalid_argument, "'{}' is several workspaces", wanted)
        .with_hint("`pyro ls` shows their ids");
  }
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<Placed> PlacedRecords::beside(const Placed& placed) const {
  std::vector<Placed> others;
  for (auto& other : all()) {
    if (other.key != placed.key && other.job_name == placed.job_name) {
      others.push_back(std::move(other));
    }
  }
  return others;
}

void PlacedRecords::save(Placed& placed) const {
  constexpr std::size_t k_key_bytes = 8;
  if (placed.key.empty()) {
    placed.key = os::random_hex(k_key_bytes);
  }
  os::make_directories(m_directory);
  os::write_file_atomically(beside_record(placed, k_suffix), dump_json(to_json(placed)));
}

void PlacedRecords::remove(const Placed& placed) const {
  for (const auto& name : os::list_directory(m_directory)) {
    if (name.starts_with(placed.key + ".")) {
      os::remove_tree(m_directory + "/" + name);
    }
  }
  for (const auto& name : os::list_directory(m_directory)) {
    if (name.ends_with(k_suffix)) {
      return;
    }
  }
  os::remove_tree(m_directory);
}

} // namespace pyro::place

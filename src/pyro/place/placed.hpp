// What this machine knows of workspaces that live elsewhere: which lease they have, and what was last told of
// them. One file each below <base>/placed, always written whole. What is in them is known where they live.
#pragma once

#include "place.hpp"

#include <pyro/base/json_access.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::place {

struct Placed {
  std::string key;          // of the file; made by save() where empty
  std::string workspace_id; // empty: nothing is there yet
  std::string name;
  std::string identity; // by which apply finds it again; empty of a fork
  std::string checkout;
  Place place;
  std::string job_name; // written before the job is submitted: what was killed between is found by it
  std::string job_id;   // empty: see job_name
  std::string node;     // empty: not known yet
  double submitted_at = 0;
  std::vector<std::string> addresses; // of this machine, at which its file publishes ports
  Json last;                          // its entry of `list`, as it was last told; null: never
  Json ended; // how its lease ended: {"state", "reason", "node", "at"}; null: it has not, as far as we know
};

class PlacedRecords {
public:
  /// `base` is the state directory.
  explicit PlacedRecords(const std::string& base) : m_base(base), m_directory(base + "/placed") {}

  const std::string& base() const { return m_base; }

  const std::string& directory() const { return m_directory; }

  /// All that can be read, the oldest first.
  std::vector<Placed> all() const;
  /// nullopt: there is none for that project.
  std::optional<Placed> of_identity(const std::string& identity) const;
  /// By id, unique prefix of an id, or name. nullopt: none; Error(invalid_argument) for several.
  std::optional<Placed> named(const std::string& wanted) const;
  std::optional<Placed> of_key(const std::string& key) const;
  /// Other workspaces on the same lease.
  std::vector<Placed> beside(const Placed& placed) const;

  void save(Placed& placed) const;
  /// With what lies beside the record.
  void remove(const Placed& placed) const;
  /// A file beside the record of one that was saved; `suffix` is none of a record's.
  std::string beside_record(const Placed& placed, std::string_view suffix) const;

private:
  std::string m_base;
  std::string m_directory;
};

Json to_json(const Placed& placed);
Placed placed_from_json(const Json& value);

} // namespace pyro::place

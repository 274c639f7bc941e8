// What the records of workspaces refer to, for a collection. What only the recipe cache refers to:
// gc_recipes.hpp.
#pragma once

#include "gc.hpp"
#include "layers.hpp"

#include <set>
#include <string>
#include <vector>

namespace pyro::store {

/// What is needed, and who is first to need it: each layer is counted once.
class References {
public:
  explicit References(const LayerStore& layers) : m_layers(layers) {}

  /// Everything that workspaces, their snapshots and undo points refer to, but for those of the ids in
  /// `without`.
  void add_workspaces(const std::set<std::string>& without);

  /// Layers on behalf of a holder; with the same kind, name and id as before they are added to that one.
  void add(GcHolding holder, const std::vector<HexDigest>& layers);

  bool has(const HexDigest& layer) const { return m_used.contains(layer); }

  bool has_key(const std::string& recipe) const { return m_keys.contains(recipe); }

  /// False where not all references are known: then no layer may be removed. Why is in problems().
  bool complete() const { return m_problems.empty(); }

  const std::vector<std::string>& problems() const { return m_problems; }

  const std::vector<GcHolding>& holdings() const { return m_holdings; }

private:
  const LayerStore& m_layers;
  std::set<HexDigest> m_used;
  std::set<std::string> m_keys; // of recipes that workspaces were made by
  std::vector<GcHolding> m_holdings;
  std::vector<std::string> m_problems;
};

} // namespace pyro::store

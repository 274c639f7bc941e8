// Guests that were saved when their agent was ready: a cache. A template is found by a key over everything
// it depends on, made under a lock and published by a rename.
#pragma once

#include "saved_guest.hpp"

#include <pyro/os/file_lock.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace pyro::backend::qemu {

using Template = SavedGuest;

class Templates {
public:
  Templates(std::string directory, std::int64_t budget_bytes);

  /// Are any to be made and used?
  bool enabled() const { return m_budget > 0; }

  /// Intact, or nullopt; a damaged one is removed and told in `note`.
  std::optional<Template> find(const HexDigest& key, std::string& note) const;

  /// The template, made by `make` in the directory it gets where it is missing. Others who want the same one
  /// wait. Afterwards those used longest ago are removed until all fit into the budget.
  Template
  ensure(const HexDigest& key, const std::function<void(const Template&)>& make, std::string& note) const;

  void remove(const HexDigest& key) const;

private:
  void publish(const Template& made, const HexDigest& key) const;
  void keep_within_budget(const HexDigest& newest) const;

  std::string path_of(const HexDigest& key) const { return m_directory + "/" + key; }

  std::string m_directory;
  std::int64_t m_budget;
};

} // namespace pyro::backend::qemu

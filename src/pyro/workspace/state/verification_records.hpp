// What `verify` found, kept per project (its name and checkout) for status and why. The newest of them stay.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/store/layout.hpp>

#include <string>

namespace pyro::workspace {

class VerificationRecords {
public:
  explicit VerificationRecords(const store::Base& base) : m_directory(base.verified()) {}

  /// Replaces the one before; of all projects together the newest 100 stay.
  void keep(const std::string& identity, const Json& document) const;

  /// Null: there is none that can be read.
  Json find(const std::string& identity) const;

private:
  std::string path_of(const std::string& identity) const { return m_directory + "/" + identity + ".json"; }

  std::string m_directory;
};

} // namespace pyro::workspace

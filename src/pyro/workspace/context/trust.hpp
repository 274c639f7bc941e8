// What somebody agreed that checkouts may take from this machine: one record per checkout, below the state
// directory, never in the checkout. An agreement holds for exactly one list (host_requests.hpp) and for that
// directory: its path, its inode and when that was made, so that another clone at the same place is asked
// about again, also where the file system gave it the number of the one before.
#pragma once

#include "host_requests.hpp"

#include <pyro/store/layout.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

struct Agreement {
  HexDigest digest; // of the list
  std::string file; // that it was read from; "" is none
  std::string profile;
  HostRequests requests;
  double agreed_at = 0;
};

/// Which directory it is that lies at a path.
struct CheckoutIdentity {
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0; // 0: this file system does not say

  bool operator==(const CheckoutIdentity&) const = default;
};

struct CheckoutTrust {
  std::string checkout;
  CheckoutIdentity identity;
  std::vector<Agreement> agreements; // oldest first
};

/// Of a file with a profile: each has a list of its own.
struct TrustSubject {
  std::string checkout; // canonical
  std::string file;     // absolute
  std::string profile;
};

class TrustRecords {
public:
  explicit TrustRecords(store::Base base) : m_base(std::move(base)) {}

  bool holds(const std::string& checkout, const HostRequests& requests) const;
  /// The last list that was agreed to for this file and profile, else for another one of the checkout; empty:
  /// none.
  HostRequests last_agreed(const TrustSubject& subject) const;
  /// Durable when it returns. The oldest go where there are too many.
  void agree(const TrustSubject& subject, const HostRequests& requests) const;
  /// All that can be read, by checkout; names of the others go to `damaged`.
  std::vector<CheckoutTrust> list(std::vector<std::string>& damaged) const;
  /// False: there is none for it.
  bool remove(const std::string& checkout) const;

private:
  std::string directory() const { return m_base.root() + "/trust"; }

  std::string path_of(const std::string& checkout) const;
  /// nullopt: nobody agreed to anything there, or to another directory that was there once.
  std::optional<CheckoutTrust> find(const std::string& checkout) const;

  store::Base m_base;
};

} // namespace pyro::workspace

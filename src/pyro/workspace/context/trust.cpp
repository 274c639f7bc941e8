#include "trust.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/store/records.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <fcntl.h>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_most_agreements = 16;
constexpr std::size_t k_most_trust_bytes = 16 << 20;
constexpr std::chrono::seconds k_trust_patience{30};

/// nullopt: the directory is gone.
std::optional<CheckoutIdentity> identity_of_checkout(const std::string& directory) {
  struct statx status {};

  if (::statx(AT_FDCWD, directory.c_str(), 0, STATX_INO | STATX_BTIME, &status) != 0) {
    return std::nullopt;
  }
  CheckoutIdentity identity{status.stx_ino, 0};
  if ((status.stx_mask & STATX_BTIME) != 0) {
    identity.born_ns = status.stx_btime.tv_sec * 1'000'000'000 + status.stx_btime.tv_nsec;
  }
  return identity;
}

Json to_json(const CheckoutTrust& trust) {
  Json agreements = Json::array();
  for (const auto& agreement : trust.agreements) {
    agreements.push_back(
        {{"digest", agreement.digest},
         {"file", agreement.file},
         {"profile", agreement.profile},
         {"requests", to_json(agreement.requests)},
         {"agreed_at", agreement.agreed_at}});
  }
  return {
      {"layout_version", store::k_layout_version},
      {"checkout", trust.checkout},
      {"inode", trust.identity.inode},
      {"born_ns", trust.identity.born_ns},
      {"agreements", agreements}};
}

CheckoutTrust read_trust_record(const std::string& path, const std::string& text) {
  const auto document = parse_json(text, path);
  store::check_layout_version(document, path);
  CheckoutTrust trust;
  trust.checkout = get_string(document, "checkout");
  trust.identity = {static_cast<std::uint64_t>(get_int(document, "inode")), int_or(document, "born_ns", 0)};
  for (const auto& item : value_at(document, "agreements")) {
    trust.agreements.push_back(
        {get_string(item, "digest"), get_string(item, "file"), get_string(item, "profile"),
         host_requests_from_json(value_at(item, "requests")), get_double(item, "agreed_at")});
  }
  return trust;
}

} // namespace

std::string TrustRecords::path_of(const std::string& checkout) const {
  return fmt::format("{}/{}.json", directory(), sha256_of(checkout).substr(0, 32));
}

std::optional<CheckoutTrust> TrustRecords::find(const std::string& checkout) const {
  const auto path = path_of(checkout);
  const auto text = os::maybe_read_file(path, k_most_trust_bytes);
  if (!text) {
    return std::nullopt;
  }
  try {
    auto trust = read_trust_record(path, *text);
    const bool is_it = trust.checkout == checkout && identity_of_checkout(checkout) == trust.identity;
    return is_it ? std::optional(std::move(trust)) : std::nullopt;
  } catch (Error& error) {
    throw error.with_hint("`pyro trust rm` removes the record; the next `pyro trust` makes another");
  }
}

bool TrustRecords::holds(const std::string& checkout, const HostRequests& requests) const {
  const auto trust = find(checkout);
  const auto digest = digest_of(requests);
  return trust && std::any_of(trust->agreements.begin(), trust->agreements.end(), [&](const auto& agreement) {
           return agreement.digest == digest;
         });
}

HostRequests TrustRecords::last_agreed(const TrustSubject& subject) const {
  const auto trust = find(subject.checkout);
  const Agreement* last = nullptr;
  const auto is_same = [&](const Agreement& agreement) {
    return agreement.file == subject.file && agreement.profile == subject.profile;
  };
  if (trust) {
    for (const auto& agreement : trust->agreements) {
      if (last == nullptr || is_same(agreement) || !is_same(*last)) {
        last = &agreement;
      }
    }
  }
  return last == nullptr ? HostRequests{} : last->requests;
}

void TrustRecords::agree(const TrustSubject& subject, const HostRequests& requests) const {
  const auto identity = identity_of_checkout(subject.checkout);
  if (!identity) {
    throw Error(ErrorCode::input_missing, "there is no directory {}", subject.checkout);
  }
  m_base.prepare();
  os::make_directories(directory(), 0700);
  const os::ExclusiveLock lock(directory() + "/lock", "trust", k_trust_patience);
  auto trust = find(subject.checkout).value_or(CheckoutTrust{subject.checkout, *identity, {}});
  Agreement agreement{digest_of(requests), subject.file, subject.profile, requests, os::now_epoch()};
  std::erase_if(trust.agreements, [&](const auto& known) { return known.digest == agreement.digest; });
  trust.agreements.push_back(std::move(agreement));
  auto text = dump_json(to_json(trust));
  while (trust.agreements.size() > 1
         && (trust.agreements.size() > k_most_agreements || text.size() > k_most_trust_bytes)) {
    trust.agreements.erase(trust.agreements.begin());
    text = dump_json(to_json(trust));
  }
  os::write_file_atomically(path_of(subject.checkout), text);
}

std::vector<CheckoutTrust> TrustRecords::list(std::vector<std::string>& damaged) const {
  std::vector<CheckoutTrust> all;
  for (const auto& name : os::list_directory(directory())) {
    const auto path = directory() + "/" + name;
    if (name.front() == '.' || !name.ends_with(".json")) {
      continue;
    }
    try {
      if (const auto text = os::maybe_read_file(path, k_most_trust_bytes)) {
        all.push_back(read_trust_record(path, *text));
      }
    } catch (const Error&) {
      damaged.push_back(path);
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return one.checkout < other.checkout;
  });
  return all;
}

bool TrustRecords::remove(const std::string& checkout) const {
  const auto path = path_of(checkout);
  if (!os::exists(path)) {
    return false;
  }
  const os::ExclusiveLock lock(directory() + "/lock", "trust", k_trust_patience);
  os::remove_tree(path);
  os::sync_directory(directory());
  return true;
}

} // namespace pyro::workspace

#include "verification_records.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <algorithm>
#include <filesystem>
#include <vector>

namespace pyro::workspace {

void VerificationRecords::keep(const std::string& identity, const Json& document) const {
  constexpr std::size_t k_most = 100;
  namespace fs = std::filesystem;
  store::prepare_private_directory(m_directory);
  os::write_json_atomically(path_of(identity), document);
  os::remove_old_temporaries(m_directory);
  std::vector<std::pair<fs::file_time_type, fs::path>> all;
  for (const auto& entry : fs::directory_iterator(m_directory)) {
    std::error_code gone; // somebody else removes the old ones as well
    const auto time = entry.last_write_time(gone);
    if (!gone && entry.path().extension() == ".json") {
      all.emplace_back(time, entry.path());
    }
  }
  std::sort(all.rbegin(), all.rend());
  for (std::size_t index = k_most; index < all.size(); ++index) {
    std::error_code gone;
    fs::remove(all[index].second, gone);
  }
}

Json VerificationRecords::find(const std::string& identity) const {
  if (!store::is_safe_name(identity)) {
    return nullptr;
  }
  try {
    const auto text = os::maybe_read_file(path_of(identity));
    auto document = text ? parse_json(*text, "what verify found") : Json();
    return document.is_object() && document.value("links", Json()).is_object() ? document : Json();
  } catch (const Error&) {
    return nullptr; // it is only for people
  }
}

} // namespace pyro::workspace

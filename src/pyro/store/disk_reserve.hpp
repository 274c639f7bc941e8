// Space that the base directory keeps for the moment when there is none left: what frees space needs a little
// first (a journal, a record, the files of a sandbox that starts).
#pragma once

#include <pyro/os/fd.hpp>

#include <string>

namespace pyro::store {

class Base;

/// Makes the reserve as large as it should be, or as large as there is room for. Not while it is lent.
void keep_reserve(const std::string& path);

/// Where the disk is full, gives the reserve back to the file system for as long as it lives; afterwards as
/// much of it is kept again as there is room for. One that is killed leaves that to the next command.
class LentReserve {
public:
  /// Prepares the base as well.
  explicit LentReserve(const Base& base);
  ~LentReserve();
  LentReserve(const LentReserve&) = delete;
  LentReserve& operator=(const LentReserve&) = delete;

private:
  std::string m_path;
  os::Fd m_lent; // shared lock: nobody keeps it again meanwhile
};

} // namespace pyro::store

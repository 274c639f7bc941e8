// Reading files that others may have put there: a regular file or an error, whatever has taken its place. A
// FIFO never holds us up, a device is never opened. For whole small files use read_file() (fd.hpp).
#pragma once

#include "fd.hpp"

#include <pyro/base/sha256.hpp>

#include <optional>
#include <string>

namespace pyro::os {

/// "a FIFO", "a directory", ...
const char* name_of_type(mode_t mode);

/// Error(invalid_argument) naming what an open descriptor is instead of a regular file.
void require_regular(int fd, const std::string& path);

/// For reading. nullopt where there is no such file; Error(invalid_argument) naming what is there instead of
/// a regular file. Symlinks are followed: opened is what they lead to.
std::optional<Fd> maybe_open_regular(const std::string& path);
Fd open_regular(const std::string& path);

/// Opens for reading what an O_PATH descriptor stands for; `path` is for messages.
Fd reopen_regular(const Fd& place, const std::string& path);

/// The same beneath `directory`, which is never left, without following symlinks: nullopt where it is not
/// there or a symlink is in the way.
std::optional<Fd> maybe_open_regular_beneath(int directory, const std::string& path);

/// Of all that is read from where the descriptor stands to its end. Stops where the caller is interrupted.
HexDigest digest_of_rest(int fd);

} // namespace pyro::os

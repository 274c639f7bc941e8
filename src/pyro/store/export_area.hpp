// Where an output that a user named is put together: a fresh directory of our own beside it, reached by
// descriptor alone. Whoever else may write there can plant names and rename ours, and gains nothing by it: no
// name is ever followed. A note in the state directory lets a later command find what a killed one left.
#pragma once

#include <pyro/os/fd.hpp>

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::store {

/// One file or directory for good, whatever its name is by now.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  bool operator==(const FileIdentity&) const = default;
};

class ExportArea {
public:
  /// `output` is absolute and normal; `notes` is the directory of the notes (Base::exports()). Throws
  /// `output_path already exists`, and Error(input_missing) where its directory is not there.
  ExportArea(const std::string& output, const std::string& notes);
  /// Removes the directory with what is still in it.
  ~ExportArea();
  ExportArea(const ExportArea&) = delete;
  ExportArea& operator=(const ExportArea&) = delete;

  int directory() const { return m_area.get(); }

  /// For those who want a path: it leads here whatever happens to names. For this process and its children.
  std::string path() const;

  /// Moves an entry of the directory to the output, which must not be there.
  FileIdentity place(const std::string& name);

private:
  std::string m_output;
  os::Fd m_parent;
  std::string m_name; // in the parent
  std::string m_note;
  os::Fd m_area; // locked as long as we live
};

/// Removes what killed exports left, wherever that is. What cannot be reached now is left for another time.
void remove_abandoned_exports(const std::string& notes);

/// Removes an output of ours, if it still is the one we placed.
void remove_placed(const std::string& output, const FileIdentity& placed);

} // namespace pyro::store

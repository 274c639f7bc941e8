// What commands wrote beyond what their answer and the log show, in <base>/outputs/: files of its own that
// outlive the command, its caller and its sandbox, until a day or the room for all of them is over. A cursor
// says where to go on reading: "<32 hex digits>.stdout.<offset>".
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/store/layout.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace pyro::workspace {

enum class OutputStream { out, err };

/// The output of one command on its way into files. Nothing is written as long as a stream fits into what is
/// shown; what does not fit on the disk is not kept, and that is no failure of the command.
class OutputKeeper {
public:
  /// Of a stream with more than `shown` bytes all is kept, up to a bound.
  OutputKeeper(const store::Base& base, std::size_t shown);
  /// Removes what was not taken by id().
  ~OutputKeeper();
  OutputKeeper(const OutputKeeper&) = delete;
  OutputKeeper& operator=(const OutputKeeper&) = delete;

  void add(OutputStream stream, std::string_view bytes);

  /// The end of both: what is kept stays from now on, under this id. Empty: nothing is.
  std::string finish();

private:
  struct Part {
    std::string begin; // as long as it fits
    os::Fd file;
    std::uint64_t size = 0;
    std::uint64_t left_out = 0;
  };

  void open(OutputStream stream);
  void give_up();

  const store::Base m_base;
  const std::string m_directory;
  std::string m_id;
  std::size_t m_shown;
  std::array<Part, 2> m_parts;
  bool m_is_kept = false;
  bool m_has_failed = false;
};

/// null: nothing of that stream is kept, or not any more.
Json output_cursor(const store::Base& base, const std::string& id, OutputStream stream, std::uint64_t offset);

/// {"text", "next_cursor": null at the end}: what is there from the cursor on, some of it, in whole
/// characters. Error(invalid_argument) for what is no cursor, Error(not_found) for output that is gone.
Json read_kept_output(const store::Base& base, const std::string& cursor);

enum class OutputRetention { by_age, none };

/// Removes what is kept for longer than a day or beyond the room for all; with `none` everything. Bytes that
/// were freed.
std::uint64_t remove_kept_output(const store::Base& base, OutputRetention retention);

} // namespace pyro::workspace

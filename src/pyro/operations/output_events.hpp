// What a command writes as events, while it writes it: kind "stdout" or "stderr" (of logs: "log"), the text,
// and where its bytes are not UTF-8, data {"base64": …}: all bytes of this event, while `text` has U+FFFD for
// those that are none.
#pragma once

#include <pyro/workspace/context/settings.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace pyro::operations {

/// One stream of one command. A character is never cut in two: what is not whole yet waits for the next
/// piece.
class OutputEvents {
public:
  OutputEvents(std::string kind, std::function<void(const workspace::Event&)> sink);

  /// The next bytes; none at the end.
  void add(std::string_view piece);

private:
  std::string m_kind;
  std::function<void(const workspace::Event&)> m_sink;
  std::string m_rest; // the beginning of a character
};

/// An event for these bytes.
workspace::Event output_event(std::string kind, std::string address, std::string_view bytes);

} // namespace pyro::operations

// One request of a client and its answer, which may come later, from any thread: whole, or as a stream.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pyro::http_server {

struct HttpRequest {
  std::string method; // "POST"
  std::string path;   // "/mcp", without a query
  /// By their names in lower case. The values of one that is repeated are joined by ", ".
  std::map<std::string, std::string> fields;
  std::string body;

  std::optional<std::string> field(const std::string& name) const;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 200;
  Fields fields;
  std::string body;
};

/// Made by the server; whoever answers holds it as long as it likes. What is said to a client that has gone
/// is dropped.
class Exchange {
public:
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const HttpRequest& request() const { return m_request; }

  /// The whole answer. What comes after it, or after begin_stream(), is dropped.
  void answer(Answer answer);

  /// An answer that comes bit by bit; `filler` is sent at its begin, and whenever nothing else was for a
  /// while.
  void begin_stream(Answer head, std::string filler);
  void write(std::string_view bytes);
  void end_stream();

  /// Called once where the client goes before it has its answer, by a thread of the server; at once where it
  /// has gone.
  void when_gone(std::function<void()> callback);

  /// What a client has not taken yet.
  std::size_t waiting_bytes() const;
  bool is_streaming() const;

protected:
  enum class Phase { open, whole, streaming, ended };

  explicit Exchange(HttpRequest request) : m_request(std::move(request)) {}

  /// Called with the mutex held after something is there to be sent.
  virtual void wake() = 0;

  HttpRequest m_request;
  mutable std::mutex m_mutex; // for all below
  Phase m_phase = Phase::open;
  bool m_is_gone = false; // the client
  Answer m_answer;
  std::string m_filler;
  std::string m_unsent;
  std::function<void()> m_when_gone;
};

} // namespace pyro::http_server

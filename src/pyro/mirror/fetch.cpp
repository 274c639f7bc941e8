#include "fetch.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/os/clock.hpp>

namespace pyro::mirror {

namespace {

using protocol::Call;
using protocol::FrameType;

/// A call that streams data to us, to its end; `more` is asked for input whenever there is room.
class Streaming {
public:
  Streaming(backend::ControlClient& client, const MirrorOptions& options)
      : m_client(client), m_patience(options.patience) {}

  /// What the call would still tell is told to nobody.
  ~Streaming() {
    if (m_call) {
      m_call->cancel();
    }
  }

  Streaming(const Streaming&) = delete;
  Streaming& operator=(const Streaming&) = delete;

  Json
  run(const std::string& path, const std::function<void(std::string_view bytes)>& take,
      const std::function<void(Call& call)>& more) {
    protocol::CallEvents events;
    events.on_data = [&](FrameType, std::string_view bytes) {
      m_heard = os::now_monotonic();
      take(bytes);
      m_call->consume(bytes.size());
    };
    events.on_writable = [&] {
      more(*m_call);
    };
    events.on_result = [&](const Json& value) {
      m_result = value;
    };
    events.on_failure = [&](const Error& error) {
      m_failure = error;
    };
    m_heard = os::now_monotonic();
    m_call = m_client.open(path, Json::object(), std::move(events));
    more(*m_call);
    wait(path);
    return *m_result;
  }

private:
  void wait(const std::string& path) {
    while (!m_result && !m_failure) {
      const auto left = m_heard + m_patience - os::now_monotonic();
      if (left.count() <= 0 || interruption_wanted()) {
        m_call->cancel();
        check_interruption();
        throw Error(
            ErrorCode::timeout, "the agent sent nothing for {} s after {}", m_patience.count() / 1000, path);
      }
      m_client.loop().turn(std::min(left, std::chrono::milliseconds(200)));
    }
    if (m_failure) {
      throw *m_failure;
    }
  }

  backend::ControlClient& m_client;
  std::chrono::milliseconds m_patience;
  std::chrono::milliseconds m_heard{0};
  std::shared_ptr<Call> m_call;
  std::optional<Json> m_result;
  std::optional<Error> m_failure;
};

} // namespace

UpperList fetch_upper_list(backend::ControlClient& client, const MirrorOptions& options) {
  UpperList list;
  const auto take = [&](std::string_view bytes) {
    if (list.records.size() + bytes.size() > options.list_bytes) {
      throw Error(
          ErrorCode::failed, "the list of the writable layer is larger than {} bytes", options.list_bytes);
    }
    list.records += bytes;
  };
  const auto path = options.agent + std::string(protocol::path::k_upper_list);
  const auto result = Streaming(client, options).run(path, take, [](Call&) {});
  list.result = protocol::upper_list_result_from_json(result);
  return list;
}

void fetch_upper_files(
    backend::ControlClient& client, const MirrorOptions& options, const std::vector<std::string>& paths,
    protocol::UpperContentDecoder::Sink sink) {
  std::size_t begun = 0;
  const auto count_file = [&, file = std::move(sink.file)](const protocol::UpperFile& found) {
    if (++begun > paths.size()) {
      throw Error(ErrorCode::protocol, "content of the writable layer: more files than were asked for");
    }
    file(found);
  };
  sink.file = count_file;
  protocol::UpperContentDecoder decoder(std::move(sink));
  std::size_t asked = 0;
  bool ended = false;
  const auto more = [&](Call& call) {
    while (asked < paths.size() && !call.is_full()) {
      call.send(FrameType::data_in, protocol::encode_upper_path(paths[asked++]));
    }
    if (asked == paths.size() && !ended) {
      ended = true;
      call.end_in();
    }
  };
  const auto path = options.agent + std::string(protocol::path::k_upper_read);
  Streaming(client, options)
      .run(
          path, [&](std::string_view bytes) { decoder.feed(bytes); }, more);
  if (begun != paths.size() || !decoder.at_boundary()) {
    throw Error(ErrorCode::protocol, "content of the writable layer: fewer files than were asked for");
  }
}

} // namespace pyro::mirror

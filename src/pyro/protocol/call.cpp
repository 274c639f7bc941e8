#include "call.hpp"

#include <utility>

namespace pyro::protocol {

namespace {

std::string text_of(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

bool Call::send(const Json& message) {
  if (m_over) {
    return true;
  }
  return m_stream.send(encode_frame(FrameType::json, text_of(message)));
}

bool Call::send(FrameType type, std::string_view bytes) {
  if (m_over) {
    return true;
  }
  while (!bytes.empty()) {
    m_stream.send(encode_frame(type, bytes.substr(0, k_max_data)));
    bytes.remove_prefix(std::min(bytes.size(), k_max_data));
  }
  return !is_full();
}

void Call::end_in() {
  if (!m_over) {
    m_stream.send(encode_frame(FrameType::end_in, {}));
  }
}

void Call::answer(FrameType type, const std::string& text) {
  if (m_over) {
    return;
  }
  auto frame = encode_frame(type, text); // throws before anything has changed
  m_over = true;
  m_stream.send(frame);
  m_stream.finish();
  m_events = std::make_shared<CallEvents>();
}

void Call::finish(const Json& result) {
  answer(FrameType::result, text_of(result));
}

void Call::fail(const Error& error) {
  auto text = text_of(to_json(error));
  if (text.size() > k_max_json) {
    Error shorter(error.code(), "{}", error.message().substr(0, 4096));
    text = text_of(to_json(shorter));
  }
  answer(FrameType::failure, text);
}

void Call::cancel() {
  m_over = true;
  m_stream.cancel();
  m_events = std::make_shared<CallEvents>();
}

StreamEvents Call::stream_events() {
  auto self = shared_from_this();
  auto decoder = std::make_shared<FrameDecoder>(
      [call = this](FrameType type, std::string_view payload) { call->on_frame(type, payload); },
      m_role == Role::server ? k_max_request : k_max_json);
  m_decoder = decoder;
  StreamEvents events;
  events.on_data = [self](std::string_view bytes) {
    self->receive(bytes);
  };
  events.on_end = [self] {
    self->on_end();
  };
  events.on_close = [self](CloseReason reason) {
    self->on_close(reason);
  };
  events.on_writable = [self] {
    auto keep = self->m_events;
    if (!self->m_over && keep->on_writable) {
      keep->on_writable();
    }
  };
  return events;
}

void Call::receive(std::string_view bytes) {
  m_kept_bytes = 0;
  try {
    if (!m_over) {
      auto decoder = m_decoder;
      decoder->feed(bytes);
    }
  } catch (const Error& error) {
    deliver_failure(error);
  }
  m_stream.consume(bytes.size() - m_kept_bytes);
}

void Call::deliver_failure(const Error& error) {
  if (m_over) {
    return;
  }
  if (m_role == Role::server) {
    auto keep = m_events;
    fail(error);
    if (keep->on_gone) {
      keep->on_gone(); // the user did not answer: what was begun for this call has to end
    }
    return;
  }
  auto keep = m_events;
  cancel();
  if (keep->on_failure) {
    keep->on_failure(error);
  }
}

void Call::on_frame(FrameType type, std::string_view payload) {
  if (m_over) {
    return;
  }
  auto keep = m_events;
  bool server = m_role == Role::server;
  if (server && m_starter) {
    if (type != FrameType::json) {
      throw Error(ErrorCode::protocol, "the first frame of a call is not its request");
    }
    auto starter = std::exchange(m_starter, nullptr);
    starter(parse_json(payload, "request of " + m_path));
    return;
  }
  if (is_data(type)) {
    if (keep->on_data) {
      m_kept_bytes += payload.size();
      keep->on_data(type, payload);
    }
  } else if (type == FrameType::json) {
    if (keep->on_message) {
      keep->on_message(parse_json(payload, "message of " + m_path));
    }
  } else if (server && type == FrameType::end_in) {
    end_input();
  } else if (!server && type == FrameType::result) {
    auto result = parse_json(payload, "answer of " + m_path);
    cancel();
    if (keep->on_result) {
      keep->on_result(result);
    }
  } else if (!server && type == FrameType::failure) {
    auto value = parse_json(payload, "answer of " + m_path);
    deliver_failure(error_from_json(value));
  } else {
    throw Error(ErrorCode::protocol, "a frame of type {} in the wrong direction", static_cast<int>(type));
  }
}

void Call::end_input() {
  if (m_input_ended) {
    return;
  }
  m_input_ended = true;
  auto keep = m_events;
  if (keep->on_end_in) {
    keep->on_end_in();
  }
}

void Call::on_end() {
  if (m_over) {
    return;
  }
  if (m_role == Role::client || m_starter || !m_decoder->at_boundary()) {
    deliver_failure(Error(ErrorCode::protocol, "{}: the other side stopped in the middle", m_path));
  } else {
    try {
      end_input();
    } catch (const Error& error) {
      deliver_failure(error);
    }
  }
}

void Call::on_close(CloseReason reason) {
  if (m_over) {
    return;
  }
  m_over = true;
  auto keep = std::exchange(m_events, std::make_shared<CallEvents>());
  if (m_role == Role::server) {
    if (keep->on_gone) {
      keep->on_gone();
    }
  } else if (const auto& tell = keep->on_lost ? keep->on_lost : keep->on_failure) {
    auto why = reason == CloseReason::lost ? "the connection was lost" : "the other side gave up";
    tell(Error(ErrorCode::unavailable, "{}: {}", m_path, why));
  }
}

std::shared_ptr<Call>
open_call(Session& session, const std::string& path, const Json& request, CallEvents events) {
  const auto text = text_of(request);
  if (text.size() > k_max_request) {
    throw Error(
        ErrorCode::invalid_argument, "what is sent for {} is too large: {} bytes of {}", path, text.size(),
        k_max_request);
  }
  const auto first = encode_frame(FrameType::json, text, k_max_request);
  auto call = std::make_shared<Call>(Role::client, path);
  call->set_events(std::move(events));
  call->m_stream = session.open(path, call->stream_events());
  call->m_stream.send(first);
  return call;
}

void Router::add(const std::string& path, Handler handler) {
  m_handlers[path] = std::move(handler);
}

void Router::add_prefix(const std::string& prefix, Session::RequestHandler handler) {
  m_prefixes[prefix] = std::move(handler);
}

void Router::attach(Session& session) {
  session.on_request([this](const Stream& stream, const std::string& path) { return accept(stream, path); });
}

StreamEvents Router::accept(const Stream& stream, const std::string& path) {
  auto call = std::make_shared<Call>(Role::server, path);
  call->m_stream = stream;
  auto events = call->stream_events();
  if (auto found = m_handlers.find(path); found != m_handlers.end()) {
    call->m_starter = [weak = std::weak_ptr(call), handler = found->second](const Json& request) {
      if (auto here = weak.lock()) {
        handler(here, request);
      }
    };
    return events;
  }
  for (auto& [prefix, handler] : m_prefixes) {
    if (path.starts_with(prefix)) {
      try {
        return handler(stream, path);
      } catch (const Error& error) {
        call->fail(error);
        return events;
      }
    }
  }
  call->fail(Error(ErrorCode::not_found, "there is no operation {}", path));
  return events;
}

} // namespace pyro::protocol

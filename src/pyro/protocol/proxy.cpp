#include "proxy.hpp"

#include <utility>

namespace pyro::protocol {

namespace {

struct Link {
  Stream down;
  Stream up;
  std::size_t down_held = 0; // received from there, not yet taken by the other side
  std::size_t up_held = 0;
  bool up_ended = false;
};

void pass(Stream& from, Stream& to, std::size_t& held, std::string_view bytes) {
  if (to.send(bytes)) {
    from.consume(bytes.size());
  } else {
    held += bytes.size();
  }
}

void release(Stream& from, std::size_t& held) {
  from.consume(std::exchange(held, 0));
}

} // namespace

StreamEvents proxy_stream(Stream downstream, Session& upstream, const std::string& path) {
  auto link = std::make_shared<Link>();
  link->down = std::move(downstream);

  StreamEvents up;
  up.on_data = [link](std::string_view bytes) {
    pass(link->up, link->down, link->up_held, bytes);
  };
  up.on_writable = [link] {
    release(link->down, link->down_held);
  };
  up.on_end = [link] {
    link->up_ended = true;
    link->down.finish();
  };
  up.on_close = [link](CloseReason reason) {
    if (!link->up_ended) {
      link->down.cancel(reason);
    }
    release(link->down, link->down_held);
  };
  link->up = upstream.open(path, std::move(up));

  StreamEvents down;
  down.on_data = [link](std::string_view bytes) {
    pass(link->down, link->up, link->down_held, bytes);
  };
  down.on_writable = [link] {
    release(link->up, link->up_held);
  };
  down.on_end = [link] {
    link->up.finish();
  };
  down.on_close = [link](CloseReason reason) {
    if (reason != CloseReason::finished) {
      link->up.cancel();
    }
  };
  return down;
}

} // namespace pyro::protocol

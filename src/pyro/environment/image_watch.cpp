#include "image_watch.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/tree_usage.hpp>
#include <pyro/os/tree_walk.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace pyro::environment {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_between_looks{200};
constexpr const char* k_size_variable = "PYRO_IMAGE_SIZE";
constexpr const char* k_patience_variable = "PYRO_IMAGE_PATIENCE";

/// Where the variable is set, what `parse` makes of it.
template <typename Value, typename Parse>
void take_variable(const char* name, Value& value, const Parse& parse) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') {
    return;
  }
  try {
    value = parse(text);
  } catch (const Error& error) {
    throw Error(ErrorCode::usage, "{}: {}", name, error.message()).with_hint(error.hint());
  }
}

} // namespace

ImageLimits image_limits() {
  ImageLimits limits;
  take_variable(k_size_variable, limits.bytes, parse_size);
  take_variable(k_patience_variable, limits.silence, parse_duration);
  if (limits.bytes == 0 || limits.silence.count() == 0) {
    throw Error(
        ErrorCode::usage, "{} and {} must be more than nothing", k_size_variable, k_patience_variable);
  }
  return limits;
}

ImageWatch::ImageWatch(std::string image, std::string directory, ImageLimits limits, Silence silence)
    : m_image(std::move(image)), m_directory(std::move(directory)), m_limits(limits), m_silence(silence),
      m_to_be_free(std::min<std::uint64_t>(1ULL << 30, os::free_bytes(m_directory) / 10)),
      m_last_growth(Clock::now()) {
}

void ImageWatch::check() {
  const auto now = Clock::now();
  if (now - m_last_look < k_between_looks) {
    return;
  }
  m_last_look = now;
  const auto bytes = os::usage_of_tree(os::open_directory(m_directory).get()).bytes;
  if (bytes != m_bytes) {
    m_bytes = bytes;
    m_last_growth = now;
  }
  if (bytes > m_limits.bytes) {
    throw_too_large();
  }
  if (os::free_bytes(m_directory) < m_to_be_free) {
    throw Error(
        ErrorCode::disk_full, "{} would leave less than {} free on the disk of {}", m_image,
        format_bytes(m_to_be_free), m_directory)
        .with_hint("`pyro prune` and `pyro env prune` make room");
  }
  if (m_silence == Silence::limited && now - m_last_growth > m_limits.silence) {
    throw Error(
        ErrorCode::timeout, "nothing more of {} came in {}", m_image, format_duration(m_limits.silence))
        .with_hint(fmt::format("{} sets another limit, for example 10m", k_patience_variable));
  }
}

void ImageWatch::throw_too_large() const {
  throw Error(ErrorCode::failed, "{} is larger than {}", m_image, format_bytes(m_limits.bytes))
      .with_hint(fmt::format("{} sets another limit, for example 64GiB", k_size_variable));
}

} // namespace pyro::environment

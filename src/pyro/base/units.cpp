#include "units.hpp"

#include "error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace pyro {

namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array k_durations{
    Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
/// A hundred years: a clock that counts nanoseconds holds that on top of what it shows.
constexpr std::uint64_t k_longest_ms = 36'500ULL * 86'400'000;
constexpr std::array k_sizes{
    Unit{"B", 1}, Unit{"KiB", 1ULL << 10}, Unit{"MiB", 1ULL << 20}, Unit{"GiB", 1ULL << 30},
    Unit{"TiB", 1ULL << 40}};

struct Quantity {
  std::uint64_t count;
  std::string_view unit;
};

std::optional<Quantity> split(std::string_view text) {
  Quantity quantity{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quantity.count);
  if (error != std::errc{} || end == text.data()) {
    return std::nullopt;
  }
  quantity.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return quantity;
}

template <std::size_t N>
std::optional<std::uint64_t>
scale(const Quantity& quantity, const std::array<Unit, N>& units, std::uint64_t limit) {
  for (const auto& unit : units) {
    if (unit.name == quantity.unit && quantity.count <= limit / unit.factor) {
      return quantity.count * unit.factor;
    }
  }
  return std::nullopt;
}

} // namespace

milliseconds parse_duration(std::string_view text) {
  if (const auto quantity = split(text)) {
    if (const auto value = scale(*quantity, k_durations, k_longest_ms)) {
      return milliseconds{static_cast<std::int64_t>(*value)};
    }
    const auto is_meant = [&](const Unit& unit) {
      return unit.name == quantity->unit;
    };
    if (std::any_of(k_durations.begin(), k_durations.end(), is_meant)) {
      throw Error(ErrorCode::invalid_argument, "'{}' is beyond the range of the clock", text)
          .with_hint("at most 36500d, a hundred years");
    }
  }
  throw Error(ErrorCode::invalid_argument, "'{}' is not a duration", text)
      .with_hint("write a number with a unit: 500ms, 30s, 10m, 8h or 7d");
}

std::uint64_t parse_size(std::string_view text) {
  if (const auto quantity = split(text)) {
    if (const auto value = scale(*quantity, k_sizes, std::numeric_limits<std::uint64_t>::max())) {
      return *value;
    }
    for (const auto& unit : k_sizes) {
      if (unit.name == quantity->unit) {
        throw Error(ErrorCode::invalid_argument, "'{}' is beyond what any machine has", text)
            .with_hint("at most 16777215TiB");
      }
      const auto letter = unit.name.substr(0, 1);
      if (letter != "B" && (quantity->unit == letter || quantity->unit == std::string(letter) + "B")) {
        throw Error(
            ErrorCode::invalid_argument, "'{}' is ambiguous: tools disagree on the base of {}", text,
            quantity->unit)
            .with_hint(fmt::format("write {}{}", quantity->count, unit.name));
      }
    }
  }
  throw Error(ErrorCode::invalid_argument, "'{}' is not a size", text)
      .with_hint("write a number with a unit: 512MiB or 2GiB");
}

std::string format_duration(milliseconds value) {
  const auto count = static_cast<std::uint64_t>(value.count());
  for (auto unit = k_durations.rbegin(); unit != k_durations.rend(); ++unit) {
    if (count != 0 && count % unit->factor == 0) {
      return fmt::format("{}{}", count / unit->factor, unit->name);
    }
  }
  return "0s";
}

std::string format_elapsed(milliseconds value) {
  const double seconds = static_cast<double>(value.count()) / 1000.0;
  if (seconds < 10) {
    return fmt::format("{:.1f} s", seconds);
  }
  if (seconds < 120) {
    return fmt::format("{:.0f} s", seconds);
  }
  if (seconds < 7200) {
    return fmt::format("{:.0f} min", seconds / 60);
  }
  return seconds < 172'800 ? fmt::format("{:.0f} h", seconds / 3600)
                           : fmt::format("{:.0f} d", seconds / 86'400);
}

std::string format_bytes(std::uint64_t bytes) {
  auto unit = k_sizes.begin();
  while (std::next(unit) != k_sizes.end() && bytes >= std::next(unit)->factor) {
    ++unit;
  }
  const double value = static_cast<double>(bytes) / static_cast<double>(unit->factor);
  return unit->factor == 1 || value >= 100 ? fmt::format("{:.0f} {}", value, unit->name)
                                           : fmt::format("{:.1f} {}", value, unit->name);
}

} // namespace pyro

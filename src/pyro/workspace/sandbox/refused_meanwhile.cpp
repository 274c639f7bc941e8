#include "refused_meanwhile.hpp"

#include <pyro/workspace/context/secrets.hpp>

#include <chrono>
#include <limits>

namespace pyro::workspace {

namespace {

constexpr std::chrono::seconds k_patience{15};
constexpr std::size_t k_most_in_text = 3;
constexpr std::uint64_t k_nothing_yet =
    std::numeric_limits<std::int64_t>::max(); // of the answer only the cursor

/// That nobody can be asked any more is told by whoever needs the sandbox.
Json ask_for_refused(backend::ControlClient& client, std::uint64_t since) {
  try {
    return client.call("/network", {{"since", since}}, k_patience);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) {
      throw;
    }
    return nullptr;
  }
}

std::string refused_place(const Json& refused) {
  const auto host = string_or(refused, "host", "");
  const auto port = int_or(refused, "port", 0);
  return port == 0 ? host : fmt::format("{}:{}", host, port);
}

/// Where the reason names the place it says all.
std::string refused_sentence(const Json& refused) {
  const auto place = refused_place(refused);
  const auto reason = string_or(refused, "reason", "");
  return reason.find(place) == std::string::npos ? fmt::format("{}: {}", place, reason) : reason;
}

} // namespace

RefusedMeanwhile::Egress egress_kind(const std::string& egress) {
  using Egress = RefusedMeanwhile::Egress;
  return egress == "none" || egress == "all" || egress.empty() ? Egress::other : Egress::list;
}

RefusedMeanwhile::Egress egress_kind(const std::vector<std::string>& rules) {
  return rules.empty() ? RefusedMeanwhile::Egress::other : RefusedMeanwhile::Egress::list;
}

RefusedMeanwhile::RefusedMeanwhile(backend::ControlClient& client, Egress egress) : m_client(client) {
  if (egress == Egress::list) {
    if (const auto answer = ask_for_refused(client, k_nothing_yet); answer.is_object()) {
      m_since = static_cast<std::uint64_t>(get_int(answer, "cursor"));
    }
  }
}

RefusedConnections RefusedMeanwhile::so_far(const Redactor& redactor) const {
  auto answer = m_since ? ask_for_refused(m_client, *m_since) : Json();
  if (!answer.is_object()) {
    return {};
  }
  redact_strings(answer, redactor);
  return {value_at(answer, "refused"), int_or(answer, "more", 0)};
}

void RefusedMeanwhile::explain(Error& error, const Redactor& redactor) const {
  if (const auto text = refusal_text(so_far(redactor)); !text.empty()) {
    error.add_context(text);
  }
}

std::string refusal_text(const RefusedConnections& refused) {
  if (refused.list.empty()) {
    return "";
  }
  std::string what;
  std::string lines;
  std::size_t shown = 0;
  for (const auto& one : refused.list) {
    if (shown == k_most_in_text) {
      break;
    }
    ++shown;
    what += (what.empty() ? "" : "; ") + refused_sentence(one);
    if (const auto line = string_or(one, "allow", ""); !line.empty()) {
      lines += (lines.empty() ? "" : ", ") + line;
    }
  }
  if (const auto others = static_cast<std::int64_t>(refused.list.size() - shown) + refused.more; others > 0) {
    what += fmt::format("; and {} more", others);
  }
  const auto way_out =
      lines.empty() ? "" : fmt::format("; to allow it: network.egress: [{}] in pyro.yaml", lines);
  return fmt::format("refused meanwhile: {}{}; see: pyro network log --denied", what, way_out);
}

} // namespace pyro::workspace

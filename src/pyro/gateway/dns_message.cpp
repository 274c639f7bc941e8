#include "dns_message.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <sys/socket.h>

#include <arpa/nameser.h>
#include <array>
#include <vector>

namespace pyro::gateway {

namespace {

constexpr std::size_t k_header_size = NS_HFIXEDSZ;
constexpr std::uint16_t k_pointer_to_question = 0xc000 | k_header_size;
constexpr std::uint16_t k_option_extended_error = 15;
constexpr std::uint16_t k_filtered = 17;
constexpr std::uint16_t k_largest_answer = 1232;
constexpr std::size_t k_longest_reason = 200;

void put16(std::string& out, std::size_t value) {
  out.push_back(static_cast<char>(value >> 8U));
  out.push_back(static_cast<char>(value));
}

void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16U);
  put16(out, value & 0xffffU);
}

void put_record_front(std::string& out, std::uint16_t type, std::size_t length) {
  put16(out, k_pointer_to_question);
  put16(out, type);
  put16(out, ns_c_in);
  put32(out, k_dns_ttl);
  put16(out, length);
}

std::string encoded_name(const std::string& name) {
  std::string out;
  for (const auto& label : fields_of(name, '.')) {
    out.push_back(static_cast<char>(label.size()));
    out += label;
  }
  out.push_back('\0');
  return out;
}

std::string extension(const std::string& reason) {
  std::string out;
  out.push_back('\0'); // the root
  put16(out, ns_t_opt);
  put16(out, k_largest_answer);
  put32(out, 0);
  if (reason.empty()) {
    put16(out, 0);
    return out;
  }
  const auto text = reason.substr(0, k_longest_reason);
  put16(out, text.size() + 6);
  put16(out, k_option_extended_error);
  put16(out, text.size() + 2);
  put16(out, k_filtered);
  return out + text;
}

} // namespace

std::optional<DnsQuestion> dns_question_from(std::string_view message) {
  ns_msg parsed{};
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (::ns_initparse(bytes, static_cast<int>(message.size()), &parsed) < 0
      || ns_msg_getflag(parsed, ns_f_qr) != 0 || ns_msg_getflag(parsed, ns_f_opcode) != ns_o_query
      || ns_msg_count(parsed, ns_s_qd) != 1) {
    return std::nullopt;
  }
  ns_rr record{};
  if (::ns_parserr(&parsed, ns_s_qd, 0, &record) < 0 || ns_rr_class(record) != ns_c_in) {
    return std::nullopt;
  }
  const int length = ::ns_skiprr(bytes + k_header_size, bytes + message.size(), ns_s_qd, 1);
  if (length < 0) {
    return std::nullopt;
  }
  DnsQuestion question;
  question.name = ns_rr_name(record);
  question.type = static_cast<std::uint16_t>(ns_rr_type(record));
  question.front = message.substr(0, k_header_size + static_cast<std::size_t>(length));
  for (int i = 0; i < ns_msg_count(parsed, ns_s_ar); ++i) {
    if (::ns_parserr(&parsed, ns_s_ar, i, &record) == 0 && ns_rr_type(record) == ns_t_opt) {
      question.has_extension = true;
    }
  }
  return question;
}

std::string dns_message_of(const DnsQuestion& question, const DnsAnswer& answer) {
  std::string out = question.front;
  std::size_t answers = 0;
  if (answer.address) {
    const auto bytes = address_bytes(*answer.address);
    put_record_front(out, ns_t_a, bytes.size());
    out += bytes;
    ++answers;
  } else if (!answer.name.empty()) {
    const auto name = encoded_name(answer.name);
    put_record_front(out, ns_t_ptr, name.size());
    out += name;
    ++answers;
  }
  if (question.has_extension) {
    out += extension(answer.reason);
  }
  std::string header = out.substr(0, 2); // its number
  const auto recursion_desired = static_cast<unsigned char>(out[2]) & 1U;
  header.push_back(static_cast<char>(0x80U | recursion_desired));
  header.push_back(static_cast<char>(0x80U | static_cast<unsigned>(answer.code)));
  put16(header, 1);
  put16(header, answers);
  put16(header, 0);
  put16(header, question.has_extension ? 1 : 0);
  return out.replace(0, k_header_size, header);
}

std::optional<Destination> reverse_name(const std::string& name) {
  const auto labels = fields_of(name, '.');
  if (labels.size() != 6 || labels[4] != "in-addr" || labels[5] != "arpa") {
    return std::nullopt;
  }
  try {
    return destination_from(fmt::format("{}.{}.{}.{}", labels[3], labels[2], labels[1], labels[0]));
  } catch (const Error&) {
    return std::nullopt; // numbers that are none
  }
}

} // namespace pyro::gateway

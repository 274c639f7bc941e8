#include "secrets.hpp"

#include "named_path.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>
#include <pyro/protocol/requests.hpp>

#include <cstdlib>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_max_value = 128 << 10;  // with base64 it has to fit into one message
constexpr std::size_t k_max_declared = 1 << 20; // of a file that pyro.yaml names
constexpr mode_t k_kept_mode = 0600;            // on this machine

std::string secrets_directory_of(const store::WorkspacePaths& paths) {
  return paths.root() + "/secrets";
}

std::string read_secret_file(const SecretInput& input) {
  try {
    if (auto text = os::maybe_read_file(input.file_path, k_max_value + 1)) {
      return std::move(*text);
    }
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_argument, "secret {}: {}", input.name, error.message());
  }
  throw Error(ErrorCode::invalid_argument, "secret {}: there is no file {}", input.name, input.file_path);
}

} // namespace

SecretValues read_secrets(const std::vector<SecretInput>& inputs) {
  SecretValues values;
  for (const auto& input : inputs) {
    protocol::check_name(input.name, "the secret");
    if (input.value.has_value() == !input.file_path.empty()) {
      throw Error(ErrorCode::invalid_argument, "secret {} needs either a value or a file_path", input.name);
    }
    auto value = input.value ? *input.value : read_secret_file(input);
    if (value.size() > k_max_value) {
      throw Error(ErrorCode::invalid_argument, "secret {} is larger than {} bytes", input.name, k_max_value);
    }
    if (!values.emplace(input.name, std::move(value)).second) {
      throw Error(ErrorCode::invalid_argument, "secret {} is given twice", input.name);
    }
  }
  return values;
}

void keep_secrets(const store::WorkspacePaths& paths, const SecretValues& values) {
  if (values.empty()) {
    return;
  }
  const auto directory = secrets_directory_of(paths);
  os::make_directories(directory, 0700);
  for (const auto& [name, value] : values) {
    protocol::check_name(name, "the secret");
    os::write_file_atomically(directory + "/" + name, value, k_kept_mode);
  }
}

SecretValues kept_secrets(const store::WorkspacePaths& paths) {
  SecretValues values;
  const auto directory = secrets_directory_of(paths);
  for (const auto& name : os::list_directory(directory)) {
    if (name.front() == '.') {
      continue; // half written when its writer was killed
    }
    if (auto value = os::maybe_read_file(directory + "/" + name, k_max_value)) {
      values[name] = std::move(*value);
    }
  }
  return values;
}

void deliver_kept_secrets(const store::WorkspacePaths& paths, const std::string& user) {
  const auto values = kept_secrets(paths);
  if (values.empty()) {
    return;
  }
  const auto client = backend::ControlClient::connect(paths.control_socket());
  if (!client) {
    throw Error(ErrorCode::bad_state, "the sandbox ended before it was given its secrets");
  }
  for (const auto& [name, value] : values) {
    client->call("/agent/secrets/put", protocol::to_json(protocol::SecretPut{name, value, user, ""}));
  }
}

namespace {

std::optional<std::string> value_of(const spec::Secret& secret, const std::string& directory) {
  if (secret.source == spec::SecretSource::env) {
    const char* value = std::getenv(secret.from.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  }
  if (secret.source == spec::SecretSource::file) {
    return maybe_read_named(directory, secret.from, k_max_declared);
  }
  os::Command command{{"/bin/sh", "-c", secret.from}};
  command.cwd = directory;
  command.env = os::inherited_environment(); // the user's own command, in the user's own surroundings
  auto text = os::run_checked(std::move(command));
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text;
}

} // namespace

std::optional<std::string> declared_secret(const spec::Secret& secret, const std::string& directory) {
  auto value = value_of(secret, directory);
  if (value && value->size() > k_max_declared) {
    throw Error(
        ErrorCode::invalid_argument, "its value of {} is too large: a secret has at most {}",
        format_bytes(value->size()), format_bytes(k_max_declared));
  }
  return value;
}

void redact_strings(Json& document, const Redactor& redactor) {
  if (redactor.empty()) {
    return;
  }
  if (document.is_string()) {
    document = redactor.redact(document.get_ref<const std::string&>());
  }
  if (document.is_structured()) {
    for (auto& part : document) {
      redact_strings(part, redactor);
    }
  }
}

std::map<std::string, std::string>
secret_environment(const store::WorkspacePaths& paths, const std::map<std::string, std::string>& wanted) {
  std::map<std::string, std::string> variables;
  if (wanted.empty()) {
    return variables;
  }
  const auto values = kept_secrets(paths);
  for (const auto& [secret, variable] : wanted) {
    const auto value = values.find(secret);
    if (value == values.end()) {
      throw Error(ErrorCode::invalid_argument, "this workspace has no secret '{}'", secret)
          .with_hint("secrets are given when it is created: --secret NAME=VALUE or --secret-file NAME=PATH");
    }
    const auto& name = variable.empty() ? secret : variable;
    if (name.find('=') != std::string::npos || value->second.find('\0') != std::string::npos) {
      throw Error(
          ErrorCode::invalid_argument, "secret {} cannot be the variable '{}': a '=' or a zero byte", secret,
          name)
          .with_hint(fmt::format("read it from /run/secrets/{} instead", secret));
    }
    // Of a file's text the line end is no part of a variable, as in a shell's $(cat file).
    auto text = value->second;
    while (!text.empty() && text.back() == '\n') {
      text.pop_back();
    }
    variables[name] = std::move(text);
  }
  return variables;
}

std::map<std::string, std::string> process_environment(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const std::map<std::string, std::string>& own, const std::map<std::string, std::string>& secrets) {
  auto environment = record.env;
  for (const auto& [name, value] : own) {
    environment[name] = value;
  }
  for (auto& [name, value] : secret_environment(paths, secrets)) {
    environment[name] = std::move(value);
  }
  return environment;
}

} // namespace pyro::workspace

// The functions of include/pyro/pyro.h. Each is a border: what is thrown below ends here as a document.
#include "c_header.hpp"
#include "call_options.hpp"
#include "library.hpp"
#include "operation_table.hpp"

#include <pyro/base/error.hpp>

#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <memory>
#include <new>
#include <type_traits>

struct pyro_library : pyro::capi::Library {
  using Library::Library;
};

namespace {

using pyro::Error;
using pyro::ErrorCode;
using pyro::Json;

/// NULL where there is no memory.
char* text_for_caller(std::string_view text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy != nullptr) {
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
  }
  return copy;
}

char* document_for_caller(const Json& document) {
  return text_for_caller(document.dump(-1, ' ', false, Json::error_handler_t::replace));
}

int status_of(ErrorCode code) {
  switch (code) {
  case ErrorCode::invalid_argument:
  case ErrorCode::usage:
  case ErrorCode::not_found:
    return PYRO_INVALID;
  default:
    return PYRO_FAILED;
  }
}

/// `run` gives the caller's text. Whatever it throws is an error document; only the end of a thread that
/// somebody has cancelled goes on.
template <typename Run>
int at_the_border(char** text, const Run& run) {
  char* ignored = nullptr;
  char*& answer = text != nullptr ? *text : ignored;
  answer = nullptr;
  int status = PYRO_FAILED;
  try {
    try {
      answer = run();
      status = PYRO_OK;
    } catch (const Error& error) {
      status = status_of(error.code());
      answer = document_for_caller(to_json(error));
    } catch (const std::bad_alloc&) {
      answer = text_for_caller(R"({"code":"failed","message":"there is not enough memory"})");
    } catch (const std::exception& error) {
      answer = document_for_caller(to_json(Error(ErrorCode::internal, "{}", error.what())));
    }
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    answer = text_for_caller(R"({"code":"internal","message":"something that is no error was thrown"})");
  }
  std::free(ignored);
  return status;
}

const char* required(const char* text, const char* what) {
  if (text == nullptr) {
    throw Error(ErrorCode::invalid_argument, "{} is NULL", what);
  }
  return text;
}

} // namespace

pyro_library* pyro_open(const char* options_json, char** error_json) {
  pyro_library* opened = nullptr;
  at_the_border(error_json, [&]() -> char* {
    opened = new pyro_library(pyro::capi::library_options(options_json != nullptr ? options_json : "{}"));
    return nullptr;
  });
  return opened;
}

int pyro_call(
    pyro_library* library, const char* operation, const char* parameters_json,
    const pyro_call_options* options, char** result_json) {
  return at_the_border(result_json, [&] {
    if (library == nullptr) {
      throw Error(ErrorCode::invalid_argument, "the library is NULL");
    }
    const auto name = required(operation, "the name of the operation");
    const auto parameters = pyro::capi::parameters_of(parameters_json);
    return document_for_caller(library->call(name, parameters, pyro::capi::wishes_of(options)));
  });
}

char* pyro_operations() {
  char* text = nullptr;
  at_the_border(&text, [] { return text_for_caller(pyro::capi::operation_table()); });
  return text;
}

pyro_cancel* pyro_cancel_new() {
  return new (std::nothrow) pyro_cancel;
}

void pyro_cancel_request(pyro_cancel* cancel) {
  if (cancel != nullptr) {
    cancel->is_requested = true;
  }
}

void pyro_cancel_free(pyro_cancel* cancel) {
  delete cancel;
}

const char* pyro_version() {
  return PYRO_VERSION;
}

void pyro_free(char* text) {
  std::free(text);
}

void pyro_close(pyro_library* library) {
  if (library == nullptr) {
    return;
  }
  char* error = nullptr;
  at_the_border(&error, [&]() -> char* {
    if (library->close()) {
      delete library;
    }
    return nullptr;
  });
  std::free(error);
}

// libarchive turns member names into the character set of the locale: within this scope that is UTF-8, in
// this thread only. For archive_reader and archive_writer.
#pragma once

#include <clocale>
#include <locale.h>

namespace pyro::os {

class Utf8Locale {
public:
  Utf8Locale() : m_locale(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (m_locale != nullptr) {
      m_before = ::uselocale(m_locale);
    }
  }

  ~Utf8Locale() {
    if (m_locale != nullptr) {
      ::uselocale(m_before);
      ::freelocale(m_locale);
    }
  }

  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

private:
  locale_t m_locale;
  locale_t m_before = nullptr;
};

} // namespace pyro::os

#include "python_requirements.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <regex>
#include <vector>

namespace pyro::workspace {

namespace {

struct Packaged {
  std::string_view name;    // on PyPI
  std::string_view package; // "python3-" and this
  std::string_view version; // in Debian 12
};

constexpr std::array k_packaged{
    Packaged{"aiohttp", "aiohttp", "3.8.4"},
    Packaged{"alembic", "alembic", "1.8.1"},
    Packaged{"attrs", "attr", "22.2.0"},
    Packaged{"beautifulsoup4", "bs4", "4.11.2"},
    Packaged{"boto3", "boto3", "1.26.27"},
    Packaged{"celery", "celery", "5.2.6"},
    Packaged{"click", "click", "8.1.3"},
    Packaged{"colorama", "colorama", "0.4.6"},
    Packaged{"cryptography", "cryptography", "38.0.4"},
    Packaged{"django", "django", "3.2.25"},
    Packaged{"docopt", "docopt", "0.6.2"},
    Packaged{"fastapi", "fastapi", "0.92.0"},
    Packaged{"flask", "flask", "2.2.2"},
    Packaged{"flask-sqlalchemy", "flask-sqlalchemy", "3.0.3"},
    Packaged{"gunicorn", "gunicorn", "20.1.0"},
    Packaged{"httpx", "httpx", "0.23.3"},
    Packaged{"hypothesis", "hypothesis", "6.67.1"},
    Packaged{"jinja2", "jinja2", "3.1.2"},
    Packaged{"lxml", "lxml", "4.9.2"},
    Packaged{"markdown", "markdown", "3.4.1"},
    Packaged{"matplotlib", "matplotlib", "3.6.3"},
    Packaged{"numpy", "numpy", "1.24.2"},
    Packaged{"pandas", "pandas", "1.5.3"},
    Packaged{"pillow", "pil", "9.4.0"},
    Packaged{"psycopg", "psycopg", "3.1.7"},
    Packaged{"psycopg2", "psycopg2", "2.9.5"},
    Packaged{"psycopg2-binary", "psycopg2", "2.9.5"},
    Packaged{"pydantic", "pydantic", "1.10.4"},
    Packaged{"pytest", "pytest", "7.2.1"},
    Packaged{"pytest-asyncio", "pytest-asyncio", "0.20.3"},
    Packaged{"pytest-cov", "pytest-cov", "4.0.0"},
    Packaged{"python-dateutil", "dateutil", "2.8.2"},
    Packaged{"pyyaml", "yaml", "6.0"},
    Packaged{"redis", "redis", "4.3.4"},
    Packaged{"requests", "requests", "2.28.1"},
    Packaged{"rich", "rich", "13.3.1"},
    Packaged{"scipy", "scipy", "1.10.1"},
    Packaged{"setuptools", "setuptools", "66.1.1"},
    Packaged{"sqlalchemy", "sqlalchemy", "1.4.46"},
    Packaged{"tqdm", "tqdm", "4.64.1"},
    Packaged{"uvicorn", "uvicorn", "0.17.6"},
    Packaged{"werkzeug", "werkzeug", "2.2.2"},
    Packaged{"wheel", "wheel", "0.38.4"},
};

using Version = std::vector<int>;

/// nullopt: more than numbers with dots.
std::optional<Version> version_of(std::string_view text) {
  Version version;
  while (true) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0) {
      return std::nullopt;
    }
    version.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) {
      return version;
    }
    if (text.front() != '.') {
      return std::nullopt;
    }
    text.remove_prefix(1);
  }
}

/// Below, at or above zero; 2.0 and 2 are equal.
int compare(const Version& left, const Version& right) {
  for (std::size_t at = 0; at < std::max(left.size(), right.size()); ++at) {
    const int difference = (at < left.size() ? left[at] : 0) - (at < right.size() ? right[at] : 0);
    if (difference != 0) {
      return difference;
    }
  }
  return 0;
}

bool begins_with(const Version& version, Version prefix, std::size_t count) {
  prefix.resize(count);
  auto start = version;
  start.resize(count);
  return start == prefix;
}

/// One of "==2.2.*", ">=2", "~=2.2"; what is not understood is not fulfilled.
bool fulfils(const Version& there, const std::string& comparison, std::string wanted) {
  const bool is_prefix = wanted.ends_with(".*");
  if (is_prefix) {
    wanted.resize(wanted.size() - 2);
  }
  const auto version = version_of(wanted);
  if (!version) {
    return false;
  }
  if (comparison == "==" || comparison == "!=") {
    const bool is_it =
        is_prefix ? begins_with(there, *version, version->size()) : compare(there, *version) == 0;
    return is_it == (comparison == "==");
  }
  if (is_prefix) {
    return false;
  }
  const int difference = compare(there, *version);
  if (comparison == "~=") {
    return version->size() > 1 && difference >= 0 && begins_with(there, *version, version->size() - 1);
  }
  return comparison == ">="   ? difference >= 0
         : comparison == "<=" ? difference <= 0
         : comparison == ">"  ? difference > 0
                              : difference < 0;
}

} // namespace

std::string requirement_name(std::string_view requirement) {
  static const std::regex s_name(R"(^\s*([A-Za-z0-9][A-Za-z0-9._-]*))");
  std::match_results<std::string_view::const_iterator> match;
  if (!std::regex_search(requirement.begin(), requirement.end(), match, s_name)) {
    return "";
  }
  std::string name;
  for (const char c : match[1].str()) {
    const bool is_dash = c == '-' || c == '_' || c == '.';
    if (!is_dash || !name.ends_with('-')) {
      name += is_dash ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

std::optional<std::string> debian_package_of(std::string_view requirement) {
  static const std::regex s_simple(
      R"(^\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*((?:[~=!<>]=?\s*[0-9.*]+\s*,?\s*)*)$)");
  static const std::regex s_version(R"(([~=!<>]=?)\s*([0-9.*]+))");
  std::match_results<std::string_view::const_iterator> match;
  const auto name = requirement_name(requirement);
  const auto found = std::find_if(
      k_packaged.begin(), k_packaged.end(), [&](const Packaged& one) { return one.name == name; });
  if (found == k_packaged.end()
      || !std::regex_match(requirement.begin(), requirement.end(), match, s_simple)) {
    return std::nullopt;
  }
  const auto there = version_of(found->version);
  const auto versions = match[1].str();
  for (auto at = std::sregex_iterator(versions.begin(), versions.end(), s_version);
       at != std::sregex_iterator(); ++at) {
    if (!fulfils(*there, (*at)[1].str(), (*at)[2].str())) {
      return std::nullopt;
    }
  }
  return "python3-" + std::string(found->package);
}

} // namespace pyro::workspace

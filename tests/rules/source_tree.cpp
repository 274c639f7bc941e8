#include "source_tree.hpp"

#include "../support/files.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

namespace pyro::rules {

namespace fs = std::filesystem;

namespace {

bool skipped(const std::string& name) {
  return name == ".git" || name == "build" || name.starts_with("build-") || name == ".cache"
         || name == "__pycache__" || name == ".pyro";
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<SourceFile> read_all() {
  std::vector<SourceFile> files;
  for (auto it = fs::recursive_directory_iterator(root()); it != fs::recursive_directory_iterator(); ++it) {
    if (skipped(it->path().filename().string())) {
      it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file() || it->is_symlink()) {
      continue;
    }
    auto text = read(it->path());
    if (text.find('\0') == std::string::npos) {
      files.push_back({it->path().lexically_relative(root()).string(), std::move(text)});
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

} // namespace

fs::path root() {
  return pyro::testing::source_dir();
}

std::vector<std::string> SourceFile::lines() const {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    result.push_back(line);
  }
  return result;
}

bool SourceFile::has_extension(std::initializer_list<const char*> extensions) const {
  return std::any_of(
      extensions.begin(), extensions.end(), [&](const char* end) { return path.ends_with(end); });
}

const std::vector<SourceFile>& all_files() {
  static const auto files = read_all();
  return files;
}

std::vector<SourceFile> sources_below(std::initializer_list<const char*> folders) {
  std::vector<SourceFile> result;
  for (const auto& file : all_files()) {
    const bool below = std::any_of(folders.begin(), folders.end(), [&](const char* folder) {
      return file.path.starts_with(std::string(folder) + "/");
    });
    if (below && file.has_extension({".cpp", ".hpp", ".c", ".h"})) {
      result.push_back(file);
    }
  }
  return result;
}

std::vector<Include> includes_of(const SourceFile& file) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*(<([^>]+)>|"([^"]+)"))re");
  std::vector<Include> result;
  int number = 0;
  for (const auto& line : file.lines()) {
    ++number;
    std::smatch match;
    if (std::regex_search(line, match, pattern)) {
      result.push_back({number, match[3].matched, match[3].matched ? match[3].str() : match[2].str()});
    }
  }
  return result;
}

std::string code_only(const std::string& text) {
  std::string out;
  enum class In { code, line_comment, block_comment, string, character, raw } state = In::code;
  std::string raw_end;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '\n') {
      out += c;
      state = state == In::line_comment ? In::code : state;
      continue;
    }
    switch (state) {
    case In::code:
      if (c == '/' && next == '/') {
        state = In::line_comment;
      } else if (c == '/' && next == '*') {
        state = In::block_comment;
        ++i;
      } else if (c == 'R' && next == '"') {
        const auto open = text.find('(', i);
        raw_end = ")" + text.substr(i + 2, open - i - 2) + "\"";
        i = open;
        state = In::raw;
      } else if (c == '"') {
        state = In::string;
      } else if (c == '\'' && !(i > 0 && std::isxdigit(static_cast<unsigned char>(text[i - 1])))) {
        state = In::character; // not the separator in 1'000
      } else {
        out += c;
      }
      break;
    case In::line_comment:
      break;
    case In::block_comment:
      if (c == '*' && next == '/') {
        state = In::code;
        ++i;
      }
      break;
    case In::string:
    case In::character:
      if (c == '\\') {
        ++i;
      } else if (c == (state == In::string ? '"' : '\'')) {
        state = In::code;
      }
      break;
    case In::raw:
      if (text.compare(i, raw_end.size(), raw_end) == 0) {
        i += raw_end.size() - 1;
        state = In::code;
      }
      break;
    }
  }
  return out;
}

} // namespace pyro::rules

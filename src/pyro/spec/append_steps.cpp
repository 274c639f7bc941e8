#include "append_steps.hpp"

#include "yaml_tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <algorithm>

namespace pyro::spec {

namespace {

/// What pyro takes for a variable or an escape in a value is written so that it stays.
std::string escaped(std::string_view run) {
  std::string text;
  for (std::size_t i = 0; i < run.size(); ++i) {
    text += run[i];
    if (run[i] == '$' && i + 1 < run.size() && (run[i + 1] == '$' || run[i + 1] == '{')) {
      text += '$';
    }
  }
  return text;
}

std::string flow_form(const NewStep& step) {
  const auto user = step.user.empty() ? "" : ", user: " + step.user;
  return fmt::format("{{id: {}{}, run: {}}}", step.id, user, Json(escaped(step.run)).dump());
}

std::string block_form(const NewStep& step, std::size_t indent) {
  const std::string space(indent, ' ');
  auto text = fmt::format("{}- id: {}\n", space, step.id);
  text += step.user.empty() ? "" : fmt::format("{}  user: {}\n", space, step.user);
  text += space + "  run: |\n";
  const auto run = escaped(step.run);
  for (std::size_t at = 0; at < run.size();) {
    const auto end = std::min(run.find('\n', at), run.size());
    const auto line = run.substr(at, end - at);
    text += line.empty() ? "\n" : space + "    " + line + "\n";
    at = end + 1;
  }
  return text;
}

class Text {
public:
  explicit Text(std::string text) : m_text(std::move(text)) {
    if (!m_text.empty() && !m_text.ends_with('\n')) {
      m_text += '\n';
    }
    std::vector<Diagnostic> diagnostics;
    m_root = parse_yaml(m_text, "", diagnostics);
    if (!diagnostics.empty() || !m_root.is_map()) {
      refuse("the file is not valid");
    }
  }

  void add(StepList list, const std::vector<NewStep>& steps) {
    const Node* parent = list == StepList::setup ? m_root.find("environment") : &m_root;
    const std::string key = list == StepList::setup ? "setup" : "prepare";
    if (!parent || !parent->is_map()) {
      refuse("`environment` is no map of its own");
    }
    if (const Node* there = parent->find(key)) {
      add_to_list(*there, key, steps);
    } else {
      add_key(*parent, key, steps);
    }
  }

  std::string take() { return std::move(m_text); }

private:
  [[noreturn]] static void refuse(const std::string& why) {
    throw Error(ErrorCode::failed, "the steps cannot be put into the file by themselves: {}", why)
        .with_hint("they are in the result (`pyro capture --json`, steps): write them in by hand");
  }

  std::size_t offset_of(const Position& place) const {
    std::size_t at = 0;
    for (int line = 1; line < place.line; ++line) {
      at = m_text.find('\n', at);
      at = at == std::string::npos ? m_text.size() : at + 1;
    }
    for (int column = 1; column < place.column && at < m_text.size(); ++column) {
      do { // columns are characters
        ++at;
      } while (at < m_text.size() && (static_cast<unsigned char>(m_text[at]) & 0xC0) == 0x80);
    }
    return at;
  }

  bool is_flow(const Node& node) const {
    const auto at = offset_of(node.place);
    return at < m_text.size() && (m_text[at] == '{' || m_text[at] == '[');
  }

  /// Of the bracket at `at`: where the one is that closes it.
  std::size_t closing(std::size_t at) const {
    std::vector<char> open;
    for (; at < m_text.size(); ++at) {
      const char c = m_text[at];
      const char before = at == 0 ? '\n' : m_text[at - 1];
      if (c == '"' || (c == '\'' && !std::isalnum(static_cast<unsigned char>(before)))) {
        for (++at; at < m_text.size() && m_text[at] != c; ++at) {
          at += c == '"' && m_text[at] == '\\' ? 1 : 0;
        }
      } else if (c == '#' && (before == ' ' || before == '\n' || before == '\t')) {
        at = std::min(m_text.find('\n', at), m_text.size());
      } else if (c == '{' || c == '[') {
        open.push_back(c);
      } else if (c == '}' || c == ']') {
        open.pop_back();
        if (open.empty()) {
          return at;
        }
      }
    }
    refuse("a bracket is not closed");
  }

  /// Into a map or list in brackets, as its last member.
  void add_in_brackets(const Node& node, const std::string& member) {
    const auto begin = offset_of(node.place);
    auto at = closing(begin);
    while (at > begin + 1 && std::isspace(static_cast<unsigned char>(m_text[at - 1])) != 0) {
      --at;
    }
    const bool is_empty = at == begin + 1;
    const bool has_comma = m_text[at - 1] == ',';
    m_text.insert(at, (is_empty ? "" : has_comma ? " " : ", ") + member);
  }

  static std::string flow_list(const std::vector<NewStep>& steps) {
    std::string list;
    for (const auto& step : steps) {
      list += (list.empty() ? "" : ", ") + flow_form(step);
    }
    return list;
  }

  /// The first column's distance from the left, of the line at `at`; npos of a blank or comment line.
  std::size_t indent_at(std::size_t at) const {
    const auto end = std::min(m_text.find('\n', at), m_text.size());
    const auto first = std::min(m_text.find_first_not_of(" \t\r", at), end);
    return first == end || m_text[first] == '#' ? std::string::npos : first - at;
  }

  /// Behind the last line, from the line of `from` on, that stands further to the right than `indent`.
  std::size_t end_of_block(std::size_t from, std::size_t indent) const {
    auto line_end = [&](std::size_t at) {
      return std::min(m_text.find('\n', at), m_text.size() - 1) + 1;
    };
    auto end = line_end(from);
    for (auto at = end; at < m_text.size(); at = line_end(at)) {
      const auto here = indent_at(at);
      if (here == std::string::npos) {
        continue;
      }
      if (here <= indent) {
        break;
      }
      end = line_end(at);
    }
    return end;
  }

  std::size_t column_of(const Node& node) const {
    const auto at = offset_of(node.place);
    const auto before = m_text.rfind('\n', at == 0 ? 0 : at - 1);
    const auto line = at == 0 || before == std::string::npos ? 0 : before + 1;
    if (m_text.find_first_not_of(" -", line) < at) {
      refuse("it does not stand on a line of its own");
    }
    return at - line;
  }

  void add_to_list(const Node& list, const std::string& key, const std::vector<NewStep>& steps) {
    if (!list.is_list() || list.items.empty()) {
      if (list.is_list() && is_flow(list)) {
        add_in_brackets(list, flow_list(steps));
        return;
      }
      refuse(fmt::format("`{}` is no list", key));
    }
    if (is_flow(list)) {
      add_in_brackets(list, flow_list(steps));
      return;
    }
    const auto at = offset_of(list.place);
    if (at >= m_text.size() || m_text[at] != '-') {
      refuse(fmt::format("`{}` is not written where it is used", key));
    }
    const auto indent = column_of(list);
    insert_block(end_of_block(offset_of(list.items.back().place), indent), indent, steps);
  }

  void add_key(const Node& parent, const std::string& key, const std::vector<NewStep>& steps) {
    if (is_flow(parent)) {
      add_in_brackets(parent, fmt::format("{}: [{}]", key, flow_list(steps)));
      return;
    }
    if (parent.entries.empty()) {
      refuse("there is nothing to add to");
    }
    const auto& last = key == "prepare" && parent.find("seed") ? *std::find_if(
                           parent.entries.begin(), parent.entries.end(),
                           [](const Entry& entry) { return entry.key == "seed"; })
                                                               : parent.entries.back();
    const auto first_at = offset_of(parent.entries.front().key_place);
    const auto line = first_at == 0 ? 0 : m_text.rfind('\n', first_at - 1) + 1;
    if (m_text.find_first_not_of(' ', line) < first_at) {
      refuse("`environment` is written in another place than where it is used");
    }
    const auto indent = first_at - line;
    const auto begin = offset_of(last.key_place);
    const auto end =
        end_of_block(std::max(begin, is_flow(last.value) ? closing(offset_of(last.value.place)) : 0), indent);
    m_text.insert(end, fmt::format("{}{}:\n", std::string(indent, ' '), key));
    insert_block(end + indent + key.size() + 2, indent + 2, steps);
  }

  void insert_block(std::size_t at, std::size_t indent, const std::vector<NewStep>& steps) {
    std::string block;
    for (const auto& step : steps) {
      block += block_form(step, indent);
    }
    m_text.insert(at, block);
  }

  std::string m_text;
  Node m_root;
};

} // namespace

std::string_view name_of(StepList list) {
  return list == StepList::setup ? "environment.setup" : "prepare";
}

std::string with_steps(std::string text, const std::vector<NewStep>& steps) {
  for (const auto list : {StepList::setup, StepList::prepare}) {
    std::vector<NewStep> its;
    std::copy_if(steps.begin(), steps.end(), std::back_inserter(its), [&](const NewStep& step) {
      return step.list == list;
    });
    if (!its.empty()) {
      Text changed(std::move(text));
      changed.add(list, its);
      text = changed.take();
    }
  }
  return text;
}

} // namespace pyro::spec

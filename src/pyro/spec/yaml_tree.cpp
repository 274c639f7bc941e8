#include "yaml_tree.hpp"

#include "json_escapes.hpp"
#include "yaml_explain.hpp"
#include "yaml_open.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <unordered_map>

namespace pyro::spec {

namespace {

/// Stops the scanner; the diagnostic has been recorded already.
struct Abort {};

/// The scanner counts bytes, editors count characters.
Position place_of(std::string_view source, const std::string& file, const YAML::Mark& mark) {
  const auto line = source.substr(std::min(source.size(), static_cast<std::size_t>(mark.pos - mark.column)));
  return {file, mark.line + 1, column_of(line, static_cast<std::size_t>(mark.column))};
}

class Builder : public YAML::EventHandler {
public:
  Builder(const std::string& file, std::string_view source, std::vector<Diagnostic>& diagnostics)
      : m_file(file), m_source(source), m_diagnostics(diagnostics) {}

  /// For what comes after the first document: nothing may.
  void refuse_documents() { m_refuse = true; }

  Node take_root() { return std::move(m_root); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (m_refuse) {
      fail(mark, "documents", "a second document starts here", "one document per file: remove the '---'");
    }
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = place(mark);
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = m_anchors.find(anchor);
    if (found == m_anchors.end()) {
      fail(mark, "alias_cycle", "this alias stands inside the value that it names", "remove the cycle");
    }
    count_nodes(mark, found->second);
    add(found->second, 0);
  }

  void OnScalar(
      const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
      const std::string& value) override {
    Node node;
    node.kind = NodeKind::scalar;
    node.style = tag == "?" ? ScalarStyle::plain : ScalarStyle::quoted;
    node.text = value;
    node.place = place(mark);
    const auto at = static_cast<std::size_t>(mark.pos);
    const bool is_written = tag == "!" && at < m_source.size() && m_source[at] == '!';
    if (is_written) {
      check_tag(mark, tag, {}); // else it only says that the value is quoted
    } else {
      check_tag(mark, tag, {"?", "!", "", "tag:yaml.org,2002:str"});
    }
    check_quote(mark);
    if (value.find('\0') != std::string::npos) {
      report(node.place, "encoding", "a NUL character cannot be part of a value", "");
    }
    add(std::move(node), anchor);
  }

  void OnSequenceStart(
      const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
      YAML::EmitterStyle::value) override {
    check_tag(mark, tag, {"?", "", "tag:yaml.org,2002:seq"});
    open(NodeKind::list, mark, anchor);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapStart(
      const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
      YAML::EmitterStyle::value) override {
    check_tag(mark, tag, {"?", "", "tag:yaml.org,2002:map"});
    open(NodeKind::map, mark, anchor);
  }

  void OnMapEnd() override { close(); }

private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    bool skip_value = false;             // of a duplicate or bad key: read, then dropped
    std::optional<Position> merge_place; // of its '<<'
    std::string key;
    Position key_place;
    std::unordered_map<std::string, std::size_t> index;
    std::vector<Node> merges;
  };

  Position place(const YAML::Mark& mark) const { return place_of(m_source, m_file, mark); }

  void report(
      Position where, std::string code, std::string message, std::string hint,
      std::optional<Position> other = std::nullopt) {
    m_diagnostics.push_back(
        {Severity::error, std::move(code), std::move(where), "", std::move(message), std::move(hint),
         std::move(other)});
    if (m_diagnostics.size() > 4 * k_max_diagnostics) {
      throw Abort{};
    }
  }

  [[noreturn]] void fail(const YAML::Mark& mark, std::string code, std::string message, std::string hint) {
    report(place(mark), std::move(code), std::move(message), std::move(hint));
    throw Abort{};
  }

  void check_tag(
      const YAML::Mark& mark, const std::string& tag, std::initializer_list<std::string_view> permitted) {
    if (std::find(permitted.begin(), permitted.end(), tag) == permitted.end()) {
      report(
          place(mark), "tag", fmt::format("unknown tag '{}'", tag),
          "quote values that begin with '!'; a tag is never needed, the field decides the type");
    }
  }

  void count_nodes(const YAML::Mark& mark, const Node& node) {
    if (++m_nodes > k_max_nodes) {
      fail(
          mark, "limit", fmt::format("more than {} values after expanding aliases", k_max_nodes),
          "aliases of aliases multiply");
    }
    for (const auto& item : node.items) {
      count_nodes(mark, item);
    }
    for (const auto& entry : node.entries) {
      count_nodes(mark, entry.value);
    }
  }

  static std::size_t depth_of(const Node& node) {
    std::size_t deepest = 0;
    for (const auto& item : node.items) {
      deepest = std::max(deepest, depth_of(item));
    }
    for (const auto& entry : node.entries) {
      deepest = std::max(deepest, depth_of(entry.value));
    }
    return deepest + 1;
  }

  void open(NodeKind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Frame frame;
    frame.node.kind = kind;
    frame.node.place = place(mark);
    frame.anchor = anchor;
    if (m_frames.size() >= k_max_depth) {
      fail(mark, "limit", fmt::format("more than {} levels deep", k_max_depth), "");
    }
    m_frames.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(m_frames.back());
    m_frames.pop_back();
    for (auto& merged : frame.merges) {
      for (auto& entry : merged.entries) {
        if (frame.index.emplace(entry.key, frame.node.entries.size()).second) {
          frame.node.entries.push_back(std::move(entry));
        }
      }
    }
    add(std::move(frame.node), frame.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (++m_nodes > k_max_nodes) {
      report(node.place, "limit", fmt::format("more than {} values", k_max_nodes), "");
      throw Abort{};
    }
    if (anchor != 0) {
      m_anchors[anchor] = node;
    }
    if (m_frames.empty()) {
      m_root = std::move(node);
      return;
    }
    if (m_frames.size() + depth_of_if_nested(node) > k_max_depth + 1) {
      report(node.place, "limit", fmt::format("more than {} levels deep", k_max_depth), "");
      throw Abort{};
    }
    Frame& frame = m_frames.back();
    if (frame.node.kind == NodeKind::list) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      add_key(frame, node);
    } else {
      add_value(frame, std::move(node));
    }
  }

  /// Only an alias can bring depth with it that the stack of frames has not seen.
  static std::size_t depth_of_if_nested(const Node& node) {
    return node.items.empty() && node.entries.empty() ? 1 : depth_of(node);
  }

  void add_key(Frame& frame, const Node& node) {
    frame.has_key = true;
    frame.skip_value = false;
    frame.key_place = node.place;
    if (node.kind != NodeKind::scalar) {
      report(
          node.place, "key", fmt::format("a key must be a text, this is {}", words_for(node.kind)),
          node.kind == NodeKind::map ? "quote values that start with '{' and contain ${…}" : "");
      frame.skip_value = true;
      return;
    }
    frame.key = node.text;
    check_indentation(node.place);
    if (frame.key == "<<" && node.style == ScalarStyle::plain) {
      if (frame.merge_place) {
        report(
            node.place, "duplicate_key", "the key '<<' is here twice",
            fmt::format(
                "merge several with one list: <<: [*a, *b]; the first is at {}",
                to_string(*frame.merge_place)),
            frame.merge_place);
        frame.skip_value = true;
      }
      frame.merge_place = node.place;
      return;
    }
    const auto [first, is_new] = frame.index.emplace(frame.key, frame.node.entries.size());
    if (!is_new) {
      const auto& before = frame.node.entries[first->second].key_place;
      report(
          node.place, "duplicate_key", fmt::format("the key '{}' is here twice", frame.key),
          fmt::format("the first one is at {}", to_string(before)), before);
      frame.skip_value = true;
      return;
    }
    frame.node.entries.push_back({frame.key, node.place, {}});
  }

  /// The scanner takes the end of the file for the end of a quoted text.
  void check_quote(const YAML::Mark& mark) {
    if (const auto at = static_cast<std::size_t>(mark.pos);
        at < m_source.size() && is_open_quote(m_source, at)) {
      fail(
          mark, "yaml", "the quote that begins here has no end",
          fmt::format("close it with {}", m_source[at]));
    }
  }

  /// The scanner takes a tab after spaces for a space; then what belongs to what is a matter of luck.
  void check_indentation(const Position& where) {
    const auto before = line_of(m_source, where.line).substr(0, static_cast<std::size_t>(where.column - 1));
    const auto tab = before.find('\t');
    if (tab != std::string_view::npos && before.find_first_not_of(" \t") == std::string_view::npos) {
      report(
          {m_file, where.line, static_cast<int>(tab) + 1}, "tab", "a tab cannot indent in YAML",
          "use spaces");
    }
  }

  void add_value(Frame& frame, Node node) {
    frame.has_key = false;
    if (frame.skip_value) {
      return;
    }
    if (frame.key == "<<" && !frame.index.contains("<<")) {
      add_merge(frame, std::move(node));
      return;
    }
    frame.node.entries[frame.index.at(frame.key)].value = std::move(node);
  }

  void add_merge(Frame& frame, Node node) {
    if (node.is_list()) {
      for (auto& item : node.items) {
        add_merge(frame, std::move(item));
      }
    } else if (node.is_map()) {
      frame.merges.push_back(std::move(node));
    } else {
      report(
          frame.key_place, "merge", fmt::format("'<<' merges maps, this is {}", words_for(node.kind)),
          fmt::format("write <<: *name of a map; what is named here is at {}", to_string(node.place)),
          node.place);
    }
  }

  std::string m_file;
  std::string_view m_source;
  std::vector<Diagnostic>& m_diagnostics;
  std::vector<Frame> m_frames;
  std::unordered_map<YAML::anchor_t, Node> m_anchors;
  Node m_root;
  bool m_refuse = false;
  std::size_t m_nodes = 0;
};

/// Lets yaml-cpp read from the text without a copy.
class ViewBuffer : public std::streambuf {
public:
  explicit ViewBuffer(std::string_view text) {
    auto* begin = const_cast<char*>(text.data()); // only ever read from
    setg(begin, begin, begin + text.size());
  }
};

std::string without_carriage_returns(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') {
      result += text[i];
    }
  }
  return result;
}

void run_parser(
    const std::string& source, const std::string& file, Builder& builder,
    std::vector<Diagnostic>& diagnostics) {
  try {
    ViewBuffer buffer(source);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    Builder rest(file, source, diagnostics);
    rest.refuse_documents();
    if (parser.HandleNextDocument(builder)) {
      parser.HandleNextDocument(rest);
    }
  } catch (const Abort&) { // recorded
  } catch (const YAML::Exception& error) {
    diagnostics.push_back(explain_yaml_error(
        source, static_cast<std::size_t>(error.mark.pos), place_of(source, file, error.mark), error.msg));
  }
}

} // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) {
      return &entry.value;
    }
  }
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

std::string_view words_for(NodeKind kind) {
  switch (kind) {
  case NodeKind::null:
    return "nothing";
  case NodeKind::scalar:
    return "a single value";
  case NodeKind::list:
    return "a list";
  case NodeKind::map:
    return "a map";
  }
  return "?";
}

Node parse_yaml(std::string_view text, const std::string& file, std::vector<Diagnostic>& diagnostics) {
  if (text.size() > k_max_file_bytes) {
    diagnostics.push_back(
        {Severity::error, "limit", {file, 0, 0}, "", "the file is larger than 1 MiB", "", std::nullopt});
    return {};
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  const std::string source = with_yaml_escapes(without_carriage_returns(text));
  if (auto problem = check_text(source, file)) {
    diagnostics.push_back(std::move(*problem));
    return {};
  }
  Builder builder(file, source, diagnostics);
  run_parser(source, file, builder, diagnostics);
  return builder.take_root();
}

namespace {

void mark_overlay(Node& node, const std::string& profile) {
  node.profile = profile;
  std::erase_if(node.entries, [](const Entry& entry) { return entry.value.kind == NodeKind::null; });
  for (auto& entry : node.entries) {
    mark_overlay(entry.value, profile);
  }
  for (auto& item : node.items) {
    item.profile = profile;
  }
}

} // namespace

void merge_patch(Node& target, const Node& patch, const std::string& profile) {
  for (const auto& entry : patch.entries) {
    const auto same_key = [&](const Entry& other) {
      return other.key == entry.key;
    };
    const auto found = std::find_if(target.entries.begin(), target.entries.end(), same_key);
    if (entry.value.kind == NodeKind::null) {
      if (found != target.entries.end()) {
        target.entries.erase(found);
      }
    } else if (found == target.entries.end()) {
      Entry added = entry;
      mark_overlay(added.value, profile);
      target.entries.push_back(std::move(added));
    } else if (found->value.is_map() && entry.value.is_map()) {
      merge_patch(found->value, entry.value, profile);
    } else {
      const Position before = found->value.place;
      found->value = entry.value;
      found->key_place = entry.key_place;
      mark_overlay(found->value, profile);
      found->value.overrides = before;
    }
  }
}

} // namespace pyro::spec

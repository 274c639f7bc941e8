#include "content.hpp"

namespace pyro::plan {

namespace {

std::vector<Link> with_seed_of(std::vector<Link> chain, const std::vector<Link>& before) {
  const auto here = index_of_point(chain, "seed");
  const auto there = index_of_point(before, "seed");
  if (here && there) {
    chain[*here].inputs = before[*there].inputs;
    rekey(chain);
  }
  return chain;
}

bool has_key(const std::vector<Link>& links, const HexDigest& key) {
  return std::any_of(links.begin(), links.end(), [&](const Link& link) { return link.key == key; });
}

/// Was it made from all of a chain that was applied, or is to be? Not after a reset to an earlier point.
bool stands_on_content(const std::vector<Link>& chain, const Observed& observed) {
  const auto is_of = [&](const std::vector<Link>& links) {
    return std::any_of(links.begin(), links.end(), [&](const Link& link) {
      const bool is_content = link.point == "ready" || link.key == content_key(links);
      return is_content && link.key == observed.base_key;
    });
  };
  return observed.base_key.empty() || is_of(chain) || is_of(observed.applied_links);
}

/// Does it stand on what was applied last, or is to be applied now? The ready point of what was applied last
/// stands on this content as well, whatever the services are now.
bool is_known_base(const std::vector<Link>& chain, const Observed& observed) {
  return observed.base_key.empty() || has_key(chain, observed.base_key)
         || has_key(observed.applied_links, observed.base_key);
}

} // namespace

bool only_seed_tree(const std::vector<Link>& before, const std::vector<Link>& after) {
  if (before.size() != after.size()) {
    return false;
  }
  for (std::size_t i = 0; i < after.size(); ++i) {
    auto difference = link_difference(before[i], after[i]);
    if (!difference) {
      continue;
    }
    Link adopted = after[i];
    for (std::size_t k = 0; k < adopted.inputs.size() && k < before[i].inputs.size(); ++k) {
      if (adopted.inputs[k].name == "seed tree") {
        adopted.inputs[k] = before[i].inputs[k];
      }
    }
    if (after[i].point != "seed" || link_difference(before[i], adopted)) {
      return false;
    }
  }
  return true;
}

std::vector<Link> content_links(const std::vector<Link>& chain) {
  auto links = chain;
  std::erase_if(links, [](const Link& link) { return link.point == "ready"; });
  return links;
}

Content judge_content(const std::vector<Link>& chain, const Observed& observed, spec::OnChange on_change) {
  Content content;
  content.chain = chain;
  const auto before = content_links(observed.applied_links);
  const auto after = content_links(chain);
  if (before.empty()) {
    const bool same = has_key(after, observed.base_key);
    content.verdict = same ? ContentVerdict::same : ContentVerdict::stale;
    return content;
  }
  content.difference = first_difference(before, after);
  if (!content.difference) {
    content.verdict = is_known_base(chain, observed) ? ContentVerdict::same : ContentVerdict::stale;
    return content;
  }
  if (on_change != spec::OnChange::reset && only_seed_tree(before, after)) {
    if (on_change == spec::OnChange::sync) {
      content.verdict = stands_on_content(chain, observed) ? ContentVerdict::sync : ContentVerdict::stale;
      return content;
    }
    content.verdict = ContentVerdict::kept;
    content.chain = with_seed_of(chain, before);
    return content;
  }
  const bool same_image =
      !link_difference(before.front(), after.front()); // not by key: its version may differ
  content.verdict = same_image ? ContentVerdict::stale : ContentVerdict::replaced;
  return content;
}

} // namespace pyro::plan

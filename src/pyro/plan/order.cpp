#include "order.hpp"

#include <set>
#include <tuple>

namespace pyro::plan {

namespace {

using Rank = std::tuple<int, std::size_t, std::string>;

Rank rank_of(const Action& action, const std::vector<Link>& chain) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (chain[i].address == action.address) {
      return {action.apart ? 5 : 0, i, ""}; // what runs is brought up to date first
    }
  }
  if (action.kind == ActionKind::stop) {
    return {1, 0, action.address};
  }
  switch (action.subject) {
  case Subject::workspace:
  case Subject::seed:
    return {2, 0, action.address};
  case Subject::link:
  case Subject::field:
    return {3, 0, action.address};
  case Subject::service:
    return {4, 0, action.address};
  case Subject::snapshot:
    break;
  }
  return {6, 0, action.address};
}

} // namespace

std::vector<Action> in_order(std::vector<Action> actions, const std::vector<Link>& chain) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    index[actions[i].address] = i;
  }
  std::vector<std::vector<std::size_t>> followers(actions.size());
  std::vector<std::size_t> waiting(actions.size());
  for (std::size_t i = 0; i < actions.size(); ++i) {
    auto& after = actions[i].after;
    std::erase_if(after, [&](const std::string& address) {
      return !index.contains(address) || address == actions[i].address;
    });
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
    waiting[i] = after.size();
    for (const auto& address : after) {
      followers[index[address]].push_back(i);
    }
  }
  std::set<std::pair<Rank, std::size_t>> next;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (waiting[i] == 0) {
      next.emplace(rank_of(actions[i], chain), i);
    }
  }
  std::vector<Action> sorted;
  while (!next.empty()) {
    const auto i = next.begin()->second;
    next.erase(next.begin());
    for (const auto follower : followers[i]) {
      if (--waiting[follower] == 0) {
        next.emplace(rank_of(actions[follower], chain), follower);
      }
    }
    sorted.push_back(std::move(actions[i]));
  }
  if (sorted.size() != actions.size()) {
    throw Error(ErrorCode::internal, "the actions of a plan wait for each other");
  }
  return sorted;
}

} // namespace pyro::plan

// A store with layers, recipes and records to collect from.
#pragma once

#include "tree_support.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/store/recipes.hpp>
#include <pyro/store/records.hpp>

#include <gtest/gtest.h>

#include <set>

namespace pyro::store::test {

class GcTest : public ::testing::Test {
protected:
  GcTest() {
    m_base.prepare();
    options.min_age = std::chrono::seconds(0);
    options.recipes.min_age = std::chrono::seconds(0);
  }

  HexDigest layer(const std::string& content) {
    Staging staging = layers.stage();
    write(staging.tree() + "/f", content);
    return layers.publish(std::move(staging), {"test", ""}, os::Durable::no).digest;
  }

  void recipe(
      const std::string& key, const HexDigest& digest, double age, const std::string& address = "s",
      const std::string& workspace = "w") {
    RecipeRecord record;
    record.workspace = workspace;
    record.key = key;
    record.layers = {digest};
    record.address = address;
    record.last_used = os::now_epoch() - age;
    recipes.save(record, os::Durable::no);
  }

  std::set<std::string> collect() {
    report = collect_garbage(m_base, options);
    std::set<std::string> removed;
    for (const GcItem& item : report.removed) {
      removed.insert(item.kind + " " + item.name);
    }
    return removed;
  }

  Scratch scratch;
  Base m_base{scratch / "base"};
  LayerStore layers{m_base};
  RecipeCache recipes{layers};
  WorkspaceRecords records{m_base};
  GcOptions options;
  GcReport report;
};

} // namespace pyro::store::test

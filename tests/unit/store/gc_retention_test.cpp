// Which recipes, and with them layers, a collection leaves although nothing stands on them.
#include "gc_fixture.hpp"

namespace pyro::store::test {

TEST_F(GcTest, RecipesByNumberForEachAddress) {
  options.recipes.keep = 2;
  for (int i = 0; i < 4; ++i) {
    recipe("k" + std::to_string(i), layer(std::to_string(i)), 100 * i);
  }
  recipe("other", layer("other"), 10000, "another step");
  const auto removed = collect();
  EXPECT_TRUE(removed.contains("recipe k2"));
  EXPECT_TRUE(removed.contains("recipe k3"));
  EXPECT_EQ(removed.size(), 4U) << "two recipes and their layers";
  EXPECT_TRUE(recipes.find("k0") && recipes.find("k1") && recipes.find("other"));
}

TEST_F(GcTest, EachWorkspaceKeepsAsManyRecipesAsItsFileSays) {
  options.recipes.keep = 0;
  options.recipes_of["one"] = {1, std::chrono::seconds(0), std::nullopt};
  options.recipes_of["young"] = {0, std::chrono::seconds(150), std::nullopt};
  for (const auto* workspace : {"one", "young", "none"}) {
    for (int i = 0; i < 3; ++i) {
      const auto key = workspace + std::to_string(i);
      recipe(key, layer(key), 100 * i, "s", workspace);
    }
  }
  const auto removed = collect();
  for (const auto* kept : {"one0", "young0", "young1"}) {
    EXPECT_TRUE(recipes.find(kept)) << kept;
  }
  for (const auto* gone : {"one1", "one2", "young2", "none0", "none1", "none2"}) {
    EXPECT_TRUE(removed.contains(std::string("recipe ") + gone)) << gone;
  }
}

TEST_F(GcTest, WhatAWorkspaceWasMadeByStaysWhateverRetentionSays) {
  options.recipes.keep = 0;
  options.images = ImageKeep::in_use;
  const auto image = layer("image");
  const auto other_image = layer("other image");
  const auto used = layer("used");
  recipe("image", image, 1e6, std::string(k_image_address) + "one", "");
  recipe("other-image", other_image, 1, std::string(k_image_address) + "two", "");
  recipe("used", used, 1e6);
  recipe("unused", layer("unused"), 1);
  WorkspacePaths(m_base, "w").create();
  WorkspaceRecord record;
  record.id = "w";
  record.name = "shop";
  record.layers = {image};
  record.links = Json::array({{{"address", "prepare.a"}, {"key", "used"}}});
  records.save(record, os::Durable::no);
  const auto removed = collect();
  EXPECT_TRUE(recipes.find("image") && recipes.find("used"));
  EXPECT_TRUE(removed.contains("recipe unused") && removed.contains("recipe other-image"));
  EXPECT_TRUE(removed.contains("layer " + other_image));
  EXPECT_EQ(layers.list().size(), 2U);
}

TEST_F(GcTest, EachLayerIsCountedOnceAndSaysForWhomItIsKept) {
  const auto shared = layer("1");
  const auto own = layer("22");
  const auto cached = layer("333");
  for (const auto* id : {"gone", "here"}) { // in the order of the alphabet
    WorkspacePaths(m_base, id).create();
    WorkspaceRecord record;
    record.id = record.name = id;
    record.layers = {shared};
    if (record.id == "gone") {
      record.layers.push_back(own);
      record.destroyed_at = 1;
      record.undo = UndoEntry{1, {}, {}, {}, 0, "destroy", 4e9};
    }
    records.save(record, os::Durable::no);
  }
  options.recipes = {0, std::chrono::hours(1), std::nullopt};
  recipe("cached", cached, 0, "s", "name");
  collect();
  std::string told;
  for (const auto& holding : report.holdings) {
    told += fmt::format(
        "{} {} {} {}; ", name_of(holding.kind), holding.name, holding.bytes,
        holding.until ? "ends" : "stays");
  }
  EXPECT_EQ(told, "workspace here 1 stays; destroyed gone 2 ends; steps name 3 ends; ");
  options.without = {"gone"};
  EXPECT_EQ(collect(), std::set<std::string>{"layer " + own});
}

TEST_F(GcTest, RecipesUntilTheStoreFits) {
  recipe("new", layer(std::string(1000, 'a')), 10, "1");
  recipe("old", layer(std::string(1000, 'b')), 20, "2");
  options.recipes.max_size = 1500;
  EXPECT_TRUE(collect().contains("recipe old"));
  EXPECT_TRUE(recipes.find("new"));
  EXPECT_FALSE(recipes.find("old"));
}

} // namespace pyro::store::test

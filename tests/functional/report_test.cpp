// `pyro report`: a page that stands alone, whatever the names of files in it are.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class Report : public Functional {
protected:
  /// Python's parser of HTML: elements close in the order in which they were opened, nothing is fetched from
  /// elsewhere and nothing runs. What text there is.
  std::string text_of(const fs::path& page) {
    const auto result = command(
        {"python3", "-c",
         "import sys, html.parser\n"
         "known = ('lang charset http-equiv content name class style xmlns width height viewbox '\n"
         "  'font-family font-size d fill stroke stroke-dasharray x y rx').split()\n"
         "class Page(html.parser.HTMLParser):\n"
         "  stack, words = [], []\n"
         "  def handle_starttag(self, tag, attributes):\n"
         "    assert tag not in ('script', 'link', 'img', 'iframe', 'object', 'embed', 'form', 'a'), tag\n"
         "    for name, value in attributes:\n"
         "      assert name in known, name\n"
         "      assert 'url(' not in value and ('//' not in value or name == 'xmlns'), value\n"
         "    if tag not in ('meta', 'br'): self.stack.append(tag)\n"
         "  def handle_endtag(self, tag): assert self.stack.pop() == tag, tag\n"
         "  def handle_data(self, data):\n"
         "    assert self.stack[-1:] != ['style'] or ('url(' not in data and '@import' not in data)\n"
         "    self.words.append(data.strip())\n"
         "page = Page()\n"
         "page.feed(open(sys.argv[1], encoding='utf-8').read())\n"
         "page.close()\n"
         "assert not page.stack, page.stack\n"
         "print('\\n'.join(word for word in page.words if word))\n",
         page.string()});
    EXPECT_EQ(result.status, 0) << result;
    return result.out;
  }
};

TEST_F(Report, StandsAloneAndTellsThePlanServicesAndDrift) {
  make_busybox_root(root() / "busybox");
  write_file(project() / "seed/first", "1\n");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\ndescription: '<b>bold</b>'\nenvironment: {image: 'dir:../busybox'}\nseed: "
      "{from: seed}\n"
      "prepare:\n  - {id: build, run: 'echo made > made'}\n"
      "services:\n  web: {command: 'httpd -f -p 8080 -h /tmp', readiness: {tcp: 8080}, ports: ['8080']}\n"
      "snapshots: {start: {at: prepare}}\n");
  const RunOptions options{
      .env = {{"PYRO_TRUST", "1"}, {"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()}}};
  const auto page = root() / "report.html";
  expect(0, {"report", "-o", page.string()}, options);
  auto text = text_of(page);
  EXPECT_TRUE(contains(text, "A workspace that is not there yet\n")) << text;
  EXPECT_TRUE(contains(text, "prepare.build\n")) << text;

  expect(0, {"apply"}, options);
  EXPECT_EQ(inside("echo x > '<script src=x>&amp;'", options).status, 0);
  expect(0, {"report", "-o", page.string()}, options);
  text = text_of(page);
  for (const auto* wanted :
       {"test\n", "<b>bold</b>\n", "No changes.\n", "prepare.build\nin the store\n", "web\nready\n",
        "start\n", "/workspace/<script src=x>&amp;\n"}) {
    EXPECT_TRUE(contains(text, wanted)) << wanted << "\n" << text;
  }
}

} // namespace
} // namespace pyro::testing

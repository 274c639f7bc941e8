// `pyro capture` with the real pip and npm: packages that the tests make themselves, installed by hand, come
// back by the steps that it writes.
#include "../support/files.hpp"
#include "capture.hpp"

namespace pyro::testing {
namespace {

class CapturePackages : public Capture {
public:
  void do_inside(const std::string& script) {
    const auto result = inside("set -e; export PATH=/usr/local/bin:/usr/bin:/bin\n" + script);
    ASSERT_EQ(result.status, 0) << result;
  }

  /// What was installed is what capture writes steps for, and applied they leave nothing to capture. Compiled
  /// files hold the time of their source.
  void comes_back(const std::string& directories, const std::string& what) {
    const auto words = directories + " ! -path '*__pycache__*'";
    const auto seen = tree(words);
    ASSERT_TRUE(contains(seen, what)) << seen;
    const auto proposal = json({"capture", "--write"});
    EXPECT_EQ(proposal["not_reproduced"].size(), 0U) << proposal;
    ASSERT_EQ(tree_made_anew(words), seen) << proposal;
    const auto after = json({"capture"});
    EXPECT_EQ(after["steps"].size(), 0U) << after;
  }
};

/// Wheels of one module with a command each: NAME VERSION [NEEDED…].
constexpr auto k_make_wheels = R"py(import sys, zipfile
def wheel(name, version, *needed):
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"def say():\n    print('{name} {version}')\n",
        f"{name}/data.txt": f"{version}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            + "".join(f"Requires-Dist: {each}\n" for each in needed),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-say = {name}:say\n",
    }
    record = f"{info}/RECORD"
    with zipfile.ZipFile(f"{sys.argv[1]}/{name}-{version}-py3-none-any.whl", "w") as file:
        for path, text in {**files, record: "".join(f"{path},,\n" for path in [*files, record])}.items():
            file.writestr(zipfile.ZipInfo(path), text)
for version in "1.0", "2.0":
    wheel("pyro_hello", version, "pyro_needed")
    wheel("pyro_needed", version)
    wheel("pyro_alone", version)
)py";

class CapturePip : public CapturePackages {
protected:
  void SetUp() override {
    CapturePackages::SetUp();
    if (command({"/usr/bin/python3", "-c", "import pip, venv, ensurepip"}).status != 0) {
      GTEST_SKIP() << "needs this machine's python3 with pip and venv";
    }
    write_file(project() / "seed/make_wheels.py", k_make_wheels);
    write_file(project() / "pyro.yaml", R"(version: 1
name: test
environment:
  image: host
  setup:
    - id: wheels
      inputs: [make_wheels.py]
      run: |
        mkdir -p /opt/wheels
        /usr/bin/python3 make_wheels.py /opt/wheels
        printf '[global]\nno-index = true\nfind-links = /opt/wheels\n' > /etc/pip.conf
      egress: none
seed: {from: seed}
)");
    expect(0, {"apply"});
  }
};

TEST_F(CapturePip, PackagesComeBackWithTheVersionsOfWhatTheyNeed) {
  do_inside("echo pyro_needed==1.0 > /tmp/limits\n"
            "python3 -m pip install --break-system-packages -c /tmp/limits pyro_hello==1.0 pyro_alone");
  comes_back("/usr/local/lib/python3* /usr/local/bin", "pyro_needed-1.0.dist-info");
  EXPECT_EQ(inside("pyro_hello-say").out, "pyro_hello 1.0\n");
  EXPECT_TRUE(contains(read_file(project() / "pyro.yaml"), "captured-packages"));
}

TEST_F(CapturePip, AnotherVersionAndARemovalComeBack) {
  replace_in_file(
      project() / "pyro.yaml", "      egress: none\n",
      "      egress: none\n    - {id: first, run: /usr/bin/python3 -m pip install --break-system-packages "
      "pyro_hello==1.0 pyro_alone==1.0, egress: none}\n");
  expect(0, {"apply", "--yes"});
  do_inside("python3 -m pip install --break-system-packages -U pyro_needed==1.0\n"
            "python3 -m pip uninstall --break-system-packages -y pyro_alone");
  comes_back("/usr/local/lib/python3* /usr/local/bin", "pyro_needed-1.0.dist-info");
}

TEST_F(CapturePip, AVirtualEnvironmentComesBack) {
  do_inside("python3 -m venv /opt/venv && /opt/venv/bin/pip install pyro_hello==2.0");
  comes_back("/opt/venv", "pyro_hello-2.0.dist-info");
  EXPECT_EQ(inside("/opt/venv/bin/pyro_hello-say").out, "pyro_hello 2.0\n");
}

TEST_F(CapturePip, AVirtualEnvironmentInTheCheckoutIsMadeAfterTheSeed) {
  do_inside("cd /workspace && python3 -m venv .venv && .venv/bin/pip install pyro_alone==1.0");
  comes_back("/workspace/.venv", "pyro_alone-1.0.dist-info");
  EXPECT_TRUE(contains(read_file(project() / "pyro.yaml"), "captured-modules"));
}

TEST_F(CapturePip, AFileThatWasInstalledIsInstalledFromThere) {
  do_inside("echo '[global]' > /etc/pip.conf\n"
            "python3 -m pip install --break-system-packages /opt/wheels/pyro_alone-1.0-py3-none-any.whl");
  comes_back("/usr/local/lib/python3* /usr/local/bin /etc/pip.conf", "direct_url.json");
}

TEST_F(CapturePip, ADirectoryOfPackagesComesBack) {
  do_inside("python3 -m pip install --target /opt/vendored pyro_hello==1.0 pyro_needed==1.0");
  comes_back("/opt/vendored", "pyro_needed-1.0.dist-info");
}

/// A registry of npm packages on the loopback of whoever calls npm: it is there for as long as npm runs.
constexpr auto k_registry = R"js(const fs = require('fs'), http = require('http'), crypto = require('crypto');
const [port, directory] = process.argv.slice(2);
const at = `http://127.0.0.1:${port}`;
const names = fs.readdirSync(directory);
http.createServer((request, response) => {
  const file = names.find(name => request.url === '/tarballs/' + name);
  if (file) return response.end(fs.readFileSync(directory + '/' + file));
  const wanted = decodeURIComponent(request.url.slice(1)), versions = {};
  for (const name of names) {
    const [, full, version] = name.match(/^(.*)-(\d+\.\d+\.\d+)\.tgz$/);
    if (full.replace('scope-', '@scope/') !== wanted) continue;
    const integrity = 'sha512-' + crypto.createHash('sha512').update(fs.readFileSync(directory + '/' + name)).digest('base64');
    const more = full === 'pyro-hello' ? {bin: {'pyro-hello': 'say.js'}, dependencies: {'pyro-needed': '^1.0.0'}} : {};
    versions[version] = {name: wanted, version, ...more, dist: {tarball: `${at}/tarballs/${name}`, integrity}};
  }
  const latest = Object.keys(versions).sort().pop();
  if (!latest) { response.statusCode = 404; return response.end('{}'); }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({name: wanted, versions, 'dist-tags': {latest}}));
}).listen(Number(port), '127.0.0.1', () => fs.writeFileSync('/tmp/registry.ready', ''));
)js";

constexpr auto k_make_packages = R"sh(set -e
mkdir -p /opt/packages
pack() {
  rm -rf /tmp/pack && mkdir -p /tmp/pack/package && cd /tmp/pack
  printf '{"name": "%s", "version": "%s"%s}\n' "$1" "$2" "$3" > package/package.json
  printf '#!/usr/bin/env node\nconsole.log("%s %s");\n' "$1" "$2" > package/say.js
  chmod 755 package/say.js
  tar --sort=name --mtime=@0 --owner=0 --group=0 -c package | gzip -n > "/opt/packages/$(echo "$1" | tr -d @ | tr / -)-$2.tgz"
}
for v in 1.0.0 2.0.0; do
  pack pyro-hello $v ', "bin": {"pyro-hello": "say.js"}, "dependencies": {"pyro-needed": "^1.0.0"}'
  pack @scope/tool $v
done
pack pyro-needed 1.0.0
rm -r /tmp/pack
cat > /usr/local/bin/npm <<'END'
#!/bin/sh
rm -f /tmp/registry.ready
node /opt/registry.js 4873 /opt/packages & server=$!
while [ ! -e /tmp/registry.ready ]; do sleep 0.1; done
/usr/bin/npm --registry http://127.0.0.1:4873 "$@"; status=$?
kill $server
exit $status
END
chmod 755 /usr/local/bin/npm
)sh";

class CaptureNpm : public CapturePackages {
protected:
  void SetUp() override {
    CapturePackages::SetUp();
    if (command({"/usr/bin/npm", "--version"}).status != 0) {
      GTEST_SKIP() << "needs this machine's npm";
    }
    write_file(project() / "seed/registry.js", k_registry);
    write_file(project() / "seed/make_packages.sh", k_make_packages);
    write_file(project() / "pyro.yaml", R"(version: 1
name: test
environment:
  image: host
  setup:
    - id: packages
      inputs: [registry.js, make_packages.sh]
      run: cp registry.js /opt/registry.js && sh make_packages.sh
      egress: none
seed: {from: seed}
)");
  }
};

TEST_F(CaptureNpm, GlobalPackagesComeBackWithTheirVersions) {
  expect(0, {"apply"});
  do_inside("npm install --global pyro-hello@1.0.0 @scope/tool@1.0.0");
  comes_back(
      "/usr/lib/node_modules/pyro-hello /usr/lib/node_modules/@scope /usr/bin/pyro-hello", "pyro-needed");
  EXPECT_EQ(inside("pyro-hello").out, "pyro-hello 1.0.0\n");
}

TEST_F(CaptureNpm, AnotherPrefixAndARemovalComeBack) {
  replace_in_file(
      project() / "pyro.yaml", "seed: {",
      "    - {id: first, run: npm install --global --prefix /opt/node pyro-hello@1.0.0 @scope/tool@1.0.0, "
      "egress: "
      "none}\nseed: {");
  expect(0, {"apply"});
  do_inside("npm install --global --prefix /opt/node @scope/tool@2.0.0\n"
            "npm uninstall --global --prefix /opt/node pyro-hello");
  comes_back("/opt/node", "@scope/tool");
}

TEST_F(CaptureNpm, ModulesOfAProjectComeBackByItsLockFile) {
  write_file(
      project() / "seed/app/package.json",
      R"({"name": "app", "version": "1.0.0", "dependencies": {"pyro-hello": "1.0.0", "@scope/tool": "^1.0.0"}})");
  expect(0, {"apply"});
  do_inside("cd app && npm install");
  const auto without = json({"capture"});
  EXPECT_EQ(without["steps"].size(), 1U) << "its lock file is inside: " << without;
  write_file(project() / "seed/app/package-lock.json", inside("cat app/package-lock.json").out);
  expect(0, {"apply", "--yes"});
  do_inside("cd app && npm ci");
  comes_back("/workspace/app/node_modules", "pyro-needed");
}

} // namespace
} // namespace pyro::testing

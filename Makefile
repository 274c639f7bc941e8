# The front door. CMake does the work (CMakePresets.json); this says what there is and installs what it needs.
#
#   make quickstart   from a fresh clone to a running workspace
#   make check        every test, as continuous integration runs them
.DEFAULT_GOAL := help
.PHONY: help quickstart check check-long check-clients build release test asan tsan check-sanitizers tidy format bench install package clean

PREFIX ?= /usr/local
pyro := build/release/bin/pyro
with_threads := supervisor agent protocol
# Their programs run in a jail, where the leak sanitizer finds neither its library nor /proc.
in_a_jail := ^(FirecrackerBackend|Launch|Taps)\.
# Configured once; CMake notices itself what changes later.
configure = test -f build/$(1)/build.ninja || cmake --preset $(1)

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

quickstart: ## install what is missing, build a release, bring up examples/quickstart
	@.ci/install-packages .ci/packages-build .ci/packages-run
	@$(MAKE) --no-print-directory release
	$(pyro) apply -f examples/quickstart/pyro.yaml
	$(pyro) status -f examples/quickstart/pyro.yaml
	@sed 's|@pyro@|$(pyro)|' examples/quickstart/next-steps.txt

check: ## install what the tests need, build, run every test (as root: also as an ordinary user)
	@.ci/install-packages .ci/packages-build .ci/packages-run .ci/packages-test
	@$(MAKE) --no-print-directory build
	@.ci/test-all build/dev

check-long: ## the same with every case where `check` tries some: all kills, all limits (two hours)
	@PYRO_TEST_LONG=1 $(MAKE) --no-print-directory check

check-clients: build ## what others wrote, with ours: MCP clients, a YAML language server, validators of actions and schemas (npm, network)
	@tests/mcp/clients/run build/dev/bin/pyro
	@tests/editors/run build/dev/bin/pyro
	@tests/specs/ajv/run

build: ## development build in build/dev: warnings are errors
	@$(call configure,dev)
	@cmake --build --preset dev

release: ## release build in build/release
	@$(call configure,release)
	@cmake --build --preset release

test: build ## the everyday loop: all tests but those that need a network or minutes
	@ctest --preset dev -j $$(nproc) -LE 'network|slow'

asan: ## unit and contract tests under the address and undefined-behaviour sanitizers
	@$(call configure,asan)
	@cmake --build --preset asan
	@ctest --preset asan -j $$(nproc) -L 'unit|contract|fuzz'

check-sanitizers: ## what stands in CONTRIBUTING.md: unit tests and the contract on namespaces; threads and processes
	@$(call configure,asan)
	@cmake --build --preset asan --target tests/unit/all tests/contract/all
	@$(call configure,tsan)
	@cmake --build --preset tsan --target $(foreach folder,$(with_threads),tests/unit/$(folder)/all) pyro_agent capi_stress_program
	@$(call configure,dev)
	@cmake --build --preset dev --target capi pyro_agent
	@cp build/dev/bin/pyro-agent build/asan/bin/ # inside a sandbox is no library of a sanitizer
	@result=0; \
	ctest --test-dir build/asan/tests/unit --output-on-failure -j $$(nproc) -E '$(in_a_jail)' || result=1; \
	ctest --test-dir build/asan/tests/contract --output-on-failure -j $$(nproc) -R /namespaces || result=1; \
	for folder in $(with_threads); do \
	  ctest --test-dir build/tsan/tests/unit/$$folder --output-on-failure -j $$(nproc) || result=1; \
	done; \
	PYRO_TEST_LONG=1 PYRO_TEST_STRESS=$(CURDIR)/build/tsan/tests/capi/stress/capi_stress \
	  build/dev/tests/capi/capi --gtest_filter='CApiThreads.*' || result=1; exit $$result

tsan: ## unit and contract tests under the thread sanitizer
	@$(call configure,tsan)
	@cmake --build --preset tsan
	@ctest --preset tsan -j $$(nproc) -L 'unit|contract'

tidy: build ## clang-tidy over all sources, and each compiled on its own (.ci/check-sources build/dev: over what changed)
	@.ci/check-sources build/dev --all

format: ## clang-format over our sources
	@find src tests cmake \( -name '*.cpp' -o -name '*.hpp' -o -name '*.c' \) -print0 | xargs -0 clang-format-14 -i

bench: release ## the speed goals, beside what people would use instead (FILES=100000 by default)
	@python3 bench/bench.py --pyro $(pyro) --files $(or $(FILES),100000) --json build/bench.json

install: release ## install below PREFIX (default /usr/local)
	cmake --install build/release --prefix $(PREFIX)

package: release ## the .deb packages and a tar.zst for any x86-64 Linux, in build/release (network, the first time)
	@cmake --build --preset release --target package portable
	@.ci/portable-archive build/release

clean: ## remove the builds
	rm -rf build

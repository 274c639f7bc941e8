#!/bin/sh
# A plain shell job: a clean sandbox, the tests, their exit code. Works on any runner that has pyro.
set -eu
cd "$(dirname "$0")"
export CI=true                                  # plain lines, no questions

trap 'pyro destroy --yes' EXIT                  # nothing stays, whatever happens
pyro apply --profile ci --yes
pyro exec -- /usr/bin/python3 -m unittest -v    # its exit code is this job's

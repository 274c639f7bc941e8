#!/usr/bin/env bats

slug() { "$BATS_TEST_DIRNAME/../bin/slug" "$@"; }

@test "words are joined by dashes" {
  [ "$(slug Hello, World)" = hello-world ]
}

@test "nothing but dashes in the middle" {
  [ "$(slug '  --So it   goes!  ')" = so-it-goes ]
}

@test "without a text it says how it is used" {
  run slug
  [ "$status" -eq 64 ]
  [[ "$output" == usage:* ]]
}

#!/bin/sh
# Takes jobs out of inbox/ and leaves their results in done/.
echo 'worker is ready'
while :; do
  for job in inbox/*; do
    [ -e "$job" ] || continue
    name=${job#inbox/}
    echo "doing $name"
    tr a-z A-Z <"$job" >"$name.part" && mv "$name.part" "done/$name" && rm "$job"
  done
  sleep 0.1
done

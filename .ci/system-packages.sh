#!/bin/sh
# What the tests use beside npm's packages, on Debian and Ubuntu; run as root. Redis is not among them: without one on
# the PATH, .ci/redis.mjs fetches it.
set -eu
apt-get update
apt-get install -y --no-install-recommends python3-requests python3-redis

#!/usr/bin/env bash
# Runs a command with a real Apache Kafka (KRaft, one broker) and a real Redis beside it, on free ports, with data in a folder of their own:
#
#   deploy/local/engines.sh go test ./gateway/...
#
# The command finds them in EINMAL_TEST_KAFKA and EINMAL_TEST_REDIS (host:port). Both are stopped, and their data removed, when it ends.
# Needs Java 17, Maven (for the broker's published artifacts) and redis-server; says what is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "$here/../.." && pwd)/.build/kafka

missing=()
for tool in java mvn redis-server; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "engines.sh: not found: ${missing[*]}. On Debian: apt-get install default-jre-headless maven redis-server" >&2
  exit 3
fi

free_port() { # a port that nobody listens on at present
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
}

if [ ! -e "$build/complete" ]; then
  mkdir -p "$build"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$build/libs" >&2
  touch "$build/complete"
fi

data=$(mktemp -d)
kafka_port=$(free_port) controller_port=$(free_port) redis_port=$(free_port)
kafka_pid= redis_pid=
stop() {
  trap - EXIT
  [ -z "$kafka_pid" ] || kill "$kafka_pid" 2>/dev/null || true
  [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$data"
}
trap stop EXIT

cat > "$data/server.properties" <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
listeners=PLAINTEXT://127.0.0.1:$kafka_port,CONTROLLER://127.0.0.1:$controller_port
controller.listener.names=CONTROLLER
log.dirs=$data/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
CONFIG
kafka() { java -Xmx512m -cp "$build/libs/*" "$@"; }
kafka kafka.tools.StorageTool format -t "$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '=')" -c "$data/server.properties" >"$data/format.log" 2>&1 ||
  { cat "$data/format.log" >&2; exit 3; }
java -Xmx512m -cp "$build/libs/*" kafka.Kafka "$data/server.properties" >"$data/kafka.log" 2>&1 &
kafka_pid=$!
redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$data" --appendonly yes --maxmemory-policy noeviction --databases 64 >"$data/redis.log" 2>&1 &
redis_pid=$!

wait_for() { # name port log
  for _ in $(seq 300); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then return; fi
    sleep 0.2
  done
  echo "engines.sh: $1 did not start" >&2
  tail -20 "$3" >&2
  exit 3
}
wait_for Kafka "$kafka_port" "$data/kafka.log"
wait_for Redis "$redis_port" "$data/redis.log"

echo "engines.sh: Apache Kafka at 127.0.0.1:$kafka_port, Redis $(redis-server --version | sed -E 's/.*v=([0-9.]+).*/\1/') at 127.0.0.1:$redis_port" >&2
EINMAL_TEST_KAFKA=127.0.0.1:$kafka_port EINMAL_TEST_REDIS=127.0.0.1:$redis_port "$@"

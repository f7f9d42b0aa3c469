set shell := ["bash", "-euo", "pipefail", "-c"]
set positional-arguments
set dotenv-load
set no-exit-message

py := "uv run --frozen"
compose := env("COMPOSE", "docker compose")
fleets := "--ignore tests/faults --ignore tests/e2e --ignore tests/deploy --ignore tests/mutants --ignore tests/simulation --ignore tests/benchmarks"

# Local commands use the emulator of `just up`, unless .env or the environment names another SQS. Their long polls are
# short, because a worker that is interrupted waits for them.
local := "STREAMAPP_WAIT_SECONDS=${STREAMAPP_WAIT_SECONDS:-1} AWS_ENDPOINT_URL=${AWS_ENDPOINT_URL:-http://localhost:4566} AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-test} AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-test} " + py

# list the recipes
[private]
default:
    @just --list --unsorted

# install everything from the lock file
[group('setup')]
setup:
    uv sync --frozen

# a lunch rush through an embedded SQS and Redis
[group('local')]
demo *args:
    @{{ py }} streamapp demo "$@"

# SQS and Redis in Docker, and the queues; `just down` stops them
[group('local')]
up: engine
    {{ compose }} up -d --wait
    @{{ local }} streamapp queues create

[private]
engine:
    @{{ compose }} ps >/dev/null 2>&1 || { echo "streamapp: \`{{ compose }}\` does not answer: start Docker, or name another engine (COMPOSE='podman compose'), or do without: uv run just up-native" >&2; exit 3; }

# the same without Docker, in the foreground, e.g.: just up-native --emulator ministack
[group('local')]
up-native *args:
    @{{ py }} python local/native.py "$@"

# a worker that restarts when the code changes
[group('local')]
dev *args:
    @{{ local }} python local/dev.py --log-format console "$@"

# run the worker once
[group('local')]
worker *args:
    @{{ local }} python -m streamapp worker "$@"

# what happens to each message, e.g.: just tail pedido-events -n 20
[group('local')]
tail *args:
    @{{ local }} streamapp tail "$@"

# order lifecycles into the queues, e.g.: just seed --orders 50 --seed 7
[group('local')]
seed *args:
    @{{ local }} streamapp seed "$@"

# the kitchen's board, e.g.: just board cliente
[group('local')]
board *args:
    @{{ local }} streamapp board "$@"

# what is wrong with queues, Redis and settings, and how to repair it
[group('local')]
doctor *args:
    @{{ local }} streamapp doctor "$@"

# any other command on what runs here, e.g.: just streamapp show 80005
[group('local')]
streamapp *args:
    @{{ local }} streamapp "$@"

# stop the SQS and Redis of `just up`; Redis keeps its data
[group('local')]
down: engine
    {{ compose }} down --remove-orphans

# stop them and delete all their data
[confirm('Delete the local queues and all local Redis data? (y/N)')]
[group('local')]
nuke: engine
    {{ compose }} down --volumes --remove-orphans

# logs of SQS and Redis
[group('local')]
logs *args: engine
    @{{ compose }} logs --follow --tail 100 "$@"

# all tests, on real servers that they start themselves
[group('quality')]
test *args:
    @{{ py }} pytest -n auto "$@"

# the tests that start no fleet of processes, on the newest Python of this machine; `just test` runs on the oldest
[group('quality')]
test-newest *args:
    #!/usr/bin/env bash
    set -euo pipefail
    newest=$({{ py }} python local/newest_python.py)
    [ -n "$newest" ] || { echo "skipped: this machine has no Python that is newer than 3.11"; exit 0; }
    exec uv run --frozen --isolated --python "$newest" pytest -n auto tests {{ fleets }} "$@"

# the tests that keep state, on a Redis Cluster of three
[group('quality')]
test-cluster *args:
    @{{ py }} pytest -n auto --cluster tests/pipeline tests/outbox tests/redis tests/state tests/observe tests/flow tests/worker tests/declared tests/sqs tests/web/test_health.py tests/e2e/test_samples.py tests/e2e/test_named_cases.py tests/cli/tail/test_tail.py tests/cli/board tests/cli/doctor/test_doctor.py "$@"

# the end-to-end tests on another SQS, e.g.: just integration localstack (or ministack)
[group('quality')]
integration emulator='localstack':
    {{ py }} python local/integration.py {{ emulator }}

# one fault row (a test that breaks something) in its long form, e.g.: just faults 7; without a number all of them
[group('quality')]
faults row='':
    @{{ py }} pytest tests/faults {{ if row == '' { '' } else { '-k row_' + if row =~ '^.$' { '0' + row } else { row } } }} --long -q --timeout 1800

# what a message costs, compared with other consumers; `--quick` takes less than 3 minutes
[group('quality')]
bench *args:
    @uv run --frozen --group bench python -m benchmarks "$@"

# the fault rows of the table in docs/guarantees.md, on real processes: hours in all; e.g.: just chaos -k row_08
[group('quality')]
chaos *args:
    @{{ py }} pytest tests/faults --long -q --timeout 7200 --figures docs/guarantees.md -k 'row_01 or row_02 or row_06 or row_08 or row_09 or row_16 or row_30' "$@"

# workers in a thousand simulated worlds that go wrong, each from a seed; one of them again: just simulate --seed 7
[group('quality')]
simulate *args:
    @PYTHONPATH=tests {{ py }} python -m simulation "$@"

# style, types, layers, dependencies
[group('quality')]
lint:
    {{ py }} ruff check .
    {{ py }} ruff format --check .
    {{ py }} mypy
    {{ py }} pyright
    {{ py }} lint-imports
    {{ py }} deptry streamapp agents codecs
    {{ py }} deptry tests benchmarks docs examples local --ignore DEP002,DEP004
    {{ py }} python local/clock_readings.py

# read the AsyncAPI document with the official parser, and generate models from it with the official generator; needs npm
[group('docs')]
docs-check:
    npm ci --silent --no-audit --no-fund --prefix docs/parser
    @{{ py }} pytest -q tests/declared/test_asyncapi_tools.py

# repair style where a machine can
[group('quality')]
fmt:
    {{ py }} ruff check --fix .
    {{ py }} ruff format .

# what CI runs
[group('quality')]
check: lint test

# write what is generated: .env.example, docs/configuration.md, docs/asyncapi.json, docs/tap-record.json
[group('docs')]
docs:
    {{ py }} streamapp schema -o docs/asyncapi.json
    {{ py }} streamapp schema --format tap -o docs/tap-record.json
    {{ py }} streamapp config --env-example > .env.example
    {{ py }} streamapp config --markdown > docs/configuration.md

# the pictures in docs/, drawn from the work of a real worker
[group('release')]
screenshots:
    {{ py }} python docs/screenshots.py

# the wheel and the source distribution
[group('release')]
build:
    uv build

# the container image, e.g.: just image 0.1.0
[group('release')]
image tag='dev':
    docker build -t streamapp:{{ tag }} .

# list of everything in the image, as CycloneDX in dist/sbom.json
[group('release')]
sbom:
    mkdir -p dist
    uv export --frozen --no-dev --no-emit-project --extra fast --extra otel -o dist/requirements.txt -q
    uvx --from cyclonedx-bom==7.5.0 cyclonedx-py requirements dist/requirements.txt -o dist/sbom.json

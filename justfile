set shell := ["bash", "-euo", "pipefail", "-c"]
set positional-arguments

py := "uv run --frozen"

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
[no-exit-message]
demo *args:
    @{{ py }} streamapp demo "$@"

# create the queues at AWS_ENDPOINT_URL
[group('local')]
queues:
    {{ py }} streamapp queues create

# run the worker
[group('local')]
[no-exit-message]
worker *args:
    @{{ py }} python -m streamapp worker "$@"

# order lifecycles into the queues, e.g.: just seed --orders 50 --seed 7
[group('local')]
[no-exit-message]
seed *args:
    @{{ py }} streamapp seed "$@"

# all tests, on real servers that they start themselves
[group('quality')]
test *args:
    @{{ py }} pytest -n logical "$@"

# one fault row in its long form, with its figure, e.g.: just faults 7; without a number all of them
[group('quality')]
faults row='':
    @{{ py }} pytest tests/faults {{ if row == '' { '' } else { '-k row_' + if row =~ '^.$' { '0' + row } else { row } } }} --long -q --timeout 1800

# style, types, layers
[group('quality')]
lint:
    {{ py }} ruff check .
    {{ py }} ruff format --check .
    {{ py }} mypy
    {{ py }} pyright
    {{ py }} lint-imports

# mend what can be mended by machine
[group('quality')]
fmt:
    {{ py }} ruff check --fix .
    {{ py }} ruff format .

# what CI runs
[group('quality')]
check: lint test

# write again what is generated: .env.example
[group('docs')]
docs:
    {{ py }} streamapp config --env-example > .env.example

# the wheel and the source distribution
[group('release')]
build:
    uv build

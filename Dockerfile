# syntax=docker/dockerfile:1
FROM ghcr.io/astral-sh/uv:0.13.9-python3.13-trixie-slim AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
# The packages first: they change less often than the code.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev --no-install-project --extra fast --extra otel
COPY README.md LICENSE ./
COPY streamapp streamapp
COPY agents agents
COPY codecs codecs
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev --no-editable --extra fast --extra otel

FROM python:3.13-slim-trixie
# The kernel drops a SIGTERM for process 1 while that has no handler: until Python runs, the init has one.
# Without a version: Debian keeps one in a release, the one with its security fixes.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STREAMAPP_HTTP=*:8080
WORKDIR /app
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# The standard library alone: a probe that imports the AWS client costs a second of CPU each time.
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
ENTRYPOINT ["tini", "--", "streamapp"]
CMD ["worker"]

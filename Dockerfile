# One command (memsync), one user without rights (10001), one folder to write into (/data). docs/deploy.md says how to use it:
#   docker build -t memsync .
#   docker run --rm --read-only --tmpfs /tmp -v memsync-state:/data --env-file .env memsync run
# A base that never changes: --build-arg BASE=python:3.13-slim-trixie@sha256:...
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements-build.lock requirements-run.lock ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: --requirement requirements-build.lock \
    && python -m venv --without-pip /opt/memsync \
    && /opt/build/bin/pip --python /opt/memsync/bin/python install \
        --require-hashes --only-binary :all: --requirement requirements-run.lock
COPY pyproject.toml README.md ./
COPY connectors connectors
COPY state state
COPY sync sync
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/build/bin/pip --python /opt/memsync/bin/python install --no-deps --no-index /wheels/*.whl

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="memsync" \
      org.opencontainers.image.description="Copies records from Salesforce, HubSpot and Postgres into Personize memory" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 memsync \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin memsync \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=build /opt/memsync /opt/memsync
WORKDIR /app
COPY mappings mappings
ENV PATH=/opt/memsync/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MEMSYNC_MAPPINGS=/app/mappings \
    MEMSYNC_STATE_URL=sqlite:////data/memsync-state.db
USER 10001:10001
VOLUME ["/data"]
# For `memsync serve`; a run ends long before the first check.
HEALTHCHECK --interval=5m --timeout=30s --start-period=15m CMD ["memsync", "health", "--max-age", "3h"]
ENTRYPOINT ["memsync"]
CMD ["run"]

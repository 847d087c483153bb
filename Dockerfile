# mailproof as a container that needs no root, no network but the server's, and no writable file but the results:
#
#   docker build --tag mailproof .
#   docker run --rm --read-only --user "$(id -u):$(id -g)" --volume "$PWD/out:/mailproof/out" mailproof run quickstart

# The compiler is for the native lane, and stays behind.
FROM python:3.13-slim-trixie AS build
# The tag pins the distribution, whose mirrors keep only its newest compiler.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY constraints.txt hatch_build.py pyproject.toml README.md LICENSE mailproof.py ./
COPY conformance ./conformance
COPY loadgen ./loadgen
COPY reports ./reports
COPY scenarios ./scenarios
RUN python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python --disable-pip-version-check install --no-cache-dir \
        --constraint constraints.txt .

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="mailproof" \
      org.opencontainers.image.description="Load tester and conformance suite for SMTP, LMTP and POP3 servers" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 mailproof \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /mailproof --shell /usr/sbin/nologin mailproof \
    && install -d -o mailproof -g mailproof /mailproof/out
COPY --from=build /venv /venv
# What is written for a moment (matplotlib's fonts, the embedded server's certificate) goes where the results go: with
# --read-only there is no other place.
ENV PATH=/venv/bin:$PATH \
    TMPDIR=/mailproof/out \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /mailproof
USER 10001:10001
HEALTHCHECK NONE
ENTRYPOINT ["mailproof"]
CMD ["--help"]

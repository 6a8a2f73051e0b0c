# Causeway: one image, every worker; `docker run causeway:0.1.0 COMMAND` is `causeway COMMAND`.

# Everything is installed from hash-locked wheels into a folder that the second stage copies.
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/causeway
COPY requirements.lock .
RUN /opt/causeway/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md ./
COPY monitor monitor
COPY workers workers
COPY dashboards dashboards
RUN /opt/causeway/bin/pip install "setuptools>=80" && \
    /opt/causeway/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11.13-slim-bookworm
COPY --from=build /opt/causeway /opt/causeway
# Volumes mounted on these folders take over their owner.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin causeway && \
    install -d -o causeway -g causeway /var/lib/causeway /etc/causeway
ENV PATH=/opt/causeway/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
USER 10001:10001
WORKDIR /var/lib/causeway
EXPOSE 8080
ENTRYPOINT ["causeway"]
CMD ["--help"]

# The book in a container: Linux on x86-64. On other machines: docker build --platform linux/amd64.
#
#   docker build -t deepfm_tutorial .
#   docker run --rm -p 8888:8888 deepfm_tutorial                JupyterLab on the chapters
#   docker run --rm -v "$PWD/out:/out" deepfm_tutorial sh -c 'make book && cp -r _build/html /out'

FROM debian:bookworm-slim AS system
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git make python3 python3-venv \
    # MXNet's files for ARM were linked to libraries that nobody ships: tools/install.py links these.
    && if [ "$(uname -m)" = aarch64 ]; then \
        apt-get install --yes --no-install-recommends libopenblas0-pthread liblapacke; fi \
    && rm -rf /var/lib/apt/lists/*

FROM system
RUN useradd --create-home reader
USER reader
WORKDIR /home/reader/deepfm_tutorial
# First what the environment is made of, so that a change of a chapter does not install it anew.
COPY --chown=reader Makefile README.md pyproject.toml requirements.txt ./
COPY --chown=reader src src
COPY --chown=reader tools tools
RUN make .venv/installed
COPY --chown=reader . .
EXPOSE 8888
CMD [".venv/bin/jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "notebooks"]

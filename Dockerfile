# scorebounds with all it needs. `docker build -t scorebounds .`, then, in the folder of an analysis,
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/analysis" scorebounds --cores 2
FROM python:3.11.14-slim-bookworm

# Another index for a build of PyTorch, for example https://download.pytorch.org/whl/cpu
ARG PIP_EXTRA_INDEX_URL=""

COPY requirements.txt constraints.txt /scorebounds/
RUN pip install --no-cache-dir -r /scorebounds/requirements.txt -c /scorebounds/constraints.txt

COPY Snakefile config.yaml LICENSE /scorebounds/
COPY config /scorebounds/config
COPY data/datasets.tsv /scorebounds/data/datasets.tsv
COPY envs /scorebounds/envs
COPY profiles /scorebounds/profiles
COPY workflow /scorebounds/workflow

# Whoever runs it may have no home here.
ENV HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /analysis
ENTRYPOINT ["snakemake", "--snakefile", "/scorebounds/Snakefile"]

# The one image of every Airflow service, made from the same lock as the laptop's environment.
FROM python:3.11-slim-bookworm

ENV AIRFLOW_HOME=/opt/airflow \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

# A fresh named volume takes over owner and mode of the folder it is mounted on.
RUN useradd --uid 50000 --user-group --no-create-home --home-dir /opt/airflow engagement \
    && install -d -o engagement -g engagement /opt/airflow /opt/airflow/logs \
    && install -d -o engagement -g engagement -m 0700 /opt/engagement/var /opt/engagement/var/opt-outs

WORKDIR /opt/engagement

# --compile: without bytecode every task would compile its imports again.
COPY requirements.lock ./
RUN pip install --compile --only-binary=:all: --no-deps --require-hashes -r requirements.lock

# Editable: the package finds include/ beside itself.
COPY pyproject.toml ./
COPY include/ include/
COPY plugins/ plugins/
COPY dags/ dags/
COPY expectations/ expectations/
RUN pip install --no-deps --no-build-isolation --editable . \
    && python -m compileall -q include plugins dags

USER engagement

"""The production stack is checked, not run: against the specification and the project's own names."""

import ast
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from sqlalchemy.engine import make_url

from engagement.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
IMAGE = f"engagement:{tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['version']}"
HOME = "/opt/engagement"

EXPECTED = {
    "api-server", "scheduler", "dag-processor", "triggerer", "worker-default", "worker-mail",
    "init", "postgres", "redis", "unsubscribe", "mailcatcher",
}  # fmt: skip
AIRFLOW = EXPECTED - {"init", "postgres", "redis", "unsubscribe", "mailcatcher"}
WORKERS = {"worker-default", "worker-mail"}
LAPTOP_ONLY = {"ENGAGEMENT_CLOCK_FILE"}  # production lives in real time
OPTIONAL = (
    "AIRFLOW_CONN_BOUNCES",
    "AIRFLOW_CONN_JOURNAL",
    "AIRFLOW_CONN_LIMESURVEY",
)  # of who sends surveys
SECRET = re.compile(
    r"(KEY|SECRET|PASSWORD|SQL_ALCHEMY_CONN.*|RESULT_BACKEND|WAREHOUSE_URL)$|^AIRFLOW_CONN_"
)


def environment(service: str) -> dict[str, str]:
    return SERVICES[service].get("environment", {})


ENVIRONMENT = {name: value for service in SERVICES for name, value in environment(service).items()}


def script(service: str) -> list[list[str]]:
    """Return the lines that a service's shell runs, each as its words."""
    return [shlex.split(line) for line in SERVICES[service]["command"][-1].splitlines()]


def airflow_commands() -> list[list[str]]:
    """Return every `airflow ...` of the stack: services, health checks, the init script."""
    commands = [SERVICES[name]["command"] for name in sorted(AIRFLOW)]
    commands += [SERVICES[name]["healthcheck"]["test"][1:] for name in sorted(AIRFLOW)]
    return [words for words in commands + script("init") if words[0] == "airflow"]


def test_the_file_follows_the_compose_specification() -> None:
    schema = json.loads((ROOT / "tests/data/compose-spec.json").read_text(encoding="utf-8"))
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)
    errors = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(COMPOSE)
    ]
    assert errors == []


def test_the_expected_services_and_no_others() -> None:
    assert set(SERVICES) == EXPECTED
    profiles = {name: own["profiles"] for name, own in SERVICES.items() if "profiles" in own}
    assert profiles == {"unsubscribe": ["unsubscribe"], "mailcatcher": ["try"]}


def test_env_example_has_every_variable_and_no_other() -> None:
    used = set(re.findall(r"(?<!\$)\$\{?([A-Za-z_]\w*)", TEXT))
    given = re.findall(r"^(\w+)=", EXAMPLE, re.M)
    assert len(used) > 10
    assert sorted(given) == sorted(used)


def test_secrets_come_from_env_and_have_no_default() -> None:
    secrets = {name: value for name, value in ENVIRONMENT.items() if SECRET.search(name)}
    assert len(secrets) > 10
    for name in OPTIONAL:
        assert secrets.pop(name) == f"${{{name}:-}}"
    for name, value in secrets.items():
        assert re.search(r"\$\{\w+:\?set it in .env[^}]+\}", value), f"{name} has a default"
        given = re.sub(r"\$\{[^}]*\}", "", value)
        assert not given or re.fullmatch(r"[a-z0-9+]+://[a-z]+:@postgres/[a-z]+", given), name
    required = set(re.findall(r"\$\{(\w+):\?", "".join(secrets.values())))
    values = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.M))
    filled = {name for name in required if values[name]}
    assert filled == {"AIRFLOW_CONN_SMTP_DEFAULT"}  # the mail catcher's, which has no password
    assert "password" not in values["AIRFLOW_CONN_SMTP_DEFAULT"]


def test_connections_in_the_example_are_connections() -> None:
    found = dict(re.findall(r"^(?:# )?AIRFLOW_CONN_(\w+)='(.+)'$", EXAMPLE, re.M))
    assert set(found) == {"LIBRARY", "SMTP_DEFAULT", "BOUNCES", "LIMESURVEY"}
    library, mail = json.loads(found["LIBRARY"]), json.loads(found["SMTP_DEFAULT"])
    fields = {"conn_type", "host", "port", "schema", "login", "password", "extra"}
    assert set(library) == fields
    assert make_url(f"{library['extra']['drivername']}://").get_dialect().name == "postgresql"
    assert mail["host"] in SERVICES
    assert set(mail) < fields
    assert set(json.loads(found["BOUNCES"])) < fields


def test_engagement_variables_are_settings_and_none_is_missing() -> None:
    # How many tasks read is asked when a DAG is parsed, which takes no settings: they cost too much then.
    # The mail server of commands is one of their options.
    known = {f"ENGAGEMENT_{name.upper()}" for name in (*Settings.model_fields, "shards", "smtp")}
    used = {name for name in ENVIRONMENT if name.startswith("ENGAGEMENT_")}
    assert used <= known
    for worker in WORKERS:
        assert known - LAPTOP_ONLY == {
            n for n in environment(worker) if n.startswith("ENGAGEMENT_")
        }
    shared = used - {"ENGAGEMENT_ADDRESS_KEY", "ENGAGEMENT_WAREHOUSE_URL", "ENGAGEMENT_SMTP"}
    for service in AIRFLOW | {"init"}:
        assert shared <= set(environment(service)), service
    assert environment("worker-mail")["ENGAGEMENT_MAIL"].endswith(":-caught}")


def test_only_workers_init_and_the_page_for_unsubscribing_reach_the_warehouse() -> None:
    holders = {s for s in EXPECTED if "ENGAGEMENT_WAREHOUSE_URL" in environment(s)}
    assert holders == WORKERS | {"init", "unsubscribe"}


def test_the_page_for_unsubscribing_gets_what_it_needs_and_nothing_of_airflow() -> None:
    needed = {"WAREHOUSE_URL", "ADDRESS_KEY", "UNSUBSCRIBE_URL"}
    assert set(environment("unsubscribe")) == {f"ENGAGEMENT_{name}" for name in needed}
    clicks = "opt-outs:/opt/engagement/var/opt-outs"
    assert SERVICES["unsubscribe"]["volumes"] == [clicks]
    assert all(clicks in SERVICES[worker]["volumes"] for worker in WORKERS)
    assert SERVICES["unsubscribe"]["read_only"] is True
    program, *words = SERVICES["unsubscribe"]["command"]
    assert program == "engagement"
    code = "import sys; from engagement.cli import main; sys.argv[0] = 'engagement'; main()"
    asked = {
        n: v for n, v in os.environ.items() if not n.startswith("ENGAGEMENT_")
    }  # as if nobody had set the address
    ran = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, env=asked, timeout=60
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("ENGAGEMENT_UNSUBSCRIBE_URL is not set")


def test_only_workers_hold_the_connections_and_only_the_page_beside_them_the_address_key() -> None:
    connections = {"AIRFLOW_CONN_LIBRARY", "AIRFLOW_CONN_SMTP_DEFAULT"}
    for service in EXPECTED - WORKERS:
        assert not connections & set(environment(service)), service
    holders = {s for s in EXPECTED if "ENGAGEMENT_ADDRESS_KEY" in environment(s)}
    assert holders == WORKERS | {"unsubscribe"}


def test_airflow_variables_are_options_of_this_airflow() -> None:
    from airflow.configuration import conf

    options = conf.configuration_description
    names = [name.split("__") for name in ENVIRONMENT if name.startswith("AIRFLOW__")]
    assert len(names) > 10
    unknown = [
        f"[{section}] {option}"
        for _, section, option in names
        if option.lower() not in options.get(section.lower(), {}).get("options", {})
    ]
    assert unknown == []
    for service in AIRFLOW | {"init"}:
        assert {"__".join(name) for name in names} <= set(environment(service)), service


def test_every_queue_that_is_used_has_a_worker_and_no_worker_waits_for_nothing() -> None:
    served = {
        SERVICES[name]["command"][SERVICES[name]["command"].index("-q") + 1] for name in WORKERS
    }
    default = ENVIRONMENT["AIRFLOW__OPERATORS__DEFAULT_QUEUE"]
    files = [*(ROOT / "dags").glob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    asked = {
        keyword.value.value
        for file in files
        for keyword in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(keyword, ast.keyword)
        and keyword.arg == "queue"
        and isinstance(keyword.value, ast.Constant)
    }
    assert asked, "no DAG names a queue"
    assert served == asked | {default}


def test_airflow_takes_every_command() -> None:
    commands = airflow_commands()
    assert {words[1] for words in commands} == {
        "api-server", "scheduler", "dag-processor", "triggerer", "celery", "jobs", "db", "users",
    }  # fmt: skip
    code = (
        "import json, sys; from airflow.cli.cli_parser import get_parser; parser = get_parser();"
        "[parser.parse_args(words) for words in json.loads(sys.argv[1])]"
    )
    given = {name: ENVIRONMENT[name] for name in ENVIRONMENT if name.startswith("AIRFLOW__CORE__A")}
    ran = subprocess.run(
        [sys.executable, "-c", code, json.dumps([words[1:] for words in commands])],
        env=os.environ | given | {"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_init_runs_the_projects_own_migration() -> None:
    commands = [words[1:] for words in script("init") if words[0] == "engagement"]
    assert commands == [["migrate"]]
    code = "import sys; from engagement.cli import main; sys.argv[0] = 'engagement'; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "migrate", "--help"], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_every_lasting_service_has_a_health_check_and_restarts() -> None:
    lasting = EXPECTED - {"init"}
    for name in lasting:
        assert {"test", "interval", "timeout", "retries"} <= set(SERVICES[name]["healthcheck"]), (
            name
        )
        assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES["init"]["restart"] == "no"
    assert all(SERVICES[name]["init"] is True for name in EXPECTED)
    assert all(SERVICES[name]["logging"]["options"]["max-size"] for name in EXPECTED)


def test_health_checks_ask_what_this_airflow_answers() -> None:
    from airflow.api_fastapi.core_api.routes.public.monitor import monitor_router
    from airflow.configuration import conf
    from celery import Celery

    port = conf.configuration_description["api"]["options"]["port"]["default"]
    path = next(route.path for route in monitor_router.routes if "health" in route.path)
    assert (
        f"http://localhost:{port}/api/v2{path}'"
        in SERVICES["api-server"]["healthcheck"]["test"][-1]
    )
    options = conf.configuration_description["scheduler"]["options"]
    port = options["scheduler_health_check_server_port"]["default"]
    assert f"http://localhost:{port}/health'" in SERVICES["scheduler"]["healthcheck"]["test"][-1]
    assert environment("scheduler")["AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"] == "True"
    for service, job in {"dag-processor": "DagProcessorJob", "triggerer": "TriggererJob"}.items():
        assert job in SERVICES[service]["healthcheck"]["test"]
    for worker in WORKERS:
        words = shlex.split(SERVICES[worker]["healthcheck"]["test"][-1])
        module, _, name = words[words.index("--app") + 1].rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), name), Celery)
        assert words[3:5] == ["inspect", "ping"]


def test_nothing_starts_before_the_databases_are_ready() -> None:
    for name in AIRFLOW:
        needs = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
        assert needs["init"] == "service_completed_successfully", name
        assert needs["postgres"] == needs["redis"] == "service_healthy", name
    assert SERVICES["init"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_nothing_is_published_beyond_loopback_but_the_web_port() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {
        "api-server": ["${WEB_ADDRESS:-127.0.0.1}:${WEB_PORT:-8080}:8080"],
        "unsubscribe": ["127.0.0.1:${UNSUBSCRIBE_PORT:-8090}:8090"],
        "mailcatcher": ["127.0.0.1:${MAILCATCHER_PORT:-8025}:8025"],
    }
    assert not [name for name, service in SERVICES.items() if "network_mode" in service]
    assert COMPOSE["networks"]["data"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["data"]
    assert "networks" not in SERVICES["mailcatcher"]


def test_a_stopping_mail_worker_may_finish_its_message() -> None:
    minutes = re.fullmatch(r"(\d+)m", SERVICES["worker-mail"]["stop_grace_period"])
    assert minutes
    assert int(minutes[1]) >= 2


def test_images_are_pinned() -> None:
    for name, service in SERVICES.items():
        if name in AIRFLOW | {"init", "unsubscribe"}:
            assert (service["image"], service["build"]) == (IMAGE, "."), name
        else:
            assert re.search(r":v?\d+[\w.-]*$", service["image"]), name
    assert re.search(r"^FROM python:3\.\d+-slim-\w+$", DOCKERFILE, re.M)


def test_the_databases_of_the_urls_are_created() -> None:
    content = COMPOSE["configs"]["create-databases"]["content"]
    urls = [
        make_url(re.sub(r"\$\{[^}]*\}", "x", value))
        for name, value in environment("init").items()
        if re.search(r"SQL_ALCHEMY_CONN|WAREHOUSE_URL", name)
    ]
    assert len(urls) == 3
    for url in urls:
        assert url.host == "postgres"
        assert url.get_dialect().import_dbapi()
        assert f"CREATE ROLE {url.username} LOGIN" in content
        assert f"CREATE DATABASE {url.database} OWNER {url.username};" in content
    for name in re.findall(r"\$\$(\w+)", content):
        assert name in environment("postgres")
    assert SERVICES["postgres"]["configs"][0]["target"].startswith("/docker-entrypoint-initdb.d/")


def test_state_lies_in_named_volumes() -> None:
    mounts = {
        (name, *mount.split(":"))
        for name in SERVICES
        for mount in SERVICES[name].get("volumes", [])
    }
    assert {volume for _, volume, _ in mounts} == set(COMPOSE["volumes"])
    assert ("postgres", "postgres", "/var/lib/postgresql") in mounts  # 18 and later: not .../data
    for worker in WORKERS:
        assert (worker, "var", environment(worker)["ENGAGEMENT_HOME"]) in mounts
    for service in AIRFLOW | {"init"}:
        assert (service, "logs", "/opt/airflow/logs") in mounts
    for _, volume, folder in mounts - {m for m in mounts if m[1] in {"postgres", "redis"}}:
        assert re.search(rf"install -d .*-o engagement .*{folder}\b", DOCKERFILE), volume


def test_the_image_holds_the_folders_that_the_stack_names() -> None:
    copied = {
        word.rstrip("/")
        for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.M)
        for word in line.split()[:-1]
    }
    assert {"dags", "plugins", "include", "expectations"} <= copied
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M)
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    assert sorted(allowed) == sorted(copied)
    for name in copied:
        assert (ROOT / name).exists(), name
    assert f"WORKDIR {HOME}\n" in DOCKERFILE
    for option in ("DAGS_FOLDER", "PLUGINS_FOLDER"):
        folder = ENVIRONMENT[f"AIRFLOW__CORE__{option}"]
        assert folder.removeprefix(f"{HOME}/") in copied, option


def test_the_image_is_made_of_the_lock_and_runs_as_nobody_special() -> None:
    steps = re.findall(r"^(RUN|USER|COPY|CMD|ENTRYPOINT) (.+)$", DOCKERFILE, re.M)
    pip = [text for _, text in steps if "pip install" in text]
    assert len(pip) == 2
    assert {"--compile", "--no-deps", "--require-hashes"} <= set(pip[0].split())
    assert "-r requirements.lock" in pip[0]
    assert {"--no-deps", "--no-build-isolation", "--editable"} <= set(pip[1].split())
    assert steps[-1] == ("USER", "engagement")
    assert "useradd" in DOCKERFILE
    assert not re.search(
        r"--(extra-)?index-url|https?://|PYTHONDONTWRITEBYTECODE|^ARG", DOCKERFILE, re.M
    )
